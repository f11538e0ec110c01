use std::future::Future;

use crate::{
    fault::CallFault,
    key::{KeyPrefix, ObjectKey},
    object::ListedObject,
};

/// A question for one page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Only keys under it.
    pub prefix: KeyPrefix,
    /// Only keys greater than this one, in the order of UTF-8 bytes.
    pub after: Option<ObjectKey>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectPage {
    /// Up to 1,000 objects in key order, all greater than the request's `after`.
    pub objects: Vec<ListedObject>,
    /// Whether keys may follow. A page that says so and holds nothing is a [`BadAnswer`](crate::fault::FaultKind::BadAnswer).
    pub is_truncated: bool,
}

/// Lists a bucket.
pub trait BucketListing: Send + Sync {
    /// One page. Idempotent. A refused or cut-off listing is a fault, never a short page (P11).
    fn list_page(
        &self,
        request: &ListRequest,
    ) -> impl Future<Output = Result<ObjectPage, CallFault>> + Send;

    /// The first object after the request's key, or nothing. Idempotent. An adapter asks for just this one where it can.
    fn first_object(
        &self,
        request: &ListRequest,
    ) -> impl Future<Output = Result<Option<ListedObject>, CallFault>> + Send {
        async move { Ok(self.list_page(request).await?.objects.into_iter().next()) }
    }
}
