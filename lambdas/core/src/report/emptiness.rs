//! Whether a run found any object at all.

use super::run_report::Report;
use crate::value::{skips::SkipReason, tally::Count};

/// Why no object of the source takes part in a run. Such a run is COMPLETE like one that is in step, and hardly ever meant:
/// a typo in a prefix or a filter looks like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptiness {
    /// There is no object under the source prefix.
    Source,
    /// There are these objects, and the filters leave all of them out.
    Filters(Count),
}

impl Report {
    /// Why no object takes part. Nothing when one does, before there is a plan, in a rerun and in a run
    /// from a list, which list nothing, and in a report from before filtered objects were counted.
    #[must_use]
    pub fn emptiness(&self) -> Option<Emptiness> {
        let is_listed =
            self.copy_seconds.is_some() && self.rerun_of.is_none() && self.list.is_none();
        let compared = self.audit.map_or(0, |audit| audit.source.objects);
        let skipped = &self.skipped.count;
        // The marker of a prefix alone is no content.
        let markers = skipped.by_reason.get(&SkipReason::RootMarker).copied();
        let others = skipped.objects.saturating_sub(markers.unwrap_or(0));
        if !is_listed || self.planned.objects > 0 || compared > 0 || others > 0 {
            return None;
        }
        self.filtered.map(|filtered| match filtered.objects {
            0 => Emptiness::Source,
            _ => Emptiness::Filters(filtered),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        plan::AuditSums,
        report::{CopySeconds, Verdict, run_report::tests::report},
        value::id::RunId,
    };

    #[test]
    fn an_audit_in_which_every_key_differs_is_not_empty() {
        let mut audit = AuditSums::default();
        assert_eq!(
            Report {
                audit: Some(audit),
                ..empty(0)
            }
            .emptiness(),
            Some(Emptiness::Source)
        );
        audit.source.objects = 2;
        let audited = Report {
            audit: Some(audit),
            ..empty(0)
        };
        assert_eq!(audited.emptiness(), None);
    }

    /// The report of a complete run that planned nothing and filtered so many objects out.
    pub(crate) fn empty(filtered: u64) -> Report {
        Report {
            verdict: Verdict::Complete,
            filtered: Some(Count {
                objects: filtered,
                bytes: filtered,
            }),
            copy_seconds: Some(CopySeconds {
                estimated: 0,
                estimated_max: None,
                counted: None,
            }),
            ..report()
        }
    }

    #[test]
    fn an_empty_source_and_filters_that_admit_nothing_are_told_apart() {
        assert_eq!(empty(0).emptiness(), Some(Emptiness::Source));
        let filtered = empty(3).filtered.unwrap();
        assert_eq!(empty(3).emptiness(), Some(Emptiness::Filters(filtered)));
    }

    #[test]
    fn what_is_in_step_not_planned_or_a_rerun_is_not_empty() {
        let mut in_step = empty(3);
        in_step.skipped.count.objects = 1;
        assert_eq!(in_step.emptiness(), None);
        assert_eq!(report().emptiness(), None, "there is no plan");
        let mut rerun = empty(0);
        rerun.rerun_of = Some(RunId::new("earlier").unwrap());
        assert_eq!(rerun.emptiness(), None);
    }
}
