//! The figures of a report.

use std::time::Duration;

use crate::{
    report::{run_report::Report, verdict::Verdict, view::storage},
    run::option::Verify,
    value::{
        figures::{bytes, counted, duration, grouped, usd},
        tally::Count,
    },
};

/// What the two times of an estimate rest on.
const ESTIMATE_BASIS: &str = ": the longer time at the 3,500 writes per second of one S3 partition, the shorter one once S3 \
    has split the target prefix into enough of them";

/// What a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    /// Objects to copy, and their size.
    Planned,
    /// Objects copied, and their size.
    Copied,
    /// Objects that needed no copy, and their size.
    Skipped,
    /// Planned copies whose storage class is not that of their source; left out when there are none.
    ClassChanged,
    /// Objects that the filters left out, and their size; left out when there are none.
    Filtered,
    /// Objects deleted at the target, and what became of the others that were to be; left out when there are none.
    Deleted,
    /// Objects that failed, and their size.
    Failed,
    /// Objects that verification found missing or different; left out when nothing was verified.
    Verified,
    /// Shards done, and the rounds that took; left out when there is no plan.
    Shards,
    /// From the start of the execution to the report.
    Duration,
    /// From the start of the first shard to the end of the last one, and the estimate of the plan.
    CopyTime,
    /// Requests in USD, and the estimate of the plan.
    RequestCost,
    /// The mode of the run; left out when the input was refused.
    Mode,
}

impl FigureKind {
    /// The label of the figure.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Planned => "Planned",
            Self::Copied => "Copied",
            Self::Skipped => "Skipped",
            Self::ClassChanged => "Class changed",
            Self::Filtered => "Filtered",
            Self::Deleted => "Deleted",
            Self::Failed => "Failed",
            Self::Verified => "Verified",
            Self::Shards => "Shards",
            Self::Duration => "Duration",
            Self::CopyTime => "Copy time",
            Self::RequestCost => "Request cost",
            Self::Mode => "Mode",
        }
    }

    /// Whether the value is a plain number of objects.
    #[must_use]
    pub const fn is_count(self) -> bool {
        matches!(
            self,
            Self::Planned
                | Self::Copied
                | Self::Skipped
                | Self::ClassChanged
                | Self::Filtered
                | Self::Deleted
                | Self::Failed
        )
    }
}

/// A figure, ready to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it is about.
    pub kind: FigureKind,
    /// Its value with its unit; a plain number where it counts objects.
    pub value: String,
    /// What stands smaller beside it, such as the size of the objects or an estimate.
    pub detail: Option<String>,
    /// Whether it shows that something went wrong.
    pub is_bad: bool,
}

impl Figure {
    /// The figures of a report, in the order in which they are shown.
    pub(super) fn all_of(report: &Report) -> Vec<Self> {
        let failed = Count {
            objects: report.failed.objects,
            bytes: report.failed.bytes,
        };
        let took = report.ended_at.since(report.started_at);
        [
            Some(Self::objects(FigureKind::Planned, report.planned)),
            Some(Self::objects(FigureKind::Copied, report.copied)),
            Some(Self::objects(FigureKind::Skipped, report.skipped)),
            Self::class_changed(report),
            report
                .filtered
                .filter(|filtered| filtered.objects > 0)
                .map(|filtered| Self::objects(FigureKind::Filtered, filtered)),
            Self::deleted(report),
            Some(Self {
                is_bad: failed.objects > 0,
                ..Self::objects(FigureKind::Failed, failed)
            }),
            Self::verified(report),
            Self::shards(report),
            Some(
                Self::new(FigureKind::Duration, duration(took))
                    .with(format!("from {}", report.started_at)),
            ),
            Self::copy_time(report),
            Some(Self::request_cost(report)),
            report
                .mode
                .map(|mode| Self::new(FigureKind::Mode, mode.name().to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn new(kind: FigureKind, value: String) -> Self {
        Self {
            kind,
            value,
            detail: None,
            is_bad: false,
        }
    }

    fn with(self, detail: String) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }

    fn objects(kind: FigureKind, count: Count) -> Self {
        Self::new(kind, grouped(count.objects)).with(bytes(count.bytes))
    }

    fn class_changed(report: &Report) -> Option<Self> {
        let changed = storage::class_changed(report)?;
        let figure = Self::new(FigureKind::ClassChanged, grouped(report.class_changed));
        Some(figure.with(changed))
    }

    /// Whatever was to be deleted and is not among the deleted objects is named, so that the figures add up.
    fn deleted(report: &Report) -> Option<Self> {
        let deleted = report.deleted;
        if deleted.objects == 0 && deleted.planned == 0 {
            return None;
        }
        let figure = Self::new(FigureKind::Deleted, grouped(deleted.objects));
        if report.verdict == Verdict::Planned {
            return Some(figure.with(format!("{} planned", grouped(deleted.planned))));
        }
        let others = [
            (deleted.held, "held"),
            (deleted.back_at_source, "back at the source"),
            (deleted.failed, "failed"),
        ];
        let others: Vec<_> = others
            .into_iter()
            .filter(|&(objects, _)| objects > 0)
            .map(|(objects, what)| format!("{} {what}", grouped(objects)))
            .collect();
        Some(if others.is_empty() {
            figure
        } else {
            let planned = grouped(deleted.planned);
            figure.with(format!("of {planned} planned: {}", others.join(", ")))
        })
    }

    fn verified(report: &Report) -> Option<Self> {
        let found = &report.verified;
        if found.method == Verify::None || report.verdict == Verdict::Planned {
            return None;
        }
        let value = format!(
            "{} missing, {} different",
            grouped(found.missing),
            grouped(found.different)
        );
        Some(Self {
            is_bad: !found.agrees(),
            ..Self::new(FigureKind::Verified, value).with("both sides listed again".to_owned())
        })
    }

    fn shards(report: &Report) -> Option<Self> {
        let shards = &report.shards;
        if shards.total == 0 {
            return None;
        }
        if report.verdict == Verdict::Planned {
            let value = format!("{} planned", grouped(shards.total));
            return Some(Self::new(FigureKind::Shards, value));
        }
        let value = format!("{} of {} done", grouped(shards.done), grouped(shards.total));
        let figure = Self::new(FigureKind::Shards, value);
        Some(match report.rounds {
            0 => figure,
            rounds => figure.with(format!("in {}", counted(u64::from(rounds), "round"))),
        })
    }

    fn copy_time(report: &Report) -> Option<Self> {
        let seconds = report.copy_seconds?;
        let time = |seconds| duration(Duration::from_secs(seconds));
        let estimate = match seconds.estimated_max {
            Some(longest) => format!("{} to {}", time(seconds.estimated), time(longest)),
            None => time(seconds.estimated),
        };
        let figure = |value, detail| Some(Self::new(FigureKind::CopyTime, value).with(detail));
        match seconds.counted {
            _ if report.verdict == Verdict::Planned => {
                let basis = seconds.estimated_max.map_or("", |_| ESTIMATE_BASIS);
                figure(estimate, format!("estimated{basis}"))
            }
            Some(counted) => figure(time(counted), format!("estimated {estimate}")),
            None => None,
        }
    }

    /// In a dry run the estimate alone.
    fn request_cost(report: &Report) -> Self {
        let cost = &report.cost_usd;
        let figure = |amount| Self::new(FigureKind::RequestCost, usd(amount));
        match report.copy_seconds {
            None => figure(cost.counted),
            Some(_) if report.verdict == Verdict::Planned => {
                figure(cost.estimated).with("estimated".to_owned())
            }
            Some(_) => figure(cost.counted).with(format!("estimated {}", usd(cost.estimated))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CopySeconds, Cost, ShardSummary, run_report::tests::report};

    fn shown(report: &Report, kind: FigureKind) -> Option<String> {
        let figures = Figure::all_of(report);
        let figure = figures.into_iter().find(|figure| figure.kind == kind)?;
        Some(match figure.detail {
            Some(detail) => format!("{} ({detail})", figure.value),
            None => figure.value,
        })
    }

    #[test]
    fn what_was_estimated_stands_beside_what_was_counted() {
        let times = |counted| {
            Some(CopySeconds {
                estimated: 90,
                estimated_max: None,
                counted,
            })
        };
        let figures = |verdict, copy_seconds| {
            let cost_usd = Cost {
                estimated: 5.03,
                counted: 5.01,
                ..Cost::default()
            };
            let costly = Report {
                verdict,
                cost_usd,
                copy_seconds,
                ..report()
            };
            let cost = shown(&costly, FigureKind::RequestCost).unwrap();
            (cost, shown(&costly, FigureKind::CopyTime))
        };
        let expected = |cost: &str, time: Option<&str>| (cost.to_owned(), time.map(str::to_owned));
        assert_eq!(
            figures(Verdict::Complete, times(Some(125))),
            expected(
                "$5.01 (estimated $5.03)",
                Some("2 min 5 s (estimated 1 min 30 s)")
            )
        );
        assert_eq!(
            figures(Verdict::Incomplete, times(None)),
            expected("$5.01 (estimated $5.03)", None)
        );
        assert_eq!(
            figures(Verdict::Planned, times(None)),
            expected("$5.03 (estimated)", Some("1 min 30 s (estimated)"))
        );
        assert_eq!(figures(Verdict::Incomplete, None), expected("$5.01", None));
    }

    #[test]
    fn an_estimated_time_is_a_range_and_a_dry_run_says_what_it_depends_on() {
        let mut long = report();
        let mut time = |verdict, counted| {
            long.verdict = verdict;
            long.copy_seconds = Some(CopySeconds {
                estimated: 2_441,
                estimated_max: Some(28_572),
                counted,
            });
            shown(&long, FigureKind::CopyTime).unwrap()
        };
        assert_eq!(
            time(Verdict::Planned, None),
            "40 min 41 s to 7 h 56 min (estimated: the longer time at the 3,500 writes per second of one S3 partition, \
             the shorter one once S3 has split the target prefix into enough of them)"
        );
        assert_eq!(
            time(Verdict::Complete, Some(7_300)),
            "2 h 1 min (estimated 40 min 41 s to 7 h 56 min)"
        );
    }

    #[test]
    fn deletions_and_what_the_filters_left_out_add_up() {
        let mut mirror = report();
        assert_eq!(shown(&mirror, FigureKind::Deleted), None);
        assert_eq!(shown(&mirror, FigureKind::Filtered), None);
        mirror.filtered = Some(Count {
            objects: 1_200,
            bytes: 2_048,
        });
        mirror.deleted.planned = 9;
        mirror.deleted.objects = 5;
        (mirror.deleted.held, mirror.deleted.failed) = (1, 1);
        mirror.deleted.back_at_source = 2;
        let deleted = |report: &Report| shown(report, FigureKind::Deleted).unwrap();
        assert_eq!(
            deleted(&mirror),
            "5 (of 9 planned: 1 held, 2 back at the source, 1 failed)"
        );
        assert_eq!(
            shown(&mirror, FigureKind::Filtered).unwrap(),
            "1,200 (2.0 KiB)"
        );
        mirror.verdict = Verdict::Planned;
        assert_eq!(deleted(&mirror), "5 (9 planned)");
    }

    #[test]
    fn a_run_that_verified_nothing_has_no_figure_of_it() {
        let mut unverified = report();
        assert_eq!(
            shown(&unverified, FigureKind::Verified).unwrap(),
            "0 missing, 0 different (both sides listed again)"
        );
        unverified.verified.method = Verify::None;
        assert_eq!(shown(&unverified, FigureKind::Verified), None);
    }

    #[test]
    fn the_shards_of_a_dry_run_are_planned_and_not_undone() {
        let mut dry = report();
        assert_eq!(shown(&dry, FigureKind::Shards), None);
        dry.shards = ShardSummary {
            total: 1_200,
            done: 1_100,
            not_done: Vec::new(),
        };
        let shards = |report: &Report| shown(report, FigureKind::Shards).unwrap();
        assert_eq!(shards(&dry), "1,100 of 1,200 done (in 1 round)");
        dry.verdict = Verdict::Planned;
        assert_eq!(shards(&dry), "1,200 planned");
    }
}
