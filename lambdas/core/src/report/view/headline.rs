//! The first line of a report.

use crate::{
    report::{emptiness::Emptiness, run_report::Report, verdict::Verdict},
    run::option::Verify,
    value::{
        figures::{bytes, counted, grouped},
        tally::Count,
    },
};

/// The verdict and what it comes down to. Displayed as one line: `COMPLETE: 12 objects, 3.0 MiB copied`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// The verdict.
    pub verdict: Verdict,
    /// What it comes down to: a phrase without the verdict.
    pub summary: String,
}

impl std::fmt::Display for Headline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.verdict, self.summary)
    }
}

impl Report {
    /// The verdict and what it comes down to.
    #[must_use]
    pub fn headline(&self) -> Headline {
        Headline {
            verdict: self.verdict,
            summary: summary(self),
        }
    }
}

/// Deletions lead: of all that a run does, they are what a person must see first, and a phone shows some forty characters.
fn summary(report: &Report) -> String {
    let deleted = &report.deleted;
    let rest = summary_without_deletions(report);
    match report.verdict {
        Verdict::Planned if deleted.planned > 0 => {
            format!("{} to delete, {rest}", counted(deleted.planned, "object"))
        }
        _ if deleted.objects > 0 => {
            format!("{} deleted, {rest}", counted(deleted.objects, "object"))
        }
        _ => rest,
    }
}

fn nothing_to_copy(report: &Report) -> String {
    match report.emptiness() {
        None => "nothing to copy".to_owned(),
        Some(Emptiness::Source) => "the source is empty, nothing to copy".to_owned(),
        Some(Emptiness::Filters(filtered)) => format!(
            "the filters leave out all of {}, nothing to copy",
            counted(filtered.objects, "object")
        ),
    }
}

/// Everything that was planned may have been skipped since.
fn copied(report: &Report) -> String {
    if report.copied.objects == 0 {
        return "nothing copied".to_owned();
    }
    format!("{} copied", objects_and_size(report.copied))
}

/// What the target has otherwise than the run vouches for.
fn differing(report: &Report) -> String {
    let found = &report.verified;
    let is_audit = report.audit.is_some();
    let kinds = [
        (found.missing, "missing"),
        (found.different, "different"),
        (found.foreign, if is_audit { "extra" } else { "foreign" }),
    ];
    let kinds: Vec<_> = kinds
        .into_iter()
        .filter(|&(objects, _)| objects > 0)
        .map(|(objects, kind)| format!("{} {kind}", grouped(objects)))
        .collect();
    let least = if found.is_partial { "at least " } else { "" };
    format!("{least}{} at the target", kinds.join(", "))
}

fn objects_and_size(count: Count) -> String {
    format!(
        "{}, {}",
        counted(count.objects, "object"),
        bytes(count.bytes)
    )
}

/// Lines of a list that name nothing, though whoever wrote them meant something: not to be overlooked in a run that went well.
fn wrong_lines(report: &Report) -> String {
    match report.list.as_ref().map_or(0, |list| list.wrong) {
        0 => String::new(),
        wrong => format!(", {} of the list wrong", counted(wrong, "line")),
    }
}

fn summary_without_deletions(report: &Report) -> String {
    if let Some(problem) = &report.problem {
        return format!("{} in {}", problem.code, problem.state);
    }
    match report.verdict {
        Verdict::Planned if report.emptiness().is_some() => nothing_to_copy(report),
        Verdict::Planned => {
            let planned = objects_and_size(report.planned);
            format!("{planned} to copy{}", wrong_lines(report))
        }
        Verdict::Complete if report.audit.is_some() => format!(
            "{} the same on both sides{}",
            counted(report.skipped.count.objects, "object"),
            report
                .compare
                .map_or_else(String::new, |compare| format!(" by {}", compare.name()))
        ),
        Verdict::Complete => {
            let done = if report.planned.objects == 0 {
                nothing_to_copy(report)
            } else {
                copied(report)
            };
            let done = done + &wrong_lines(report);
            match report.verified.method {
                Verify::None => format!("{done}, nothing proven"),
                Verify::Relist | Verify::Checksum => done,
            }
        }
        Verdict::Incomplete if report.failed.objects > 0 => format!(
            "{} of {} failed",
            grouped(report.failed.objects),
            counted(report.planned.objects, "object")
        ),
        Verdict::Incomplete if report.deleted.failed > 0 => format!(
            "{} of {} failed",
            grouped(report.deleted.failed),
            counted(report.deleted.planned, "deletion")
        ),
        Verdict::Incomplete if report.not_chosen() > 0 && report.target_agrees() => format!(
            "{} left undone in shards that were not chosen",
            counted(report.not_chosen(), "object")
        ),
        Verdict::Incomplete if report.only_holds_deletions() => format!(
            "{} held, {}",
            counted(report.deleted.held, "deletion"),
            copied(report)
        ),
        Verdict::Incomplete if report.target_agrees() => format!(
            "{} of {} not finished",
            grouped(report.shards.total.saturating_sub(report.shards.done)),
            counted(report.shards.total, "shard")
        ),
        Verdict::Incomplete => differing(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failure::FailureCode,
        plan::ListCounts,
        report::{emptiness::tests::empty, run_report::tests::report},
        value::tally::Count,
    };

    #[test]
    fn a_run_that_found_nothing_does_not_read_like_one_that_is_in_step() {
        let mut in_step = empty(0);
        in_step.skipped.count.objects = 1;
        assert_eq!(summary(&in_step), "nothing to copy");
        for verdict in [Verdict::Complete, Verdict::Planned] {
            let found = |filtered| {
                summary(&Report {
                    verdict,
                    ..empty(filtered)
                })
            };
            assert_eq!(found(0), "the source is empty, nothing to copy");
            assert_eq!(
                found(1_200),
                "the filters leave out all of 1,200 objects, nothing to copy"
            );
        }
    }

    #[test]
    fn wrong_lines_of_a_list_are_not_overlooked() {
        let mut listed = empty(0);
        listed.skipped.count.objects = 1;
        let mut list = ListCounts {
            objects: 1,
            repeated: 7,
            ..ListCounts::default()
        };
        listed.list = Some(list.clone());
        assert_eq!(summary(&listed), "nothing to copy");
        list.wrong = 100;
        listed.list = Some(list);
        assert_eq!(
            summary(&listed),
            "nothing to copy, 100 lines of the list wrong"
        );
        listed.planned.objects = 1;
        listed.verdict = Verdict::Planned;
        assert_eq!(
            summary(&listed),
            "1 object, 0 bytes to copy, 100 lines of the list wrong"
        );
    }

    #[test]
    fn deletions_come_first() {
        let mut mirror = empty(0);
        mirror.skipped.count.objects = 7;
        (mirror.deleted.planned, mirror.deleted.objects) = (3, 3);
        assert_eq!(summary(&mirror), "3 objects deleted, nothing to copy");
        mirror.planned.objects = 1;
        mirror.copied.objects = 1;
        assert_eq!(
            summary(&mirror),
            "3 objects deleted, 1 object, 0 bytes copied"
        );
        mirror.verdict = Verdict::Incomplete;
        (mirror.shards.total, mirror.shards.done) = (4, 3);
        assert_eq!(
            summary(&mirror),
            "3 objects deleted, 1 of 4 shards not finished"
        );
        mirror.verdict = Verdict::Planned;
        assert_eq!(
            summary(&mirror),
            "3 objects to delete, 1 object, 0 bytes to copy"
        );
        // Not "nothing to copy" alone, whatever else there is to say.
        let mut emptied = empty(0);
        (emptied.deleted.planned, emptied.deleted.objects) = (3, 3);
        assert_eq!(
            summary(&emptied),
            "3 objects deleted, the source is empty, nothing to copy"
        );
    }

    #[test]
    fn failed_deletions_are_set_against_the_deletions_and_not_the_objects_to_copy() {
        let mut mirror = report();
        (mirror.deleted.planned, mirror.deleted.failed) = (7, 3);
        assert_eq!(summary(&mirror), "3 of 7 deletions failed");
        for _ in 0..3 {
            mirror.failed.add_object(FailureCode::AccessDenied, 1);
        }
        mirror.planned = Count {
            objects: 9,
            bytes: 9,
        };
        assert_eq!(summary(&mirror), "3 of 9 objects failed");
    }

    #[test]
    fn a_run_without_failures_says_why_it_is_incomplete() {
        let mut unfinished = report();
        (unfinished.shards.total, unfinished.shards.done) = (4, 3);
        assert_eq!(summary(&unfinished), "1 of 4 shards not finished");
        unfinished.verified.missing = 2;
        assert_eq!(summary(&unfinished), "2 missing at the target");
        unfinished.verified.different = 1_200;
        unfinished.verified.is_partial = true;
        assert_eq!(
            summary(&unfinished),
            "at least 2 missing, 1,200 different at the target"
        );
    }
}
