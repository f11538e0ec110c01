//! The settled objects of a shard, as its copier keeps them between two writes of the record.

use std::collections::BTreeMap;

use super::note::{ArrivedVersion, Note, NotedObject};
use crate::{
    documents::failure_list::FailedObject,
    failure::Failure,
    shard::ShardOutcome,
    value::{object::ListedObject, skips::SkipReason},
};

/// What is to be said of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopyNotes {
    /// The notes, except that it is newer.
    pub notes: Vec<Note>,
    /// The version that was copied, if it is newer than the planned one.
    pub newer: Option<ArrivedVersion>,
}

/// What became of one planned object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectOutcome {
    /// The planned version is at the target, or a newer one, which the notes name.
    Copied(CopyNotes),
    /// The object is no longer at the target, where a mirror must not have it.
    Deleted,
    /// Nothing is to be done about it any more.
    Skipped(SkipReason),
    /// It could not be copied or deleted, and this is why.
    Failed(Failure),
}

/// The settled objects of a shard: their counts, why the failed ones failed, and the notes on copied ones. Every object is
/// settled once (P4).
#[derive(Debug, Clone, Default)]
pub struct SettledObjects {
    outcome: ShardOutcome,
    failures: BTreeMap<u32, FailedObject>,
    notes: BTreeMap<u32, NotedObject>,
}

impl SettledObjects {
    /// Continues where the previous copier stopped. Its lists are written before the record, so they may name objects that
    /// the record does not: those are open, and are copied again.
    ///
    /// # Errors
    /// `InvariantViolated` when a list lacks an object that the record counts.
    pub fn resume(
        outcome: ShardOutcome,
        failed: impl IntoIterator<Item = FailedObject>,
        noted: impl IntoIterator<Item = NotedObject>,
    ) -> Result<Self, Failure> {
        let is_settled = |index: u32| outcome.progress.is_settled(index);
        let failures: BTreeMap<u32, FailedObject> = failed
            .into_iter()
            .filter(|failed| is_settled(failed.index))
            .map(|failed| (failed.index, failed))
            .collect();
        let notes: BTreeMap<u32, NotedObject> = noted
            .into_iter()
            .filter(|noted| is_settled(noted.index))
            .map(|noted| (noted.index, noted))
            .collect();
        let counted = outcome.tally.failed.objects;
        let listed = notes
            .values()
            .map(|object| object.notes.len() as u64)
            .sum::<u64>();
        if failures.len() as u64 != counted || listed != outcome.notes.values().sum::<u64>() {
            return Err(Failure::invariant(format!(
                "the record counts {counted} failed objects and the notes {:?}, its lists {:?} and {:?} have {} and {listed}",
                outcome.notes,
                outcome.failures_key,
                outcome.notes_key,
                failures.len(),
            )));
        }
        Ok(Self {
            outcome,
            failures,
            notes,
        })
    }

    /// Notes the outcome of the object at `index` of the manifest.
    ///
    /// Panics when the object is settled already: an object with two outcomes is a broken invariant of the caller.
    pub fn settle(&mut self, index: u32, object: &ListedObject, outcome: ObjectOutcome) {
        assert!(
            self.outcome.progress.settle(index),
            "object {index} was settled twice"
        );
        let tally = &mut self.outcome.tally;
        match outcome {
            ObjectOutcome::Copied(notes) => {
                tally.copied.add_object(object.size_bytes);
                if let Some(newer) = &notes.newer {
                    let (planned, arrived) = (object.size_bytes, newer.size_bytes);
                    self.outcome.newer.add_object(planned, arrived);
                }
                self.note(index, object, notes);
            }
            ObjectOutcome::Deleted => tally.deleted.add_object(object.size_bytes),
            ObjectOutcome::Skipped(reason) => {
                tally.skipped.add_object(reason, object.size_bytes);
            }
            ObjectOutcome::Failed(failure) => {
                tally.failed.add_object(failure.code, object.size_bytes);
                let failed = FailedObject {
                    index,
                    key: object.key.clone(),
                    size: object.size_bytes,
                    code: failure.code,
                    detail: failure.detail,
                };
                if failed.is_retryable() {
                    self.outcome.retryable += 1;
                }
                self.failures.insert(index, failed);
            }
        }
    }

    fn note(&mut self, index: u32, object: &ListedObject, copy: CopyNotes) {
        let CopyNotes { mut notes, newer } = copy;
        if newer.is_some() {
            notes.push(Note::CopiedNewer);
        }
        if notes.is_empty() {
            return;
        }
        for note in &notes {
            let count = self.outcome.notes.entry(note.name().to_owned());
            *count.or_default() += 1;
        }
        let key = object.key.clone();
        let noted = NotedObject {
            index,
            key,
            notes,
            arrived: newer,
        };
        self.notes.insert(index, noted);
    }

    /// The outcome for the record, except the requests, the uploads and the keys of the lists.
    #[must_use]
    pub fn outcome(&self) -> &ShardOutcome {
        &self.outcome
    }

    /// The objects with notes, in the order of the manifest.
    pub fn notes(&self) -> impl ExactSizeIterator<Item = &NotedObject> {
        self.notes.values()
    }

    /// The failed objects in the order of the manifest.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = &FailedObject> {
        self.failures.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failure::FailureCode,
        value::{key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp},
    };

    fn object(key: &str) -> ListedObject {
        ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes: 7,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
        }
    }

    fn failed(code: FailureCode) -> ObjectOutcome {
        ObjectOutcome::Failed(Failure::new(code, "detail"))
    }

    #[test]
    fn counts_map_and_list_agree() {
        let mut settled = SettledObjects::default();
        settled.settle(0, &object("a"), ObjectOutcome::Copied(CopyNotes::default()));
        settled.settle(2, &object("c"), failed(FailureCode::AccessDenied));
        settled.settle(1, &object("b"), failed(FailureCode::Throttled));
        let outcome = settled.outcome();
        assert_eq!(
            outcome.tally.settled_objects(),
            outcome.progress.settled_count()
        );
        assert_eq!(outcome.retryable, 1);
        let indices: Vec<u32> = settled.failures().map(|failed| failed.index).collect();
        assert_eq!(indices, [1, 2]);
    }

    #[test]
    fn what_the_record_settled_is_resumed_and_no_more() {
        let mut settled = SettledObjects::default();
        settled.settle(1, &object("b"), failed(FailureCode::Throttled));
        let recorded = settled.outcome().clone();
        settled.settle(5, &object("f"), failed(FailureCode::Throttled));
        let list: Vec<FailedObject> = settled.failures().cloned().collect();

        let resumed = SettledObjects::resume(recorded.clone(), list, []).unwrap();
        assert_eq!(resumed.outcome(), &recorded);
        assert_eq!(resumed.failures().len(), 1);
    }

    #[test]
    fn a_list_that_lost_a_failed_object_is_refused() {
        let mut settled = SettledObjects::default();
        settled.settle(1, &object("b"), failed(FailureCode::Throttled));
        let refused = SettledObjects::resume(settled.outcome().clone(), [], []).unwrap_err();
        assert_eq!(refused.code, FailureCode::InvariantViolated);
    }

    #[test]
    fn notes_are_counted_listed_and_resumed() {
        let mut settled = SettledObjects::default();
        let notes = CopyNotes {
            notes: vec![Note::ProvenByEtag, Note::TagsLeftBehind],
            newer: None,
        };
        settled.settle(0, &object("a"), ObjectOutcome::Copied(notes));
        let outcome = settled.outcome().clone();
        assert_eq!(outcome.notes["proven_by_etag"], 1);
        let listed: Vec<NotedObject> = settled.notes().cloned().collect();
        let resumed = SettledObjects::resume(outcome.clone(), [], listed).unwrap();
        assert_eq!(resumed.notes().len(), 1);
        assert!(SettledObjects::resume(outcome, [], []).is_err());
    }

    #[test]
    fn a_newer_version_is_named_and_counts_with_the_planned_size() {
        let mut settled = SettledObjects::default();
        let newer = ArrivedVersion {
            etag: ETag::new("newer").unwrap(),
            size_bytes: 9,
        };
        let copy = CopyNotes {
            notes: Vec::new(),
            newer: Some(newer.clone()),
        };
        settled.settle(0, &object("a"), ObjectOutcome::Copied(copy));
        settled.settle(
            1,
            &object("b"),
            ObjectOutcome::Skipped(SkipReason::GoneAtSource),
        );
        let outcome = settled.outcome();
        assert_eq!((outcome.tally.copied.bytes, outcome.newer.bytes), (7, 9));
        assert_eq!(outcome.newer.planned_bytes, 7);
        assert_eq!(outcome.notes["copied_newer"], 1);
        assert_eq!(outcome.tally.settled_objects(), 2);
        let noted = settled.notes().next().unwrap();
        assert_eq!(noted.arrived, Some(newer));
    }

    #[test]
    #[should_panic(expected = "settled twice")]
    fn an_object_has_one_outcome() {
        let mut settled = SettledObjects::default();
        settled.settle(0, &object("a"), ObjectOutcome::Copied(CopyNotes::default()));
        settled.settle(0, &object("a"), failed(FailureCode::Throttled));
    }
}
