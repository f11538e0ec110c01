//! Looks up single objects of a side by their keys.

use std::future::Future;

use shardlift_aws::retry::LISTING;
use shardlift_core::{
    failure::{Failure, fault::CallFault},
    port::{BucketListing, ListRequest, SourceBucket},
    run::pair::{Pair, Side},
    value::{
        id::VersionId,
        key::{KeyPrefix, ObjectKey},
        object::{ETag, ListedObject},
        storage::ObjectStorage,
        time::Timestamp,
    },
};

use crate::{access, source_listing::SourceListing};

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
        let listed = page.last_key().cloned();
        let is_covered = |key: &&ObjectKey| !page.is_truncated || Some(*key) <= listed.as_ref();
        let of_key = |key: &ObjectKey| {
            let index = page.objects.binary_search_by(|object| object.key.cmp(key));
            index.ok().map(|index| page.objects[index].clone())
        };
        let found = keys.iter().take_while(is_covered).map(of_key).collect();
        Ok((found, listed))
    }

    /// The object with this key, as it is listed now.
    ///
    /// # Errors
    /// Those of a listing.
    pub(crate) async fn single(&self, key: &ObjectKey) -> Result<Option<ListedObject>, Failure> {
        self.send(|| self.bucket.object(key)).await
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

impl<S: SourceBucket> ObjectLookup<'_, SourceListing<'_, S>> {
    /// This version of an object of the source; nothing when it is gone, or a delete marker.
    ///
    /// # Errors
    /// Those of a listing.
    pub(crate) async fn version(
        &self,
        key: &ObjectKey,
        version_id: &VersionId,
    ) -> Result<Option<ListedObject>, Failure> {
        self.send(|| self.bucket.version(key, version_id)).await
    }
}

/// A version that was meant and is not there, as it is planned all the same: its copier finds that and reports it.
pub(crate) fn gone_version(
    key: &ObjectKey,
    version_id: &VersionId,
    size_bytes: u64,
) -> ListedObject {
    ListedObject {
        key: key.clone(),
        size_bytes,
        etag: no_etag(),
        modified_at: Timestamp::default(),
        storage: ObjectStorage::default(),
        version_id: Some(version_id.clone()),
    }
}

/// An ETag that no object has.
pub(crate) fn no_etag() -> ETag {
    ETag::new("not-the-listed-version").expect("the text is constant")
}
