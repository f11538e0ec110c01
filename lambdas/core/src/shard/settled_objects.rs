//! The settled objects of a shard, as its copier keeps them between two writes of the record.

use std::collections::BTreeMap;

use super::note::{ArrivedVersion, Note, NotedObject};
use crate::{
    documents::{
        failure_list::FailedObject,
        receipt::{Receipt, ReceiptOutcome, TargetVersion},
    },
    failure::Failure,
    shard::ShardOutcome,
    value::{key::RelativeKey, object::ListedObject, set_sum::SetSum, skips::SkipReason},
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
    /// The planned version is at the target, or a newer one, which the notes name: as this object.
    Copied(TargetVersion, CopyNotes),
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
    receipts: BTreeMap<u32, Receipt>,
}

/// What the control bucket holds of the settled objects of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettledLists {
    /// The failed objects.
    pub failed: Vec<FailedObject>,
    /// The copied objects with notes.
    pub noted: Vec<NotedObject>,
    /// What became of each object.
    pub receipts: Vec<Receipt>,
}

impl SettledObjects {
    /// Continues where the previous copier stopped. Its lists are written before the record, so they may name objects that
    /// the record does not: those are open, and are copied again.
    ///
    /// # Errors
    /// `InvariantViolated` when a list lacks an object that the record counts.
    pub fn resume(outcome: ShardOutcome, lists: SettledLists) -> Result<Self, Failure> {
        let SettledLists {
            failed,
            noted,
            receipts,
        } = lists;
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
        let receipts: BTreeMap<u32, Receipt> = receipts
            .into_iter()
            .filter_map(|receipt| Some((receipt.index?, receipt)))
            .filter(|(index, _)| is_settled(*index))
            .collect();
        let mut vouched = SetSum::default();
        for receipt in receipts.values() {
            if let Some((etag, size_bytes)) = receipt.vouched() {
                vouched.add_object(receipt.key.as_str(), etag, size_bytes);
            }
        }
        let settled = outcome.progress.settled_count();
        if vouched != outcome.vouched || receipts.len() as u64 != settled {
            return Err(Failure::invariant(format!(
                "the record counts {settled} settled objects, of them {:?}; its receipts {:?} are {} and {vouched:?}",
                outcome.vouched,
                outcome.receipts_key,
                receipts.len(),
            )));
        }
        Ok(Self {
            outcome,
            failures,
            notes,
            receipts,
        })
    }

    /// Notes the outcome of the object at `index` of the manifest, whose key below the prefix is `relative`.
    ///
    /// Panics when the object is settled already: an object with two outcomes is a broken invariant of the caller.
    pub fn settle(
        &mut self,
        index: u32,
        (relative, object): (RelativeKey, &ListedObject),
        outcome: ObjectOutcome,
    ) {
        assert!(
            self.outcome.progress.settle(index),
            "object {index} was settled twice"
        );
        let tally = &mut self.outcome.tally;
        let mut receipt = Receipt::of(relative, receipt_outcome(&outcome));
        match outcome {
            ObjectOutcome::Copied(version, notes) => {
                tally.copied.add_object(object.size_bytes);
                let vouched = &mut self.outcome.vouched;
                vouched.add_object(receipt.key.as_str(), &version.etag, version.size_bytes);
                receipt.proof = notes.notes.iter().copied().find(|note| note.is_proof());
                receipt = receipt.at_target(version);
                if let Some(newer) = &notes.newer {
                    let (planned, arrived) = (object.size_bytes, newer.size_bytes);
                    self.outcome.newer.add_object(planned, arrived);
                }
                self.note(index, object, notes);
            }
            ObjectOutcome::Deleted => {
                tally.deleted.add_object(object.size_bytes);
                let beside = &mut self.outcome.beside;
                beside.remove_object(receipt.key.as_str(), &object.etag, object.size_bytes);
            }
            ObjectOutcome::Skipped(reason) => {
                tally.skipped.add_object(reason, object.size_bytes);
                receipt.reason = Some(reason.name().to_owned());
            }
            ObjectOutcome::Failed(failure) => {
                receipt.reason = Some(failure.code.name().to_owned());
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
        receipt.index = Some(index);
        self.receipts.insert(index, receipt);
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

    /// What became of each settled object, in the order of the manifest.
    pub fn receipts(&self) -> impl ExactSizeIterator<Item = &Receipt> {
        self.receipts.values()
    }

    /// The failed objects in the order of the manifest.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = &FailedObject> {
        self.failures.values()
    }
}

fn receipt_outcome(outcome: &ObjectOutcome) -> ReceiptOutcome {
    match outcome {
        ObjectOutcome::Copied(..) => ReceiptOutcome::Copied,
        ObjectOutcome::Deleted => ReceiptOutcome::Deleted,
        ObjectOutcome::Skipped(_) => ReceiptOutcome::Skipped,
        ObjectOutcome::Failed(_) => ReceiptOutcome::Failed,
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

    fn key(key: &str) -> RelativeKey {
        RelativeKey::new(key).unwrap()
    }

    fn version() -> TargetVersion {
        TargetVersion {
            etag: ETag::new("t").unwrap(),
            version_id: None,
            size_bytes: 7,
        }
    }

    fn copied(notes: CopyNotes) -> ObjectOutcome {
        ObjectOutcome::Copied(version(), notes)
    }

    fn lists(settled: &SettledObjects) -> SettledLists {
        SettledLists {
            failed: settled.failures().cloned().collect(),
            noted: settled.notes().cloned().collect(),
            receipts: settled.receipts().cloned().collect(),
        }
    }

    fn failed(code: FailureCode) -> ObjectOutcome {
        ObjectOutcome::Failed(Failure::new(code, "detail"))
    }

    #[test]
    fn counts_map_and_list_agree() {
        let mut settled = SettledObjects::default();
        settled.settle(0, (key("a"), &object("a")), copied(CopyNotes::default()));
        settled.settle(
            2,
            (key("c"), &object("c")),
            failed(FailureCode::AccessDenied),
        );
        settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
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
        settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
        let recorded = settled.outcome().clone();
        settled.settle(5, (key("f"), &object("f")), failed(FailureCode::Throttled));
        let resumed = SettledObjects::resume(recorded.clone(), lists(&settled)).unwrap();
        assert_eq!(resumed.outcome(), &recorded);
        assert_eq!(resumed.failures().len(), 1);
    }

    #[test]
    fn a_list_that_lost_a_failed_object_is_refused() {
        let mut settled = SettledObjects::default();
        settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
        let lost = SettledLists {
            failed: Vec::new(),
            ..lists(&settled)
        };
        let refused = SettledObjects::resume(settled.outcome().clone(), lost).unwrap_err();
        assert_eq!(refused.code, FailureCode::InvariantViolated);
    }

    #[test]
    fn notes_are_counted_listed_and_resumed() {
        let mut settled = SettledObjects::default();
        let notes = CopyNotes {
            notes: vec![Note::ProvenByEtag, Note::TagsLeftBehind],
            newer: None,
        };
        settled.settle(0, (key("a"), &object("a")), copied(notes));
        let outcome = settled.outcome().clone();
        assert_eq!(outcome.notes["proven_by_etag"], 1);
        let listed = lists(&settled);
        let resumed = SettledObjects::resume(outcome.clone(), listed.clone()).unwrap();
        assert_eq!(resumed.notes().len(), 1);
        let lost = SettledLists {
            noted: Vec::new(),
            ..listed
        };
        assert!(SettledObjects::resume(outcome, lost).is_err());
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
        settled.settle(0, (key("a"), &object("a")), copied(copy));
        settled.settle(
            1,
            (key("b"), &object("b")),
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
    fn receipts_sum_to_what_the_record_vouches_for() {
        let mut settled = SettledObjects::default();
        let notes = CopyNotes {
            notes: vec![Note::TagsLeftBehind, Note::ProvenByParts],
            newer: None,
        };
        settled.settle(0, (key("a"), &object("a")), copied(notes));
        settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
        let mut expected = SetSum::default();
        expected.add_object("a", &version().etag, 7);
        assert_eq!(settled.outcome().vouched, expected);
        let listed = lists(&settled);
        assert_eq!(listed.receipts[0].proof, Some(Note::ProvenByParts));
        assert_eq!(listed.receipts[1].reason.as_deref(), Some("Throttled"));

        let recorded = settled.outcome().clone();
        settled.settle(2, (key("c"), &object("c")), copied(CopyNotes::default()));
        let resumed = SettledObjects::resume(recorded.clone(), lists(&settled)).unwrap();
        assert_eq!(
            resumed.receipts().len(),
            2,
            "what the record does not count is open"
        );
        let distortions: [fn(&mut SettledLists); 3] = [
            |lists| lists.receipts[0].size = Some(8),
            |lists| drop(lists.receipts.remove(0)),
            |lists| drop(lists.receipts.remove(1)),
        ];
        for distort in distortions {
            let mut distorted = listed.clone();
            distort(&mut distorted);
            let refused = SettledObjects::resume(recorded.clone(), distorted).unwrap_err();
            assert_eq!(refused.code, FailureCode::InvariantViolated);
        }
    }

    #[test]
    fn what_is_deleted_stands_beside_no_more() {
        let mut sum = SetSum::default();
        sum.add_object("b", &ETag::new("e").unwrap(), 7);
        let left = sum;
        sum.add_object("a", &ETag::new("e").unwrap(), 7);
        let outcome = ShardOutcome {
            beside: sum,
            ..ShardOutcome::default()
        };
        let mut settled = SettledObjects::resume(outcome, SettledLists::default()).unwrap();
        settled.settle(0, (key("a"), &object("a")), ObjectOutcome::Deleted);
        settled.settle(
            1,
            (key("b"), &object("b")),
            failed(FailureCode::AccessDenied),
        );
        assert_eq!(settled.outcome().beside, left);
    }

    #[test]
    #[should_panic(expected = "settled twice")]
    fn an_object_has_one_outcome() {
        let mut settled = SettledObjects::default();
        settled.settle(0, (key("a"), &object("a")), copied(CopyNotes::default()));
        settled.settle(0, (key("a"), &object("a")), failed(FailureCode::Throttled));
    }
}
