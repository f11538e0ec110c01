//! What a person does after a run.

use crate::{
    failure::FailureCode,
    report::{asked_input::AskedInput, remedy::Remedy, run_report::Report, verdict::Verdict},
    run::record::{RunRecord, RunState},
    value::{id::RunId, time::Timestamp},
};

/// What a person does after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Keep the documents of a run whose records contradict each other.
    SaveDocuments,
    /// Read which objects failed.
    ListFailures,
    /// Find out why shards are not finished.
    InspectShards,
    /// Leave the copiers of a stopped run the time to end.
    WaitForCopiers(Timestamp),
    /// Start the same run again.
    StartAgain(Option<AskedInput>),
    /// Start the run again with another input: this one was refused.
    StartCorrected,
    /// Start the run that does what this one left undone.
    Start(Remedy),
    /// Allow a mirror to delete more, if that is meant.
    AllowDeletions,
    /// Copy, after a dry run.
    StartCopying(Option<AskedInput>),
    /// Decide about objects that the source lacks, after an audit that found nothing else.
    DecideAboutExtras,
}

impl NextStep {
    /// The steps after a run, in the order in which they are taken; none after a complete run.
    pub(super) fn all_of(report: &Report) -> Vec<Self> {
        match report.verdict {
            Verdict::Complete => return Vec::new(),
            Verdict::Planned => return vec![Self::StartCopying(report.input.clone())],
            Verdict::Incomplete if report.only_holds_deletions() => {
                return vec![Self::AllowDeletions];
            }
            Verdict::Incomplete if report.audit.is_some() && report.verified.agrees() => {
                return vec![Self::DecideAboutExtras];
            }
            Verdict::Incomplete => {}
        }
        let invariant = FailureCode::InvariantViolated;
        let is_contradictory = report.leading_code() == invariant.name()
            || report.failed.by_reason.contains_key(&invariant)
            || report.deleted.failed_by_reason.contains_key(&invariant);
        let read = if is_contradictory {
            Some(Self::SaveDocuments)
        } else {
            (report.failed.objects + report.deleted.failed > 0).then_some(Self::ListFailures)
        };
        let has_unfinished_shards = report.shards.done < report.shards.total;
        let inspect = has_unfinished_shards.then_some(Self::InspectShards);
        let start = match report.remedy() {
            Some(remedy) => Some(Self::Start(remedy)),
            None if is_contradictory => None,
            None if report.leading_code() == FailureCode::InvalidRun.name() => {
                Some(Self::StartCorrected)
            }
            None => Some(Self::StartAgain(report.input.clone())),
        };
        let exceeds = report.deleted.exceeds;
        let allow = exceeds.map(|_| Self::AllowDeletions);
        [read, inspect, start, allow]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The steps after a run that ended without a report: it was stopped, timed out, or could not be reported. `record` is
    /// the ledger's, and `copying_until` when its last copier has ended for sure.
    #[must_use]
    pub fn without_report(
        run: &RunId,
        record: Option<&RunRecord>,
        copying_until: Option<Timestamp>,
    ) -> Vec<Self> {
        let is_planned = record.is_some_and(|record| {
            let spec = &record.spec;
            record.state != RunState::Planning && !spec.dry_run && spec.mode.writes()
        });
        if !is_planned {
            return vec![Self::StartAgain(None)];
        }
        let rerun = Self::Start(Remedy::Rerun { of: run.clone() });
        let wait = copying_until.map(Self::WaitForCopiers);
        wait.into_iter().chain([rerun]).collect()
    }

    /// The step as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let sentence = match self {
            Self::SaveDocuments => "Save the documents of this run for the bug report.",
            Self::ListFailures => "See failures.csv for every failed object.",
            Self::InspectShards => {
                "Open the Map Run of the execution: each failed child shows why its shard is not finished."
            }
            Self::WaitForCopiers(until) => {
                return format!(
                    "Wait until {}: a copier of this run may still be working until then.",
                    until.for_people()
                );
            }
            Self::StartAgain(Some(_)) => "Then start the run again.",
            Self::StartAgain(None) => {
                "Then start the run again with the same input, which its execution shows."
            }
            Self::StartCorrected => "Then start the run with the corrected input.",
            Self::Start(Remedy::Rerun { .. }) => {
                "Then start a rerun. It does what is undone and nothing else."
            }
            Self::Start(Remedy::Ordinary { asked: Some(_), .. }) => {
                "The target is not as it should be: see differences.csv for each key. Start an ordinary run over the same pair: it copies whatever is missing or different, and deletes nothing."
            }
            Self::Start(Remedy::Ordinary { asked: None, .. }) => {
                "The target is not as it should be: see differences.csv for each key. Start an ordinary run over the same pair: it copies whatever is missing or different. The input is for the pair of the stack, has no filters and deletes nothing: add what the input of this run named."
            }
            Self::AllowDeletions => {
                "Check that the source is complete. If the deletions are intended, start a run with a higher delete_max_percent or delete_max_objects, or with allow_empty_source if the source is empty on purpose: a rerun does not make them."
            }
            Self::DecideAboutExtras => {
                "See differences.csv for the objects that the source lacks. A sync leaves them; a mirror deletes them, within its limits."
            }
            Self::StartCopying(Some(_)) => "Start the run without dry_run to copy.",
            Self::StartCopying(None) => {
                "Start the run with the same input, but without dry_run, to copy."
            }
        };
        sentence.to_owned()
    }

    /// The input of the execution to start, as JSON; nothing where the step starts none or the input stays the same.
    #[must_use]
    pub fn input(&self) -> Option<String> {
        match self {
            Self::Start(remedy) => Some(remedy.input()),
            Self::StartAgain(asked) => asked.as_ref().map(AskedInput::again),
            Self::StartCopying(asked) => asked.as_ref().map(AskedInput::copying),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ReportedProblem, run_report::tests::report};

    #[test]
    fn a_run_that_failed_leads_from_its_failures_to_its_rerun() {
        let mut failed = report();
        (failed.shards.total, failed.shards.done) = (3, 3);
        failed.failed.add_object(FailureCode::AccessDenied, 1);
        let rerun = NextStep::Start(Remedy::Rerun {
            of: RunId::new("nightly-1").unwrap(),
        });
        assert_eq!(
            NextStep::all_of(&failed),
            [NextStep::ListFailures, rerun.clone()]
        );
        assert_eq!(rerun.input().unwrap(), r#"{"rerun_of":"nightly-1"}"#);
        failed.shards.done = 2;
        assert_eq!(NextStep::all_of(&failed)[1], NextStep::InspectShards);
    }

    #[test]
    fn a_run_that_broke_before_its_plan_is_started_again() {
        let mut broken = report();
        broken.problem = Some(ReportedProblem {
            state: "PlanShards".into(),
            code: "AccessDenied".into(),
            message: String::new(),
            action: String::new(),
        });
        assert_eq!(NextStep::all_of(&broken), [NextStep::StartAgain(None)]);
        broken.problem = broken.problem.map(|problem| ReportedProblem {
            code: "InvalidRun".into(),
            ..problem
        });
        assert_eq!(NextStep::all_of(&broken), [NextStep::StartCorrected]);
    }

    #[test]
    fn a_run_without_a_report_and_a_plan_is_started_again() {
        let run = RunId::new("nightly-1").unwrap();
        let steps = NextStep::without_report(&run, None, None);
        assert_eq!(steps, [NextStep::StartAgain(None)]);
    }

    #[test]
    fn nothing_is_started_after_a_contradiction_and_nothing_done_after_a_complete_run() {
        let mut contradictory = report();
        (contradictory.shards.total, contradictory.shards.done) = (3, 3);
        contradictory
            .failed
            .add_object(FailureCode::InvariantViolated, 1);
        assert_eq!(NextStep::all_of(&contradictory), [NextStep::SaveDocuments]);
        let mut ended = report();
        ended.verdict = Verdict::Complete;
        assert_eq!(NextStep::all_of(&ended), []);
        ended.verdict = Verdict::Planned;
        assert_eq!(NextStep::all_of(&ended), [NextStep::StartCopying(None)]);
    }
}
