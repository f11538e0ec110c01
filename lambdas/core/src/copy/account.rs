//! What a copier keeps about its shard between two writes of the record.

use std::collections::BTreeMap;

use crate::{
    failure::Failure, failure_list::FailedObject, object::ListedObject, shard::ShardOutcome,
};

/// What became of one planned object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectOutcome {
    /// The planned version is at the target.
    Copied,
    /// It is not, and this is why.
    Failed(Failure),
}

/// The settled objects of a shard and the story of the failed ones. Every object is settled once (P4).
#[derive(Debug, Clone, Default)]
pub struct ShardAccount {
    outcome: ShardOutcome,
    failures: BTreeMap<u32, FailedObject>,
}

impl ShardAccount {
    /// Goes on with the account of the copier before. Its list of failed objects is written before the record, so it may
    /// know of objects that the record does not: those are open, and are copied again.
    ///
    /// # Errors
    /// `InvariantViolated` when a failed object that the record counts is not in the list.
    pub fn resume(
        outcome: ShardOutcome,
        listed: impl IntoIterator<Item = FailedObject>,
    ) -> Result<Self, Failure> {
        let failures: BTreeMap<u32, FailedObject> = listed
            .into_iter()
            .filter(|failed| outcome.progress.is_settled(failed.index))
            .map(|failed| (failed.index, failed))
            .collect();
        if failures.len() as u64 != outcome.tally.failed.objects {
            return Err(Failure::invariant(format!(
                "the record counts {} failed objects, its list {:?} has {}",
                outcome.tally.failed.objects,
                outcome.failures_key,
                failures.len()
            )));
        }
        Ok(Self { outcome, failures })
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
            ObjectOutcome::Copied => tally.copied.add_object(object.size_bytes),
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

    /// What the record is to say, requests, uploads and the list's place aside.
    #[must_use]
    pub fn outcome(&self) -> &ShardOutcome {
        &self.outcome
    }

    /// The failed objects in the order of the manifest.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = &FailedObject> {
        self.failures.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::FailureCode, key::ObjectKey, object::ETag, time::Timestamp};

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
        account.settle(0, &object("a"), ObjectOutcome::Copied);
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

        let resumed = ShardAccount::resume(recorded.clone(), list).unwrap();
        assert_eq!(resumed.outcome(), &recorded);
        assert_eq!(resumed.failures().len(), 1);
    }

    #[test]
    fn a_list_that_lost_a_failed_object_is_refused() {
        let mut account = ShardAccount::default();
        account.settle(1, &object("b"), failed(FailureCode::Throttled));
        let refused = ShardAccount::resume(account.outcome().clone(), []).unwrap_err();
        assert_eq!(refused.code, FailureCode::InvariantViolated);
    }

    #[test]
    #[should_panic(expected = "settled twice")]
    fn an_object_has_one_outcome() {
        let mut account = ShardAccount::default();
        account.settle(0, &object("a"), ObjectOutcome::Copied);
        account.settle(0, &object("a"), failed(FailureCode::Throttled));
    }
}
