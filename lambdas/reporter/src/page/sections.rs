//! The page's sections, from the most to the least urgent.

use std::{cmp::Reverse, collections::BTreeSet};

use maud::{Markup, html};
use shardlift_core::{
    access::{
        deciders::Needed,
        preflight::{CheckResult, Preflight},
    },
    report::{Report, Verdict, cost, notice::FailureExamples},
    run::{option::Verify, record::RunRecord},
    value::{
        arn::ExecutionArn,
        figures::{bytes, counted, duration, grouped, usd},
        tally::Count,
    },
};

use super::inert;

/// From where to where.
pub(super) fn pair(run: &RunRecord) -> Markup {
    let pair = &run.spec.pair;
    html! {
        p { code { "s3://" (pair.source.bucket) "/" (inert(pair.source.prefix.as_str())) }
            " → " code { "s3://" (pair.target.bucket) "/" (inert(pair.target.prefix.as_str())) } }
    }
}

/// What broke.
pub(super) fn problem(report: &Report) -> Markup {
    html! {
        @if let Some(problem) = &report.problem {
            section.broke id="problem" {
                h2 { (problem.code) " in " (problem.state) }
                pre { (inert_lines(&problem.message)) }
                p.do { (problem.action) }
            }
        }
    }
}

/// What to start next, so that it gets done.
pub(super) fn remedy(report: &Report) -> Markup {
    html! {
        @if let Some(remedy) = report.remedy() {
            section id="remedy" {
                h2 { "What to start next" }
                p.do { (remedy.sentences()) }
                pre { (remedy.input()) }
            }
        }
    }
}

/// The counts.
pub(super) fn numbers(report: &Report) -> Markup {
    let tile = |name: &str, count: Count, class: &str| {
        html! {
            div { dt { (name) } dd class=(class) { (grouped(count.objects)) small { (bytes(count.bytes)) } } }
        }
    };
    let failed = Count {
        objects: report.failed.objects,
        bytes: report.failed.bytes,
    };
    let took = report.ended_at.since(report.started_at);
    html! {
        section id="numbers" {
            h2 { "Objects" }
            dl {
                (tile("Planned", report.planned, ""))
                (tile("Copied", report.copied, ""))
                (tile("Skipped", report.skipped, ""))
                (tile("Failed", failed, if failed.objects > 0 { "bad" } else { "" }))
                @if report.deleted.objects > 0 {
                    div { dt { "Deleted" } dd { (grouped(report.deleted.objects)) } }
                }
                div { dt { "Took" } dd { (duration(took)) small { "from " (report.started_at) } } }
                @if let Some(mode) = report.mode { div { dt { "Mode" } dd { (mode.name()) } } }
            }
        }
    }
}

/// What failed, the most frequent reason first, and what to do.
pub(super) fn failures(report: &Report, examples: &FailureExamples) -> Markup {
    let mut reasons: Vec<_> = report.failed.by_reason.iter().collect();
    reasons.sort_by_key(|&(code, &objects)| (Reverse(objects), *code));
    html! {
        @if !reasons.is_empty() {
            section id="failures" {
                h2 { "What failed" }
                @for (code, &objects) in reasons {
                    h3 { (grouped(objects)) " × " (code) }
                    p { (code.meaning()) }
                    @if let Some(example) = examples.get(code) {
                        p.faint { "For example " code { (inert(example.key.as_str())) } }
                        pre { (inert_lines(&example.detail)) }
                    }
                    p.do { (code.action()) }
                }
                p.faint { "Every failed key: " a href="failures.csv" { "failures.csv" } }
            }
        }
    }
}

/// What listing both sides again found.
pub(super) fn verification(report: &Report) -> Markup {
    let found = &report.verified;
    let told = match found.method {
        _ if report.verdict == Verdict::Planned => {
            "Nothing was copied, so nothing was verified.".to_owned()
        }
        Verify::None => "Not verified by listing both sides again.".to_owned(),
        _ if found.agrees() => {
            "Both sides were listed again and agree: nothing is missing, nothing is different."
                .to_owned()
        }
        _ => format!(
            "Both sides were listed again: {} missing and {} different at the target.",
            grouped(found.missing),
            grouped(found.different)
        ),
    };
    html! {
        section id="verification" {
            h2 { "Verification" }
            p { (told) }
            @if found.changed_since_start > 0 {
                p { (report.changed_sentence()) }
            }
            @if let Some(told) = report.uploads_sentence() { p { (told) } }
            @if !report.remarks.is_empty() { p { "Copied objects: " (report.remarks_line()) "." } }
        }
    }
}

/// The shards and rounds.
pub(super) fn shards(report: &Report) -> Markup {
    let shards = &report.shards;
    html! {
        section id="shards" {
            h2 { "Shards and rounds" }
            p { (grouped(shards.done)) " of " (counted(shards.total, "shard")) " done, "
                (counted(u64::from(report.rounds), "round")) "." }
            @if !shards.not_done.is_empty() && report.verdict == Verdict::Incomplete {
                p { "Not done: "
                    @for (number, shard) in shards.not_done.iter().enumerate() {
                        @if number > 0 { ", " } code { (shard) }
                    }
                    @if shards.total - shards.done > shards.not_done.len() as u64 { " and more" } }
                p.do { "Open the Map Run of the execution; each failed child shows why." }
            }
            p.faint { "Every shard: " a href="shards.json" { "shards.json" } }
        }
    }
}

/// What the requests cost, operation by operation, beside what the plan estimated.
pub(super) fn cost(report: &Report) -> Markup {
    let cost = &report.cost_usd;
    let operations: BTreeSet<&String> = cost
        .requests
        .keys()
        .chain(cost.requests_estimated.keys())
        .collect();
    html! {
        section id="cost" {
            h2 { "Cost estimated against counted" }
            p { strong { (report.cost_line()) } "." }
            p.faint { "Requests times list prices of us-east-1; compute time, KMS and transfer between Regions are not in it." }
            div.scroll { table {
                thead { tr { th { "Operation" } th.number { "Estimated" } th.number { "Counted" } th.number { "USD" } } }
                tbody { @for operation in operations {
                    @let counted = cost.requests.get(operation).copied().unwrap_or(0);
                    tr {
                        td { (operation) }
                        td.number { @match cost.requests_estimated.get(operation) {
                            Some(&count) => (grouped(count)), None => "–",
                        } }
                        td.number { (grouped(counted)) }
                        td.number { (usd_of(operation, counted)) }
                    }
                } }
            } }
        }
    }
}

/// What was tried before the run.
pub(super) fn preflight(preflight: &Preflight) -> Markup {
    html! {
        section id="preflight" {
            h2 { "Checked before the run" }
            div.scroll { table {
                thead { tr { th { "Check" } th { "Finding" } } }
                tbody { @for row in &preflight.rows { tr {
                    td { (row.check.title()) }
                    td { @match &row.result {
                        CheckResult::Works => "works",
                        CheckResult::NotChecked { reason } => (format!("not checked: {}", inert(reason))),
                        CheckResult::Refused(refusal) => {
                            strong { "refused" } ": " (inert(&refusal.principal)) " may not " code { (refusal.action.name()) }
                            " on " (inert(refusal.resource.as_str()))
                            @if refusal.missing.is_empty() { p.do { (inert(&refusal.remedy)) } }
                            @for (number, missing) in refusal.missing.iter().enumerate() {
                                p.do { (missing_in(number, refusal.needed)) " " (missing.document.to_string()) ":" }
                                pre { (format!("{:#}", missing.statement)) }
                            }
                        }
                    } }
                } } }
            } }
        }
    }
}

/// How a missing statement is introduced: the first, and the one that may stand in its place or must stand beside it.
fn missing_in(number: usize, needed: Needed) -> &'static str {
    match (number, needed) {
        (0, _) => "Missing in",
        (_, Needed::Any) => "or, which is enough as well, in",
        (_, Needed::Each) => "and perhaps, since AWS does not tell which, in",
    }
}

/// Where to look further.
pub(super) fn links(report: &Report, execution: &ExecutionArn) -> Markup {
    let region = execution.region();
    let bucket = &report.report.bucket;
    let folder = format!(
        "https://{region}.console.aws.amazon.com/s3/buckets/{bucket}?region={region}&prefix={}",
        report.report.prefix
    );
    html! {
        section id="links" {
            h2 { "Look further" }
            ul {
                li { a href=(execution.console_url()) { "The execution in the Step Functions console" }
                    ", with its Map Runs and their failed children" }
                li { a href=(folder) { "All documents of the run" } " in the control bucket: "
                    code { "s3://" (bucket) "/" (report.report.prefix) } }
                li { a href="report.json" { "report.json" } " · " a href="failures.csv" { "failures.csv" }
                    " · " a href="shards.json" { "shards.json" } }
            }
        }
    }
}

/// A text from outside whose line breaks are kept.
fn inert_lines(text: &str) -> String {
    text.lines().map(inert).collect::<Vec<_>>().join("\n")
}

fn usd_of(operation: &str, count: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "two to four digits are shown")]
    let amount = cost::price_usd(operation) * count as f64;
    usd(amount)
}
