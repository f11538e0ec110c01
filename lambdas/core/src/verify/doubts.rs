//! Discrepancies that the run may not be responsible for.
//!
//! S3 dates an object that was uploaded in parts by the beginning of its upload (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
//! So a version that is dated before the run may have appeared while it ran: its upload was begun before and completed
//! meanwhile. The same is true of one that is dated in the second in which the run began, since listings give whole
//! seconds. Which version the run planned is in its manifests, and these decide.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::discrepancies::Discrepancy;
use crate::value::{
    key::ObjectKey,
    object::{ETag, ListedObject},
    time::Timestamp,
};

/// How long an upload is taken to be open at most. S3 sets no limit; who leaves one open for longer and completes it during
/// a run gets a false alarm. The longer this is, the more objects are not vouched for that were found the same.
const UPLOAD_OPEN_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Whether this version of a source object, which is dated before the run, may have appeared after the listing began.
pub(super) fn may_have_appeared_since(source: &ListedObject, listed_since: Timestamp) -> bool {
    let is_of_parts = source.etag.part_count().is_some();
    let is_recent = source.modified_at.plus(UPLOAD_OPEN_MAX) >= listed_since;
    let is_of_that_second = source.modified_at.plus(Duration::from_secs(1)) > listed_since;
    is_of_that_second || (is_of_parts && is_recent)
}

/// A discrepancy that the manifests of the run decide about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The source's key.
    pub key: ObjectKey,
    /// Its version at the source.
    pub etag: ETag,
    /// What is wrong with the target.
    pub finding: DoubtfulFinding,
}

/// What is wrong with the target of a doubtful object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtfulFinding {
    /// There is nothing.
    Missing,
    /// There is another object, which was there before the run.
    DifferentBefore,
    /// There is another object, which was written since the run began.
    DifferentSince,
}

/// The versions that the run planned of doubtful objects, by their key; nothing for those that it did not plan.
pub type PlannedVersions = BTreeMap<ObjectKey, Option<ETag>>;

impl Doubt {
    /// What the discrepancy is, now that it is known what was planned.
    ///
    /// A version that was planned is judged. If another one was, the source changed since. An object that was not planned
    /// was the same then, or not there: its version is a later one unless somebody else changed the target meanwhile, which
    /// is certain if the target was written since, and otherwise cannot be told apart.
    pub(super) fn settled(&self, planned: Option<&ETag>) -> Discrepancy {
        let is_judged = match planned {
            Some(planned) => *planned == self.etag,
            None => self.finding == DoubtfulFinding::DifferentSince,
        };
        match self.finding {
            _ if !is_judged => Discrepancy::ChangedSinceStart,
            DoubtfulFinding::Missing => Discrepancy::Missing,
            DoubtfulFinding::DifferentBefore | DoubtfulFinding::DifferentSince => {
                Discrepancy::Different
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::storage::ObjectStorage;

    fn at_second(etag: &str, second: i64) -> ListedObject {
        ListedObject {
            key: ObjectKey::new("k").unwrap(),
            size_bytes: 1,
            etag: ETag::new(etag).unwrap(),
            modified_at: Timestamp::from_millis(second * 1_000),
            storage: ObjectStorage::default(),
        }
    }

    #[test]
    fn only_what_may_have_appeared_since_is_doubtful() {
        let day = 24 * 60 * 60;
        let listed_since = Timestamp::from_millis(100 * day * 1_000 + 500);
        let doubtful =
            |etag, second| may_have_appeared_since(&at_second(etag, second), listed_since);
        assert!(doubtful("parts-2", 99 * day) && doubtful("one-1", 94 * day));
        assert!(!doubtful("parts-2", 92 * day), "nobody uploads for so long");
        assert!(!doubtful("whole", 99 * day), "dated by its end");
        assert!(doubtful("whole", 100 * day), "the second of the beginning");
        assert!(!doubtful("whole", 100 * day - 1));
    }

    #[test]
    fn what_was_planned_decides() {
        let doubt = |finding| Doubt {
            key: ObjectKey::new("k").unwrap(),
            etag: ETag::new("now-2").unwrap(),
            finding,
        };
        let (same, other) = (ETag::new("now-2").unwrap(), ETag::new("then").unwrap());
        let changed = Discrepancy::ChangedSinceStart;
        for (finding, planned, expected) in [
            (DoubtfulFinding::Missing, Some(&same), Discrepancy::Missing),
            (DoubtfulFinding::Missing, Some(&other), changed),
            (DoubtfulFinding::Missing, None, changed),
            (
                DoubtfulFinding::DifferentBefore,
                Some(&same),
                Discrepancy::Different,
            ),
            (DoubtfulFinding::DifferentBefore, Some(&other), changed),
            (DoubtfulFinding::DifferentBefore, None, changed),
            (
                DoubtfulFinding::DifferentSince,
                Some(&same),
                Discrepancy::Different,
            ),
            (DoubtfulFinding::DifferentSince, Some(&other), changed),
            (
                DoubtfulFinding::DifferentSince,
                None,
                Discrepancy::Different,
            ),
        ] {
            assert_eq!(
                doubt(finding).settled(planned),
                expected,
                "{finding:?} {planned:?}"
            );
        }
    }
}
