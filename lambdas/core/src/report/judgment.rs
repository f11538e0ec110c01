//! How the verdict of a run follows from the rest of its report.

use super::{run_report::Report, verdict::Verdict};
use crate::{
    failure::FailureCode,
    run::{event::ReporterStatus, option::Mode},
};

impl Report {
    /// This report with the verdict that the rest of it supports. COMPLETE needs every planned object copied, skipped or
    /// deleted, every shard done, and a verification that agrees.
    ///
    /// A rerun of some shards is not COMPLETE while the others have something undone, and no listing shows that they were
    /// done since: a failed object may be at the target with the right size and a later time, and an object that changed
    /// after the earlier run began does not count as missing.
    #[must_use]
    pub fn judged(mut self, dry_run: bool) -> Self {
        let settled = self.failed.objects == 0
            && self.deleted.failed == 0
            && self.shards.done == self.shards.total
            && self.deleted.exceeds.is_none();
        let is_whole = self.not_chosen() == 0;
        self.verdict = if self.problem.is_some() {
            Verdict::Incomplete
        } else if dry_run {
            Verdict::Planned
        } else if settled && is_whole && self.target_agrees() {
            Verdict::Complete
        } else {
            Verdict::Incomplete
        };
        self
    }

    /// Whether the target holds what the run vouches for. That of a mirror, and of an audit, holds nothing else that the
    /// filters admit.
    pub(super) fn target_agrees(&self) -> bool {
        let may_hold_more = !matches!(self.mode, Some(Mode::Mirror | Mode::Audit));
        self.verified.agrees() && (may_hold_more || self.verified.foreign == 0)
    }

    /// Where the state machine goes with this report. `broken` means that planning or copying broke.
    #[must_use]
    pub fn status(&self, broken: bool) -> ReporterStatus {
        match self.verdict {
            Verdict::Complete => ReporterStatus::Complete,
            Verdict::Planned => ReporterStatus::Planned,
            Verdict::Incomplete if broken => ReporterStatus::Failed,
            Verdict::Incomplete => ReporterStatus::Incomplete,
        }
    }

    /// The code that explains best why the run is incomplete; empty when it is not.
    #[must_use]
    pub fn leading_code(&self) -> String {
        if self.verdict != Verdict::Incomplete {
            return String::new();
        }
        if let Some(problem) = &self.problem {
            return problem.code.clone();
        }
        let failed = self.failed.most_frequent_first();
        let leading = failed.first().copied();
        match leading.or_else(|| self.deleted.failures_first().first().copied()) {
            Some((code, _)) => code.name(),
            None if self.only_holds_deletions() => FailureCode::DeleteLimitExceeded.name(),
            None if self.target_agrees() => FailureCode::ServiceFault.name(),
            None => FailureCode::TargetDiffers.name(),
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        failure::FailureCode,
        report::{NotPlanned, Report, Verdict, Verification, run_report::tests::report},
        run::option::Verify,
        value::{id::RunId, tally::Count},
    };

    fn rerun(not_planned: NotPlanned, verify: Verify) -> Report {
        Report {
            rerun_of: Some(RunId::new("earlier").unwrap()),
            not_planned: Some(not_planned),
            verified: Verification::clean(verify),
            ..report()
        }
        .judged(false)
    }

    #[test]
    fn a_rerun_of_some_shards_is_not_complete_whatever_a_listing_finds() {
        let some = NotPlanned {
            not_chosen: Count {
                objects: 2,
                bytes: 9,
            },
            ..NotPlanned::default()
        };
        for verify in [Verify::Relist, Verify::Checksum, Verify::None] {
            let of_some = rerun(some, verify);
            assert_eq!(of_some.verdict, Verdict::Incomplete, "{verify:?}");
            assert_eq!(
                of_some.headline().to_string(),
                "INCOMPLETE: 2 objects left undone in shards that were not chosen"
            );
            let of_all = rerun(NotPlanned::default(), verify);
            assert_eq!(of_all.verdict, Verdict::Complete, "{verify:?}");
        }
    }

    #[test]
    fn the_most_frequent_reason_leads_and_of_equals_the_first_code() {
        let mut incomplete = report();
        for code in [FailureCode::Throttled, FailureCode::SourceChanged] {
            incomplete.failed.add_object(code, 1);
        }
        assert_eq!(incomplete.leading_code(), "SourceChanged");
        incomplete.failed.add_object(FailureCode::Throttled, 1);
        assert_eq!(incomplete.leading_code(), "Throttled");
    }
}
