//! The metrics of a run, one line for CloudWatch when it was reported.

use std::time::Duration;

use shardlift_aws::telemetry::metrics::{MetricLine, Unit};
use shardlift_core::{
    report::{Report, Verdict},
    run::pair::Target,
    value::{arn::ExecutionArn, tally::THROTTLED_REQUESTS},
};

/// The longest value of a dimension
/// (docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html).
const DIMENSION_LENGTH_MAX: usize = 1_024;

/// The metrics of a report. `RunsComplete` is the heartbeat that the dead man's switch listens for: a point of it is sent
/// for every run that copies, and is 1 for COMPLETE alone. A dry run proves nothing and sends none.
///
/// The one dimension is the state machine: runs and shards would each be a metric that is billed by the month. Where the
/// run wrote `elsewhere`, to the place of a further pair, a second line is the heartbeat of that place, and the first one
/// has none: what a pair does must not hide that another one is silent.
pub(crate) fn of_report(
    report: &Report,
    execution: &ExecutionArn,
    elsewhere: Option<&Target>,
) -> Vec<MetricLine> {
    let line = line_of(report, execution, Vec::new());
    let has_heartbeat = report.verdict != Verdict::Planned && report.events.is_none();
    match elsewhere {
        Some(target) if has_heartbeat => {
            let place = line_of(report, execution, vec![("Target", dimension_of(target))]);
            vec![with_counts(line, report), with_heartbeat(place, report)]
        }
        _ if has_heartbeat => vec![with_counts(with_heartbeat(line, report), report)],
        _ => vec![with_counts(line, report)],
    }
}

fn line_of(
    report: &Report,
    execution: &ExecutionArn,
    further: Vec<(&'static str, String)>,
) -> MetricLine {
    let mut dimensions = vec![("StateMachine", execution.machine().to_owned())];
    dimensions.extend(further);
    MetricLine::new(report.ended_at, dimensions)
        .noting("run.id", report.run_id.as_str())
        .noting("run.verdict", report.verdict.to_string())
}

/// Bucket and prefix, as the alarm of a pair names them. CloudWatch takes ASCII alone, and a pair's template no other prefix.
fn dimension_of(target: &Target) -> String {
    let place = format!("{}/{}", target.bucket, target.prefix.as_str());
    let is_printable = |character: char| character == ' ' || character.is_ascii_graphic();
    let characters = place.chars().take(DIMENSION_LENGTH_MAX);
    characters
        .map(|character| {
            if is_printable(character) {
                character
            } else {
                '?'
            }
        })
        .collect()
}

fn with_heartbeat(line: MetricLine, report: &Report) -> MetricLine {
    let is = |verdict: Verdict| u64::from(report.verdict == verdict);
    line.with("RunsComplete", Unit::Count, is(Verdict::Complete))
        .with("RunsIncomplete", Unit::Count, is(Verdict::Incomplete))
}

fn with_counts(line: MetricLine, report: &Report) -> MetricLine {
    let is = |verdict: Verdict| u64::from(report.verdict == verdict);
    let throttled = report.cost_usd.requests.get(THROTTLED_REQUESTS);
    let duration = report.ended_at.since(report.started_at);
    if report.verdict == Verdict::Planned {
        return line.with("RunsPlanned", Unit::Count, 1);
    }
    // A run of events is no heartbeat: it would hide that the nightly run fails.
    let line = match &report.events {
        None => line,
        Some(events) => line
            .with("EventRunsComplete", Unit::Count, is(Verdict::Complete))
            .with("EventRunsIncomplete", Unit::Count, is(Verdict::Incomplete))
            .with(
                "EventLag",
                Unit::Milliseconds,
                milliseconds(report.ended_at.since(events.oldest_at)),
            ),
    };
    line.with("ObjectsDeleted", Unit::Count, report.deleted.objects)
        .with("DeletionsFailed", Unit::Count, report.deleted.failed)
        .with("ObjectsPlanned", Unit::Count, report.planned.objects)
        .with("ObjectsCopied", Unit::Count, report.copied.objects)
        .with("BytesCopied", Unit::Bytes, report.copied.bytes)
        .with("ObjectsSkipped", Unit::Count, report.skipped.count.objects)
        .with(
            "ObjectsFiltered",
            Unit::Count,
            report.filtered.unwrap_or_default().objects,
        )
        .with(
            "RunsWithoutObjects",
            Unit::Count,
            u64::from(report.emptiness().is_some()),
        )
        .with(
            "ObjectsCopiedNewer",
            Unit::Count,
            report.copied_newer.objects,
        )
        .with("ObjectsFailed", Unit::Count, report.failed.objects)
        .with(
            "RequestsThrottled",
            Unit::Count,
            throttled.copied().unwrap_or(0),
        )
        .with("ObjectsMissing", Unit::Count, report.verified.missing)
        .with("ObjectsDifferent", Unit::Count, report.verified.different)
        .with(
            "ShardsNotDone",
            Unit::Count,
            report.shards.total - report.shards.done,
        )
        .with("Rounds", Unit::Count, report.rounds.into())
        .with("RunDuration", Unit::Milliseconds, milliseconds(duration))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use shardlift_core::{
        report::{
            CopySeconds, Cost, DeletedCount, ReportLocation, ShardSummary, SkippedObjects,
            Verification,
        },
        run::option::Verify,
        value::{
            arn::RoleArn,
            bucket::BucketName,
            id::RunId,
            key::KeyPrefix,
            skips::{NewerCopies, SkippedCount},
            tally::{Count, FailedCount},
            time::Timestamp,
        },
    };

    use super::*;

    fn metrics(verdict: Verdict) -> serde_json::Value {
        metrics_of(verdict, Count::default(), Count::default())
    }

    fn metrics_of(verdict: Verdict, skipped: Count, filtered: Count) -> serde_json::Value {
        let lines = lines_of(verdict, skipped, filtered, None);
        let [line] = &lines[..] else {
            panic!("one line is enough where no further pair is concerned")
        };
        line.clone()
    }

    fn lines_of(
        verdict: Verdict,
        skipped: Count,
        filtered: Count,
        elsewhere: Option<&str>,
    ) -> Vec<serde_json::Value> {
        let report = report(verdict, skipped, filtered);
        let execution = ExecutionArn::new(
            "arn:aws:states:eu-west-1:111111111111:execution:shardlift-sync:night",
        )
        .unwrap();
        let elsewhere = elsewhere.map(|prefix| Target {
            bucket: BucketName::new("further").unwrap(),
            prefix: KeyPrefix::new(prefix).unwrap(),
            role_arn: RoleArn::new("arn:aws:iam::222222222222:role/T").unwrap(),
            external_id: None,
        });
        let lines = of_report(&report, &execution, elsewhere.as_ref());
        let written = lines.iter().map(|line| {
            let mut written = Vec::new();
            line.write_to(&mut written).unwrap();
            serde_json::from_slice(&written).unwrap()
        });
        written.collect()
    }

    fn report(verdict: Verdict, skipped: Count, filtered: Count) -> Report {
        Report {
            schema_version: 1,
            run_id: RunId::new("night").unwrap(),
            verdict,
            mode: None,
            compare: None,
            transform: None,
            pair: None,
            input: None,
            rerun_of: None,
            not_planned: None,
            list: None,
            as_of: None,
            started_by: None,
            events: None,
            rest_of: None,
            planned: Count::default(),
            copied: Count {
                objects: 3,
                bytes: 7,
            },
            skipped: SkippedObjects {
                count: SkippedCount {
                    objects: skipped.objects,
                    bytes: skipped.bytes,
                    ..SkippedCount::default()
                },
                ..SkippedObjects::default()
            },
            copied_newer: NewerCopies::default(),
            class_changed: 0,
            filtered: Some(filtered),
            beside_prefix: 0,
            deleted: DeletedCount::default(),
            failed: FailedCount::default(),
            shards: ShardSummary::default(),
            rounds: 1,
            verified: Verification::clean(Verify::None),
            proof: None,
            audit: None,
            notes: std::collections::BTreeMap::new(),
            uploads_aborted: 0,
            cost_usd: Cost {
                requests: [(THROTTLED_REQUESTS.to_owned(), 17)].into(),
                ..Cost::default()
            },
            copy_seconds: Some(CopySeconds {
                estimated: 0,
                estimated_max: None,
                counted: None,
            }),
            started_at: Timestamp::from_millis(0),
            ended_at: Timestamp::from_millis(1_500),
            report: ReportLocation {
                bucket: BucketName::new("control").unwrap(),
                prefix: "runs/night/".into(),
            },
            warnings: Vec::new(),
            problem: None,
        }
    }

    #[test]
    fn a_run_that_found_no_object_is_counted_and_one_that_is_in_step_is_not() {
        let some = Count {
            objects: 4,
            bytes: 9,
        };
        let empty = metrics_of(Verdict::Complete, Count::default(), Count::default());
        assert_eq!(
            (&empty["RunsWithoutObjects"], &empty["ObjectsFiltered"]),
            (&1.into(), &0.into())
        );
        let filtered = metrics_of(Verdict::Complete, Count::default(), some);
        assert_eq!(
            (
                &filtered["RunsWithoutObjects"],
                &filtered["ObjectsFiltered"]
            ),
            (&1.into(), &4.into())
        );
        let in_step = metrics_of(Verdict::Complete, some, some);
        assert_eq!(in_step["RunsWithoutObjects"], 0);
    }

    #[test]
    fn the_run_of_a_further_pair_is_the_heartbeat_of_that_pair_alone() {
        let lines =
            |verdict, prefix| lines_of(verdict, Count::default(), Count::default(), Some(prefix));
        let complete = lines(Verdict::Complete, "logs/");
        let [counts, heartbeat] = &complete[..] else {
            panic!("a line of the machine and one of the place")
        };
        assert!(counts.get("RunsComplete").is_none());
        assert_eq!(counts["ObjectsCopied"], 3);
        assert_eq!(heartbeat["Target"], "further/logs/");
        assert_eq!(heartbeat["RunsComplete"], 1);
        let dimensions = &heartbeat["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        assert_eq!(dimensions, &serde_json::json!([["StateMachine", "Target"]]));
        let broken = &lines(Verdict::Incomplete, "h\u{e4}lften/")[1];
        assert_eq!(
            (
                &broken["Target"],
                &broken["RunsComplete"],
                &broken["RunsIncomplete"]
            ),
            (&"further/h?lften/".into(), &0.into(), &1.into())
        );
        assert_eq!(lines(Verdict::Planned, "logs/").len(), 1);
    }

    #[test]
    fn only_a_complete_run_is_a_heartbeat() {
        let complete = metrics(Verdict::Complete);
        assert_eq!(complete["RunsComplete"], 1);
        assert_eq!(complete["StateMachine"], "shardlift-sync");
        assert_eq!(complete["RunDuration"], 1_500);
        assert_eq!(complete["RequestsThrottled"], 17);
        assert_eq!(metrics(Verdict::Incomplete)["RunsComplete"], 0);
        assert!(metrics(Verdict::Planned).get("RunsComplete").is_none());
    }
}
