//! Whether the counts of a report add up (P4).

use super::run_report::Report;
use crate::failure::Failure;

impl Report {
    /// The sums of this report that do not add up, as one failure. Nothing when all do.
    ///
    /// What was planned is copied, failed, or skipped after it was planned; deletions and what the filters left out stand
    /// apart. A dry run planned and did nothing, so `is_dry` leaves its plan out.
    #[must_use]
    pub fn imbalance(&self, is_dry: bool) -> Option<Failure> {
        let mut wrong = Vec::new();
        let mut check = |what: &str, whole: u64, parts: &[u64]| {
            // A sum beyond 64 bits is wrong too.
            let sum = parts
                .iter()
                .try_fold(0_u64, |sum, &part| sum.checked_add(part));
            if sum != Some(whole) {
                wrong.push(format!("{what}: {whole} is not the sum of {parts:?}"));
            }
        };
        let failed = &self.failed;
        let reasons: Vec<u64> = failed.by_reason.values().copied().collect();
        check("failed.objects by reason", failed.objects, &reasons);
        let skipped = &self.skipped.count;
        let reasons: Vec<u64> = skipped.by_reason.values().copied().collect();
        check("skipped.objects by reason", skipped.objects, &reasons);
        let deleted = &self.deleted;
        let reasons: Vec<u64> = deleted.failed_by_reason.values().copied().collect();
        check("deleted.failed by reason", deleted.failed, &reasons);
        if !is_dry {
            let late = self.skipped.after_planning;
            let parts = [self.copied.objects, failed.objects, late.objects];
            check("planned.objects", self.planned.objects, &parts);
            // The copied bytes are those of the versions that arrived.
            let planned = self.planned.bytes.saturating_add(self.copied_newer.bytes);
            let planned = planned.saturating_sub(self.copied_newer.planned_bytes);
            let parts = [self.copied.bytes, failed.bytes, late.bytes];
            check("planned.bytes, newer versions apart", planned, &parts);
            let parts = [
                deleted.objects,
                deleted.held,
                deleted.failed,
                deleted.back_at_source,
            ];
            check("deleted.planned", deleted.planned, &parts);
        }
        let newer = self.copied_newer;
        if newer.objects > self.copied.objects {
            wrong.push(format!(
                "copied_newer.objects: {} of {} copied",
                newer.objects, self.copied.objects
            ));
        }
        if self.skipped.after_planning.objects > skipped.objects {
            wrong.push("skipped.after_planning: more than skipped.objects".to_owned());
        }
        (!wrong.is_empty()).then(|| {
            Failure::invariant(format!(
                "the sums of the report do not add up: {}",
                wrong.join("; ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{
        documents::receipt::TargetVersion,
        failure::FailureCode,
        report::{draft::ReportDraft, run_report::tests::report, settlement::Settlement},
        run::event::ReporterEvent,
        shard::{
            ShardRecord, ShardState, ShardWork,
            note::ArrivedVersion,
            settled_objects::{CopyNotes, ObjectOutcome, SettledObjects},
        },
        value::{
            bucket::BucketName,
            id::{RunId, ShardId},
            key::{ObjectKey, RelativeKey},
            object::{ETag, ListedObject},
            skips::SkipReason,
            storage::ObjectStorage,
            tally::Count,
            time::Timestamp,
        },
    };

    fn written(size_bytes: u64) -> TargetVersion {
        TargetVersion {
            etag: ETag::new("t").unwrap(),
            version_id: None,
            size_bytes,
        }
    }

    fn outcome(kind: u8, deletes: bool, newer_bytes: u64) -> Option<ObjectOutcome> {
        let failure = |code| ObjectOutcome::Failed(crate::failure::Failure::new(code, ""));
        Some(match (kind, deletes) {
            (0, false) => ObjectOutcome::Copied(written(7), CopyNotes::default()),
            (1, false) => {
                let newer = Some(ArrivedVersion {
                    etag: ETag::new("newer").unwrap(),
                    size_bytes: newer_bytes,
                });
                let notes = Vec::new();
                ObjectOutcome::Copied(written(newer_bytes), CopyNotes { notes, newer })
            }
            (2, false) => ObjectOutcome::Skipped(SkipReason::GoneAtSource),
            (3, false) => ObjectOutcome::Skipped(SkipReason::FilteredSince),
            (0 | 1, true) => ObjectOutcome::Deleted,
            (2 | 3, true) => ObjectOutcome::Skipped(SkipReason::BackAtSource),
            (4, _) => failure(FailureCode::Throttled),
            (5, _) => failure(FailureCode::AccessDenied),
            // Without an outcome.
            _ => return None,
        })
    }

    /// A shard whose objects have these outcomes; its copier stopped if one has none, and never began if `is_idle`.
    fn shard(
        number: usize,
        deletes: bool,
        is_idle: bool,
        objects: &[(u8, u64, u64)],
    ) -> ShardRecord {
        let mut settled = SettledObjects::default();
        let mut planned = Count::default();
        for (index, &(kind, size_bytes, newer_bytes)) in objects.iter().enumerate() {
            planned.add_object(size_bytes);
            let object = ListedObject {
                key: ObjectKey::new("k").unwrap(),
                size_bytes,
                etag: ETag::new("e").unwrap(),
                modified_at: Timestamp::default(),
                storage: ObjectStorage::default(),
                version_id: None,
            };
            if let Some(outcome) = outcome(kind, deletes, newer_bytes).filter(|_| !is_idle) {
                let at = (RelativeKey::new("k").unwrap(), &object);
                settled.settle(u32::try_from(index).unwrap(), at, outcome);
            }
        }
        let work = if deletes {
            ShardWork::DeleteObjects
        } else {
            ShardWork::CopyObjects
        };
        let id = ShardId::new(format!("1-{number}")).unwrap();
        let mut record = ShardRecord::ready(RunId::new("run").unwrap(), id, work, planned, 0);
        record.outcome = settled.outcome().clone();
        record.outcome.failures_key = Some("list".into());
        record.attempts = u32::from(!is_idle);
        if record.outcome.tally.settled_objects() == planned.objects {
            record.state = ShardState::Done;
        } else if number.is_multiple_of(2) {
            record.problem = Some(crate::failure::Failure::new(
                FailureCode::RoleUnavailable,
                "",
            ));
        }
        record
    }

    proptest! {
        /// Every report adds up, whatever became of the objects.
        #[test]
        fn random_outcomes_add_up_in_the_report(
            shards in prop::collection::vec(
                (any::<bool>(), any::<bool>(), prop::collection::vec((0_u8..8, 0_u64..1_000, 0_u64..1_000), 0..12)),
                0..8,
            ),
        ) {
            let mut sums = Settlement::default();
            for (number, (deletes, is_idle, objects)) in shards.iter().enumerate() {
                sums.add(&shard(number, *deletes, *is_idle, objects));
            }
            prop_assert_eq!(sums.contradiction(), None);
            let event: ReporterEvent =
                serde_json::from_str(include_str!("../../../../statemachine/fixtures/reporter-event.json")).unwrap();
            let mut draft = ReportDraft::default();
            draft.sums = sums;
            let control = BucketName::new("control").unwrap();
            let report = draft.into_report(&event, None, &control, Timestamp::default());
            prop_assert_eq!(report.imbalance(false), None);
            prop_assert_eq!(report.problem, None);
        }
    }

    #[test]
    fn a_sum_that_does_not_add_up_is_an_invariant_violated() {
        let mut wrong = report();
        wrong.planned.objects = 2;
        wrong.copied.objects = 1;
        let failure = wrong.imbalance(false).unwrap();
        assert_eq!(failure.code, FailureCode::InvariantViolated);
        assert!(failure.detail.contains("planned.objects: 2"), "{failure}");
        assert_eq!(wrong.imbalance(true), None, "a dry run copies nothing");
        let mut unexplained = report();
        unexplained.deleted.planned = 1;
        unexplained.deleted.failed = 1;
        assert!(unexplained.imbalance(true).is_some());
    }
}
