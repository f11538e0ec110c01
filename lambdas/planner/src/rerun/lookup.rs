//! Single objects of a side, looked up by their keys.

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

/// A side of the pair, to be asked about single objects.
///
/// A listing tells what an ordinary plan would see, time included, and needs no right to read the object: one that is
/// still refused is planned, and its copier says what is missing.
pub(super) struct Lookup<'a, B> {
    bucket: &'a B,
    side: Side,
    pair: &'a Pair,
}

impl<'a, B: BucketListing> Lookup<'a, B> {
    pub(super) fn new(bucket: &'a B, side: Side, pair: &'a Pair) -> Self {
        Self { bucket, side, pair }
    }

    /// The objects with these keys, which ascend, each as it is listed now.
    ///
    /// Where keys follow each other closely, one page answers for many of them; where they do not, pages cost no more
    /// requests than questions for single keys.
    ///
    /// # Errors
    /// What makes a listing fail: then nothing is taken for gone (P11).
    pub(super) async fn present(
        &self,
        keys: &[ObjectKey],
    ) -> Result<Vec<Option<ListedObject>>, Failure> {
        let mut found = Vec::with_capacity(keys.len());
        let mut listed: Option<ObjectKey> = None;
        while let Some(wanted) = keys.get(found.len()) {
            let is_last = found.len() + 1 == keys.len();
            let Some(before) = wanted.just_before().filter(|_| !is_last) else {
                found.push(self.single(wanted).await?);
                continue;
            };
            let request = ListRequest {
                prefix: self.prefix().clone(),
                after: listed.max(Some(before)),
            };
            let page = self.ask(|| self.bucket.list_page(&request)).await?;
            listed = page.objects.last().map(|last| last.key.clone());
            let is_answered =
                |key: &&ObjectKey| !page.is_truncated || Some(*key) <= listed.as_ref();
            for key in keys[found.len()..].iter().take_while(is_answered) {
                let place = page.objects.binary_search_by(|object| object.key.cmp(key));
                found.push(place.ok().map(|place| page.objects[place].clone()));
            }
        }
        Ok(found)
    }

    async fn single(&self, key: &ObjectKey) -> Result<Option<ListedObject>, Failure> {
        let prefix =
            KeyPrefix::new(key.as_str()).map_err(|error| Failure::invariant(error.to_string()))?;
        let request = ListRequest {
            prefix,
            after: None,
        };
        let first = self.ask(|| self.bucket.first_object(&request)).await?;
        // The key itself comes before every longer one.
        Ok(first.filter(|object| object.key == *key))
    }

    async fn ask<Answer, F>(&self, question: impl Fn() -> F) -> Result<Answer, Failure>
    where
        F: Future<Output = Result<Answer, CallFault>>,
    {
        let answer = LISTING.run(question).await;
        answer.map_err(|fault| access::listing_failure(fault, self.side, self.pair))
    }

    fn prefix(&self) -> &'a KeyPrefix {
        self.pair.prefix(self.side)
    }
}
