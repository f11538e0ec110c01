//! The figures of a report.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{
    plan::ListWay,
    report::{ProofMethod, run_report::Report, verdict::Verdict, view::storage},
    run::option::{Mode, Verify},
    value::{
        figures::{bytes, counted, duration, grouped, usd},
        skips::SkipReason,
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
    /// The digest of what the run vouches for; left out where it vouches for nothing.
    Digest,
    /// Shards done, and the rounds that took; left out when there is no plan.
    Shards,
    /// From the start of the execution to the report.
    Duration,
    /// From the start of the first shard to the end of the last one, and the estimate of the plan.
    CopyTime,
    /// The keys that events told of, and how long the oldest of these waited; left out when none did.
    Events,
    /// The lines of the list that named the objects, and how it was planned; left out without one.
    List,
    /// The instant whose state of the source was meant; left out without one.
    AsOf,
    /// Requests in USD, and the estimate of the plan.
    RequestCost,
    /// The mode of the run; left out when the input was refused.
    Mode,
    /// What was made of each object instead of a copy; left out in a run of copies.
    Transform,
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
            Self::Digest => "Digest",
            Self::Shards => "Shards",
            Self::Duration => "Duration",
            Self::CopyTime => "Copy time",
            Self::Events => "Started by events",
            Self::List => "List",
            Self::AsOf => "Source as of",
            Self::RequestCost => "Request cost",
            Self::Mode => "Mode",
            Self::Transform => "Transform",
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
            Some(Self::copied(report)),
            Some(Self::skipped(report)),
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
            Self::digest(report),
            Self::shards(report),
            Some(
                Self::new(FigureKind::Duration, duration(took))
                    .with(format!("from {}", report.started_at.for_people())),
            ),
            Self::copy_time(report),
            Self::events(report),
            Self::list(report),
            Self::as_of(report),
            Some(Self::request_cost(report)),
            Self::mode(report),
            Self::transform(report),
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

    fn and(mut self, more: &str) -> Self {
        self.detail = Some(match self.detail {
            Some(detail) => format!("{detail}; {more}"),
            None => more.to_owned(),
        });
        self
    }

    fn objects(kind: FigureKind, count: Count) -> Self {
        Self::new(kind, grouped(count.objects)).with(bytes(count.bytes))
    }

    fn copied(report: &Report) -> Self {
        let figure = Self::objects(FigureKind::Copied, report.copied);
        match report.copied_newer.objects {
            0 => figure,
            newer => figure.and(&format!("{} in a newer version", grouped(newer))),
        }
    }

    /// With the reasons where there are others than that the target had it already.
    fn skipped(report: &Report) -> Self {
        let skipped = &report.skipped.count;
        let figure = Self::objects(FigureKind::Skipped, skipped.count());
        if skipped
            .by_reason
            .keys()
            .all(|reason| *reason == SkipReason::Same)
        {
            return figure;
        }
        let reasons = skipped.by_reason.iter();
        let reasons =
            reasons.map(|(reason, &objects)| format!("{} {}", grouped(objects), reason.words()));
        figure.and(&reasons.collect::<Vec<_>>().join(", "))
    }

    fn class_changed(report: &Report) -> Option<Self> {
        let changed = storage::class_changed(report)?;
        let figure = Self::new(FigureKind::ClassChanged, grouped(report.class_changed));
        Some(figure.with(changed))
    }

    /// Whatever was to be deleted and is not among the deleted objects is named, so that the figures add up.
    fn deleted(report: &Report) -> Option<Self> {
        let deleted = &report.deleted;
        if deleted.objects == 0 && deleted.planned == 0 {
            return None;
        }
        let figure = Self {
            is_bad: deleted.failed > 0,
            ..Self::new(FigureKind::Deleted, grouped(deleted.objects))
        };
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
        let mut value = format!(
            "{} missing, {} different",
            grouped(found.missing),
            grouped(found.different)
        );
        if found.foreign > 0 {
            value.push_str(&format!(", {} foreign", grouped(found.foreign)));
        }
        let by = match report.proof.as_ref().map(|proof| proof.method) {
            Some(ProofMethod::Plan) => "nothing was written since the plan listed the target",
            _ => "the target listed again",
        };
        Some(Self {
            is_bad: !report.target_agrees(),
            ..Self::new(FigureKind::Verified, value).with(by.to_owned())
        })
    }

    /// The whole of it, since it is there to be compared with another program's.
    fn digest(report: &Report) -> Option<Self> {
        let proof = report.proof.as_ref()?;
        let digest = proof.vouched.digest.to_string();
        (report.verdict != Verdict::Planned).then(|| Self::new(FigureKind::Digest, digest))
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

    fn events(report: &Report) -> Option<Self> {
        let events = report.events.as_ref()?;
        let lag = duration(report.ended_at.since(events.oldest_at));
        let figure = Self::new(FigureKind::Events, counted(events.objects, "key"));
        Some(figure.with(format!("{lag} from the oldest event to this report")))
    }

    /// The lines in all, what they are, and how they were planned.
    fn list(report: &Report) -> Option<Self> {
        let list = report.list.as_ref()?;
        let lines = [
            (list.objects, "named"),
            (list.repeated, "repeated"),
            (list.outside, "outside the source prefix"),
            (list.left_out.saturating_sub(list.outside), "left out"),
            (list.wrong, "wrong"),
        ];
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|&(count, _)| count > 0)
            .map(|(count, what)| format!("{} {what}", grouped(count)))
            .collect();
        let way = match (list.way, list.is_out_of_order) {
            (ListWay::Lookups, _) => "each key looked up on both sides",
            (ListWay::Merged, false) => "in key order",
            (ListWay::Merged, true) => "sorted first",
        };
        let figure = Self {
            is_bad: list.wrong > 0,
            ..Self::new(FigureKind::List, counted(list.lines(), "line"))
        };
        let figure = figure.with(lines.join(", ")).and(way);
        Some(match list.looked_up {
            0 => figure,
            looked_up => figure.and(&format!("{} looked up at the source", grouped(looked_up))),
        })
    }

    fn as_of(report: &Report) -> Option<Self> {
        let instant = report.as_of.clone()?;
        let figure = Self::new(FigureKind::AsOf, instant);
        Some(figure.with("the newest version of each key at that instant".to_owned()))
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

    /// With what makes two objects the same, where that decides.
    fn mode(report: &Report) -> Option<Self> {
        let mode = report.mode?;
        let figure = Self::new(FigureKind::Mode, mode.name().to_owned());
        let compare = report.compare.filter(|_| mode != Mode::Copy);
        Some(match compare {
            Some(compare) => figure.with(format!("compare: {}", compare.name())),
            None => figure,
        })
    }

    /// As the command takes it.
    fn transform(report: &Report) -> Option<Self> {
        let transform = report.transform.as_ref()?;
        let figure = Self::new(FigureKind::Transform, transform.to_string());
        Some(figure.with("a smaller picture of each image, in the place of a copy".to_owned()))
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
