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
        printable::Printable,
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
    /// The last key up to which nothing else is there, where that is not the key of the last object.
    pub listed_through: Option<ObjectKey>,
    /// Whether keys may follow. A page that says so and gets no further is a [`MalformedResponse`](crate::failure::fault::FaultKind::MalformedResponse).
    pub is_truncated: bool,
}

/// Why a page cannot be the response to its request: the listing is cut off, goes in circles, or is of something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageProblem {
    /// Nothing is listed, and yet keys are said to follow.
    #[error("a page holds no key and yet says that more follow")]
    NoKey,
    /// A key does not belong to the request.
    #[error("key \"{}\" lies outside the prefix", Printable(.key.as_str()))]
    OutsidePrefix {
        /// The key.
        key: ObjectKey,
    },
    /// The keys are out of order, or come again.
    #[error(
        "key \"{}\" does not come after \"{}\", the key before it",
        Printable(.key.as_str()),
        Printable(.before.as_str())
    )]
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
        if self.is_truncated && self.last_key().is_none() {
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
        match (&self.listed_through, before) {
            (Some(key), _) if key.relative_to(prefix).is_none() => {
                Err(PageProblem::OutsidePrefix { key: key.clone() })
            }
            (Some(key), Some(before)) if key < before || Some(key) == after => {
                Err(PageProblem::OutOfOrder {
                    key: key.clone(),
                    before: before.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// The key up to which the page lists.
    #[must_use]
    pub fn last_key(&self) -> Option<&ObjectKey> {
        let last = self.objects.last().map(|object| &object.key);
        self.listed_through.as_ref().or(last)
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

    /// The object of a key, or nothing. Idempotent; needs no permission to read it.
    fn object(
        &self,
        key: &ObjectKey,
    ) -> impl Future<Output = Result<Option<ListedObject>, CallFault>> + Send {
        async move {
            let Ok(prefix) = KeyPrefix::new(key.as_str()) else {
                return Ok(None);
            };
            let request = ListRequest {
                prefix,
                after: None,
            };
            // The key itself comes before every longer one.
            let first = self.first_object(&request).await?;
            Ok(first.filter(|object| object.key == *key))
        }
    }

    /// A key after the request's, before which there is no object and at which there may be one; nothing where no object
    /// follows. Idempotent. It shows where the remaining keys begin.
    fn next_key(
        &self,
        request: &ListRequest,
    ) -> impl Future<Output = Result<Option<ObjectKey>, CallFault>> + Send {
        async move { Ok(self.first_object(request).await?.map(|object| object.key)) }
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
            version_id: None,
        };
        let page = ObjectPage {
            objects: keys.iter().map(object).collect(),
            listed_through: None,
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

    #[test]
    fn a_page_may_get_further_than_its_objects_and_must_get_further_than_the_last_one() {
        let key = |text: &str| ObjectKey::new(text).unwrap();
        let prefix = KeyPrefix::new("p/").unwrap();
        let check = |after: Option<&str>, through: &str| {
            let page = ObjectPage {
                listed_through: Some(key(through)),
                is_truncated: true,
                ..ObjectPage::default()
            };
            page.check(&prefix, after.map(key).as_ref()).is_ok()
        };
        assert!(check(None, "p/b") && check(Some("p/a"), "p/b"));
        assert!(!check(Some("p/b"), "p/b") && !check(Some("p/c"), "p/b") && !check(None, "q"));
    }
}
