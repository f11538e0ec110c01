//! What a copier keeps about its shard between two writes of the record.

use std::collections::BTreeMap;

use super::remark::{Remark, RemarkedObject};
use crate::{
    documents::failure_list::FailedObject, failure::Failure, shard::ShardOutcome,
    value::object::ListedObject,
};

/// What became of one planned object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectOutcome {
    /// The planned version is at the target.
    Copied(Vec<Remark>),
    /// The object is no longer at the target, as a mirror is to have it.
    Deleted,
    /// It is not, and this is why.
    Failed(Failure),
}

/// The settled objects of a shard and the story of the failed ones. Every object is settled once (P4).
#[derive(Debug, Clone, Default)]
pub struct ShardAccount {
    outcome: ShardOutcome,
    failures: BTreeMap<u32, FailedObject>,
    remarks: BTreeMap<u32, RemarkedObject>,
}

impl ShardAccount {
    /// Goes on with the account of the copier before. Its lists are written before the record, so they may know of
    /// objects that the record does not: those are open, and are copied again.
    ///
    /// # Errors
    /// `InvariantViolated` when a list lacks an object that the record counts.
    pub fn resume(
        outcome: ShardOutcome,
        failed: impl IntoIterator<Item = FailedObject>,
        remarked: impl IntoIterator<Item = RemarkedObject>,
    ) -> Result<Self, Failure> {
        let is_settled = |index: u32| outcome.progress.is_settled(index);
        let failures: BTreeMap<u32, FailedObject> = failed
            .into_iter()
            .filter(|failed| is_settled(failed.index))
            .map(|failed| (failed.index, failed))
            .collect();
        let remarks: BTreeMap<u32, RemarkedObject> = remarked
            .into_iter()
            .filter(|remarked| is_settled(remarked.index))
            .map(|remarked| (remarked.index, remarked))
            .collect();
        let counted = outcome.tally.failed.objects;
        let said = remarks
            .values()
            .map(|object| object.remarks.len() as u64)
            .sum::<u64>();
        if failures.len() as u64 != counted || said != outcome.remarks.values().sum::<u64>() {
            return Err(Failure::invariant(format!(
                "the record counts {counted} failed objects and the remarks {:?}, its lists {:?} and {:?} have {} and {said}",
                outcome.remarks,
                outcome.failures_key,
                outcome.remarks_key,
                failures.len(),
            )));
        }
        Ok(Self {
            outcome,
            failures,
            remarks,
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
            ObjectOutcome::Copied(remarks) => {
                tally.copied.add_object(object.size_bytes);
                self.remark(index, object, remarks);
            }
            ObjectOutcome::Deleted => tally.deleted.add_object(object.size_bytes),
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

    fn remark(&mut self, index: u32, object: &ListedObject, remarks: Vec<Remark>) {
        if remarks.is_empty() {
            return;
        }
        for remark in &remarks {
            let count = self.outcome.remarks.entry(remark.word().to_owned());
            *count.or_default() += 1;
        }
        let key = object.key.clone();
        self.remarks.insert(
            index,
            RemarkedObject {
                index,
                key,
                remarks,
            },
        );
    }

    /// What the record is to say, requests, uploads and the list's place aside.
    #[must_use]
    pub fn outcome(&self) -> &ShardOutcome {
        &self.outcome
    }

    /// The objects with something to say of them, in the order of the manifest.
    pub fn remarks(&self) -> impl ExactSizeIterator<Item = &RemarkedObject> {
        self.remarks.values()
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
        value::{key::ObjectKey, object::ETag, time::Timestamp},
    };

    fn object(key: &str) -> ListedObject {
        ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes: 7,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
        }
    }

    fn failed(code: FailureCode) -> ObjectOutcome {
        ObjectOutcome::Failed(Failure::new(code, "detail"))
    }

    #[test]
    fn counts_map_and_list_agree() {
        let mut account = ShardAccount::default();
        account.settle(0, &object("a"), ObjectOutcome::Copied(Vec::new()));
        account.settle(2, &object("c"), failed(FailureCode::AccessDenied));
        account.settle(1, &object("b"), failed(FailureCode::Throttled));
        let outcome = account.outcome();
        assert_eq!(
            outcome.tally.settled_objects(),
            outcome.progress.settled_count()
        );
        assert_eq!(outcome.retryable, 1);
        let indices: Vec<u32> = account.failures().map(|failed| failed.index).collect();
        assert_eq!(indices, [1, 2]);
    }

    #[test]
    fn an_account_resumes_with_what_the_record_settled_and_no_more() {
        let mut account = ShardAccount::default();
        account.settle(1, &object("b"), failed(FailureCode::Throttled));
        let recorded = account.outcome().clone();
        account.settle(5, &object("f"), failed(FailureCode::Throttled));
        let list: Vec<FailedObject> = account.failures().cloned().collect();

        let resumed = ShardAccount::resume(recorded.clone(), list, []).unwrap();
        assert_eq!(resumed.outcome(), &recorded);
        assert_eq!(resumed.failures().len(), 1);
    }

    #[test]
    fn a_list_that_lost_a_failed_object_is_refused() {
        let mut account = ShardAccount::default();
        account.settle(1, &object("b"), failed(FailureCode::Throttled));
        let refused = ShardAccount::resume(account.outcome().clone(), [], []).unwrap_err();
        assert_eq!(refused.code, FailureCode::InvariantViolated);
    }

    #[test]
    fn remarks_are_counted_listed_and_resumed() {
        let mut account = ShardAccount::default();
        let said = vec![Remark::ProvenByEtag, Remark::TagsLeftBehind];
        account.settle(0, &object("a"), ObjectOutcome::Copied(said));
        let outcome = account.outcome().clone();
        assert_eq!(outcome.remarks["proven_by_etag"], 1);
        let listed: Vec<RemarkedObject> = account.remarks().cloned().collect();
        let resumed = ShardAccount::resume(outcome.clone(), [], listed).unwrap();
        assert_eq!(resumed.remarks().len(), 1);
        assert!(ShardAccount::resume(outcome, [], []).is_err());
    }

    #[test]
    #[should_panic(expected = "settled twice")]
    fn an_object_has_one_outcome() {
        let mut account = ShardAccount::default();
        account.settle(0, &object("a"), ObjectOutcome::Copied(Vec::new()));
        account.settle(0, &object("a"), failed(FailureCode::Throttled));
    }
}
