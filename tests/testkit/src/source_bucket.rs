//! The source bucket in memory.

use shardlift_core::{
    failure::fault::CallFault,
    port::{
        BucketListing, ListRequest, ObjectPage, SourceBucket, VersionPage, VersionRequest,
        Versioning,
    },
    run::record::BucketFacts,
    value::tally::RequestCounts,
};

use crate::bucket_handle::BucketHandle;

/// The source bucket in memory.
#[derive(Debug, Clone)]
pub struct MemorySource(pub(crate) BucketHandle);

impl BucketListing for MemorySource {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        self.0.list_page(request).await
    }
}

impl SourceBucket for MemorySource {
    fn facts(&self) -> &BucketFacts {
        &self.0.facts
    }

    fn requests(&self) -> RequestCounts {
        self.0.requests()
    }

    async fn versioning(&self) -> Result<Versioning, CallFault> {
        self.0.versioning().await
    }

    async fn list_versions(&self, request: &VersionRequest) -> Result<VersionPage, CallFault> {
        self.0.list_versions(request).await
    }
}
