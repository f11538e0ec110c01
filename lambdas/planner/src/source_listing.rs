//! What a plan takes for the listing of the source.

use shardlift_core::{
    failure::fault::CallFault,
    port::{BucketListing, ListRequest, ObjectPage, SourceBucket},
    value::{object::ListedObject, tally::RequestCounts},
};

/// What a plan takes for the listing of the source.
#[derive(Debug)]
pub(crate) enum SourceListing<'a, S> {
    /// The bucket as it is now.
    Bucket(&'a S),
}

impl<S: SourceBucket> SourceListing<'_, S> {
    /// The requests sent to the source so far.
    pub(crate) fn requests(&self) -> RequestCounts {
        match self {
            Self::Bucket(bucket) => bucket.requests(),
        }
    }
}

impl<S: SourceBucket> BucketListing for SourceListing<'_, S> {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        match self {
            Self::Bucket(bucket) => bucket.list_page(request).await,
        }
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        match self {
            Self::Bucket(bucket) => bucket.first_object(request).await,
        }
    }
}
