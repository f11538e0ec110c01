use aws_sdk_s3::Client;
use shardlift_core::{
    failure::fault::CallFault,
    port::{BucketListing, ListRequest, ObjectPage, SourceBucket},
    run::record::BucketFacts,
    value::{bucket::BucketName, object::ListedObject, tally::RequestCounts},
};

use super::listing::{first_object, list_page};
use crate::request_counter::RequestCounter;

/// The source bucket, read with the function's own role.
#[derive(Debug, Clone)]
pub struct AwsSourceBucket {
    client: Client,
    counter: RequestCounter,
    bucket: BucketName,
    facts: BucketFacts,
}

impl AwsSourceBucket {
    pub(crate) fn new(
        client: Client,
        counter: RequestCounter,
        bucket: BucketName,
        facts: BucketFacts,
    ) -> Self {
        Self {
            client,
            counter,
            bucket,
            facts,
        }
    }
}

impl BucketListing for AwsSourceBucket {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        list_page(&self.client, &self.bucket, &self.facts.owner, request).await
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        first_object(&self.client, &self.bucket, &self.facts.owner, request).await
    }
}

impl SourceBucket for AwsSourceBucket {
    fn facts(&self) -> &BucketFacts {
        &self.facts
    }

    fn requests(&self) -> RequestCounts {
        self.counter.counts()
    }
}
