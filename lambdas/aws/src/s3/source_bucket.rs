use aws_sdk_s3::Client;
use shardlift_core::{
    failure::fault::CallFault,
    port::{
        BucketListing, ListRequest, ObjectPage, SourceBucket, VersionPage, VersionRequest,
        Versioning,
    },
    run::record::BucketFacts,
    value::{object::ListedObject, tally::RequestCounts},
};

use super::{
    get_bucket_versioning, list_object_versions, list_objects_v2, owned_bucket::OwnedBucket,
};
use crate::request_counter::RequestCounter;

/// The source bucket, read with the function's own role.
#[derive(Debug, Clone)]
pub struct AwsSourceBucket {
    client: Client,
    counter: RequestCounter,
    bucket: OwnedBucket,
}

impl AwsSourceBucket {
    pub(crate) fn new(client: Client, counter: RequestCounter, bucket: OwnedBucket) -> Self {
        Self {
            client,
            counter,
            bucket,
        }
    }
}

impl BucketListing for AwsSourceBucket {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        list_objects_v2::list_page(&self.client, &self.bucket, request).await
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        list_objects_v2::first_object(&self.client, &self.bucket, request).await
    }
}

impl SourceBucket for AwsSourceBucket {
    fn facts(&self) -> &BucketFacts {
        &self.bucket.facts
    }

    fn requests(&self) -> RequestCounts {
        self.counter.counts()
    }

    async fn versioning(&self) -> Result<Versioning, CallFault> {
        get_bucket_versioning::versioning(&self.client, &self.bucket).await
    }

    async fn list_versions(&self, request: &VersionRequest) -> Result<VersionPage, CallFault> {
        list_object_versions::list_versions(&self.client, &self.bucket, request).await
    }
}
