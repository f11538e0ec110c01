use std::{fmt::Display, future::Future};

use crate::{
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    run::pair::Side,
    value::{
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
    },
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
    /// Whether keys may follow. A page that says so and holds nothing is a [`MalformedResponse`](crate::failure::fault::FaultKind::MalformedResponse).
    pub is_truncated: bool,
}

/// Why a page cannot be the response to its request: the listing is cut off, goes in circles, or is of something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageProblem {
    /// Nothing is listed, and yet keys are said to follow.
    #[error("a page holds no key and yet says that more follow")]
    NoKey,
    /// A key does not belong to the request.
    #[error("key {key:?} lies outside the prefix")]
    OutsidePrefix {
        /// The key.
        key: ObjectKey,
    },
    /// The keys are out of order, or come again.
    #[error("key {key:?} does not come after {before:?}, the key before it")]
    OutOfOrder {
        /// The key.
        key: ObjectKey,
        /// What was listed before.
        before: ObjectKey,
    },
}

impl ObjectPage {
    /// Holds the page to what a listing of `prefix` after the key `after` can say (P11). Adapters do so, and a plan does
    /// once more.
    ///
    /// # Errors
    /// What a listing cannot say.
    pub fn check(&self, prefix: &KeyPrefix, after: Option<&ObjectKey>) -> Result<(), PageProblem> {
        if self.is_truncated && self.objects.is_empty() {
            return Err(PageProblem::NoKey);
        }
        let mut before = after;
        for ListedObject { key, .. } in &self.objects {
            if key.relative_to(prefix).is_none() {
                return Err(PageProblem::OutsidePrefix { key: key.clone() });
            }
            if let Some(before) = before.filter(|before| key <= *before) {
                return Err(PageProblem::OutOfOrder {
                    key: key.clone(),
                    before: before.clone(),
                });
            }
            before = Some(key);
        }
        Ok(())
    }
}

/// The failure of a listing that cannot be trusted (P11).
#[must_use]
pub fn untrusted_listing(side: Side, problem: impl Display) -> Failure {
    Failure::new(
        FailureCode::ListingIncomplete,
        format!("the listing of the {side} cannot be trusted: {problem}"),
    )
}

/// The failure of a listing whose pages keep coming malformed, so that it cannot be trusted (P11); nothing for any other
/// fault.
#[must_use]
pub fn malformed_listing(side: Side, fault: &CallFault) -> Option<Failure> {
    (fault.kind == FaultKind::MalformedResponse).then(|| untrusted_listing(side, fault))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{object::ETag, storage::ObjectStorage, time::Timestamp};

    fn check(after: Option<&str>, keys: &[&str], is_truncated: bool) -> Result<(), PageProblem> {
        let key = |text: &str| ObjectKey::new(text).unwrap();
        let object = |text: &&str| ListedObject {
            key: key(text),
            size_bytes: 1,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
        };
        let page = ObjectPage {
            objects: keys.iter().map(object).collect(),
            is_truncated,
        };
        page.check(&KeyPrefix::new("p/").unwrap(), after.map(key).as_ref())
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        assert_eq!(check(None, &[], true), Err(PageProblem::NoKey));
        let is_outside = |page| matches!(page, Err(PageProblem::OutsidePrefix { .. }));
        assert!(is_outside(check(None, &["elsewhere"], false)));
        assert!(is_outside(check(None, &["p/a", "p"], false)));
        let is_out_of_order = |page| matches!(page, Err(PageProblem::OutOfOrder { .. }));
        assert!(is_out_of_order(check(None, &["p/b", "p/a"], false)));
        assert!(is_out_of_order(check(None, &["p/a", "p/a"], false)));
        assert!(is_out_of_order(check(Some("p/a"), &["p/a", "p/b"], true)));
        assert_eq!(check(Some("p/a"), &["p/b"], true), Ok(()));
        assert_eq!(check(None, &[], false), Ok(()));
    }
}
