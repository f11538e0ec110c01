//! The metrics of a run, one line for CloudWatch when it was reported.

use std::time::Duration;

use shardlift_aws::telemetry::metrics::{MetricLine, Unit};
use shardlift_core::{
    report::{Report, Verdict},
    value::{arn::ExecutionArn, tally::THROTTLED_REQUESTS},
};

/// The metrics of a report. `RunsComplete` is the heartbeat that the dead man's switch listens for: a point of it is sent
/// for every run that copies, and is 1 for COMPLETE alone. A dry run proves nothing and sends none.
///
/// The one dimension is the state machine: runs and shards would each be a metric that is billed by the month.
pub(crate) fn of_report(report: &Report, execution: &ExecutionArn) -> MetricLine {
    let is = |verdict: Verdict| u64::from(report.verdict == verdict);
    let throttled = report.cost_usd.requests.get(THROTTLED_REQUESTS);
    let duration = report.ended_at.since(report.started_at);
    let line = MetricLine::new(
        report.ended_at,
        vec![("StateMachine", execution.machine().to_owned())],
    )
    .noting("run.id", report.run_id.as_str())
    .noting("run.verdict", report.verdict.to_string());
    if report.verdict == Verdict::Planned {
        return line.with("RunsPlanned", Unit::Count, 1);
    }
    // A run of events is no heartbeat: it would hide that the nightly run fails.
    let line = match &report.events {
        None => line
            .with("RunsComplete", Unit::Count, is(Verdict::Complete))
            .with("RunsIncomplete", Unit::Count, is(Verdict::Incomplete)),
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
            bucket::BucketName,
            id::RunId,
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
        let report = Report {
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
        };
        let execution = ExecutionArn::new(
            "arn:aws:states:eu-west-1:111111111111:execution:shardlift-sync:night",
        )
        .unwrap();
        let mut line = Vec::new();
        of_report(&report, &execution).write_to(&mut line).unwrap();
        serde_json::from_slice(&line).unwrap()
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
