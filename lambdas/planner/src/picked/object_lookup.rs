//! Looks up single objects of a side by their keys.

use std::future::Future;

use shardlift_aws::retry::LISTING;
use shardlift_core::{
    failure::{Failure, fault::CallFault},
    port::{BucketListing, ListRequest},
    run::pair::{Pair, Side},
    value::{
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
    },
};

use crate::access;

/// Looks up single objects of one side.
///
/// A listing returns what an ordinary plan would see, time included, and needs no permission to read the object. An
/// object that may not be read is planned, and its copier reports the missing permission.
pub(crate) struct ObjectLookup<'a, B> {
    bucket: &'a B,
    side: Side,
    pair: &'a Pair,
}

impl<'a, B: BucketListing> ObjectLookup<'a, B> {
    pub(crate) fn new(bucket: &'a B, side: Side, pair: &'a Pair) -> Self {
        Self { bucket, side, pair }
    }

    /// The objects with these keys, which ascend, each as it is listed now.
    ///
    /// Where keys follow each other closely, one page holds many of them; where they do not, pages cost no more requests
    /// than single keys.
    ///
    /// # Errors
    /// Those of a listing. Then no object counts as gone (P11).
    pub(crate) async fn present(
        &self,
        keys: &[ObjectKey],
    ) -> Result<Vec<Option<ListedObject>>, Failure> {
        let mut found = Vec::with_capacity(keys.len());
        let mut listed = None;
        while let Some(left) = keys.get(found.len()..).filter(|left| !left.is_empty()) {
            let (page, through) = self.first_page(left, listed).await?;
            found.extend(page);
            listed = through;
        }
        Ok(found)
    }

    /// The first of these keys, which ascend, as many as one request tells of; and how far its page reaches. `listed` is how
    /// far the page before it did.
    pub(crate) async fn first_page(
        &self,
        keys: &[ObjectKey],
        listed: Option<ObjectKey>,
    ) -> Result<(Vec<Option<ListedObject>>, Option<ObjectKey>), Failure> {
        let Some(wanted) = keys.first() else {
            return Ok((Vec::new(), listed));
        };
        let Some(before) = wanted.just_before().filter(|_| keys.len() > 1) else {
            return Ok((vec![self.single(wanted).await?], listed));
        };
        let request = ListRequest {
            prefix: self.prefix().clone(),
            after: listed.max(Some(before)),
        };
        let page = self.send(|| self.bucket.list_page(&request)).await?;
        let listed = page.objects.last().map(|last| last.key.clone());
        let is_covered = |key: &&ObjectKey| !page.is_truncated || Some(*key) <= listed.as_ref();
        let of_key = |key: &ObjectKey| {
            let index = page.objects.binary_search_by(|object| object.key.cmp(key));
            index.ok().map(|index| page.objects[index].clone())
        };
        let found = keys.iter().take_while(is_covered).map(of_key).collect();
        Ok((found, listed))
    }

    async fn single(&self, key: &ObjectKey) -> Result<Option<ListedObject>, Failure> {
        let prefix =
            KeyPrefix::new(key.as_str()).map_err(|error| Failure::invariant(error.to_string()))?;
        let request = ListRequest {
            prefix,
            after: None,
        };
        let first = self.send(|| self.bucket.first_object(&request)).await?;
        // The key itself comes before every longer one.
        Ok(first.filter(|object| object.key == *key))
    }

    async fn send<T, F>(&self, request: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, CallFault>>,
    {
        let response = LISTING.run(request).await;
        response.map_err(|fault| access::listing_failure(fault, self.side, self.pair))
    }

    fn prefix(&self) -> &'a KeyPrefix {
        self.pair.prefix(self.side)
    }
}
