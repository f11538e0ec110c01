//! The settled objects of a shard, as its copier keeps them between two writes of the record.

#[cfg(test)]
mod tests;

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
                    version_id: object.version_id.clone(),
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
        receipt.source_version_id.clone_from(&object.version_id);
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
