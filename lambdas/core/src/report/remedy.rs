//! Which run does what this run left undone.

use serde_json::json;

use super::{asked_input::AskedInput, run_report::Report, verdict::Verdict};
use crate::{failure::FailureCode, run::option::Mode, value::id::RunId};

/// The run that does what this one left undone, once the cause is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// A rerun: it covers what failed and what has no outcome.
    Rerun {
        /// The run to rerun.
        of: RunId,
    },
    /// An ordinary run over the same pair: the target lacks more than what failed. It deletes nothing.
    Ordinary {
        /// What the run was asked to do, if the report says it.
        asked: Option<AskedInput>,
        /// How it compares: a sync, or a copy of everything where objects differ that a sync would take for the same.
        mode: Mode,
    },
}

impl Report {
    /// What to start after this run. Nothing after a run that left nothing undone, that broke before it had a plan (it is
    /// started again), or whose own records cannot be trusted. A rerun without a plan cannot be rerun, and left everything
    /// to the run that it was of.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        let is_broken = self.leading_code() == FailureCode::InvariantViolated.name();
        if self.verdict != Verdict::Incomplete || is_broken {
            return None;
        }
        let is_planned = self.shards.total > 0 || self.copy_seconds.is_some();
        if !is_planned {
            return self.rerun_of.clone().map(|of| Remedy::Rerun { of });
        }
        // A sync takes an object of the same size that was written later for the same.
        let replaced = self.verified.content > 0;
        Some(if !self.target_agrees() {
            Remedy::Ordinary {
                asked: self.input.clone(),
                mode: if replaced { Mode::Copy } else { Mode::Sync },
            }
        } else {
            Remedy::Rerun {
                of: self.rest_of.as_ref().unwrap_or(&self.run_id).clone(),
            }
        })
    }
}

impl Remedy {
    /// The input of that run as JSON, as a person pastes it into the console.
    #[must_use]
    pub fn input(&self) -> String {
        match self {
            Self::Rerun { of } => json!({"rerun_of": of}),
            Self::Ordinary {
                asked: Some(asked),
                mode,
            } => return asked.in_mode(*mode),
            // Also after a mirror: one without the filters of this run would delete what they protect.
            Self::Ordinary { asked: None, mode } => json!({"mode": mode}),
        }
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::{CopySeconds, NotPlanned, run_report::tests::report},
        value::tally::Count,
    };

    fn incomplete(failed: u64, missing: u64) -> Report {
        let mut report = report();
        report.verdict = Verdict::Incomplete;
        report.shards.total = 3;
        for _ in 0..failed {
            report.failed.add_object(FailureCode::AccessDenied, 1);
        }
        report.verified.missing = missing;
        report
    }

    #[test]
    fn what_failed_is_rerun_and_what_nobody_knows_of_takes_an_ordinary_run() {
        let input = |report: &Report| report.remedy().map(|remedy| remedy.input());
        let rerun = Some(r#"{"rerun_of":"nightly-1"}"#.to_owned());
        assert_eq!(input(&incomplete(2, 0)), rerun);
        let sync = Some(r#"{"mode":"sync"}"#.to_owned());
        assert_eq!(input(&incomplete(2, 1)), sync);
        let mut replaced = incomplete(0, 1);
        (replaced.verified.different, replaced.verified.content) = (1, 1);
        let copy = Some(r#"{"mode":"copy"}"#.to_owned());
        assert_eq!(input(&replaced), copy, "a sync may take it for the same");
        let mut mirror = incomplete(0, 1);
        mirror.mode = Some(Mode::Mirror);
        assert_eq!(
            input(&mirror),
            sync,
            "what its filters protect is not deleted"
        );
    }

    #[test]
    fn a_rerun_that_broke_before_its_plan_leads_to_a_rerun_of_the_same_run() {
        let mut broken = incomplete(0, 0);
        broken.shards.total = 0;
        broken.rerun_of = Some(RunId::new("earlier").unwrap());
        let of = RunId::new("earlier").unwrap();
        assert_eq!(broken.remedy(), Some(Remedy::Rerun { of }));
        // With a plan in which nothing was left to do, it can be rerun itself.
        broken.copy_seconds = Some(CopySeconds {
            estimated: 0,
            estimated_max: None,
            counted: None,
        });
        let of = RunId::new("nightly-1").unwrap();
        assert_eq!(broken.remedy(), Some(Remedy::Rerun { of }));
    }

    #[test]
    fn a_rerun_of_chosen_shards_leads_to_the_others() {
        let mut chosen = incomplete(0, 0);
        chosen.rerun_of = Some(RunId::new("earlier").unwrap());
        chosen.rest_of = Some(RunId::new("first").unwrap());
        chosen.not_planned = Some(NotPlanned {
            not_chosen: Count {
                objects: 4,
                bytes: 4,
            },
            ..NotPlanned::default()
        });
        let of = RunId::new("first").unwrap();
        assert_eq!(chosen.remedy(), Some(Remedy::Rerun { of }));
    }

    #[test]
    fn nothing_is_to_be_started_where_nothing_helps() {
        let mut complete = incomplete(0, 0);
        complete.verdict = Verdict::Complete;
        assert_eq!(complete.remedy(), None);
        let mut unplanned = incomplete(0, 0);
        unplanned.shards.total = 0;
        assert_eq!(unplanned.remedy(), None);
        let mut contradictory = incomplete(0, 0);
        contradictory
            .failed
            .add_object(FailureCode::InvariantViolated, 1);
        assert_eq!(contradictory.remedy(), None);
    }
}
