//! The sections of the page: those of the view of a report in its order, then the details.

use std::collections::BTreeSet;

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shardlift_core::{
    access::{
        deciders::Needed,
        preflight::{CheckResult, Preflight, Refusal},
    },
    report::{
        AskedInput, NOT_DONE_SHOWN_MAX, Report,
        prices::Prices,
        view::{ProblemEntry, ProblemKind, ReportView, WARNINGS_HEADING},
    },
    run::record::RunRecord,
    value::{
        arn::ExecutionArn,
        figures::{grouped, usd},
        printable::printable_json,
    },
};

use super::inert;

/// What stays as it is in a query: a run's name may have characters that mean something there.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// From where to where.
pub(super) fn pair(run: &RunRecord) -> Markup {
    let pair = &run.spec.pair;
    html! {
        p { code { "s3://" (pair.source.bucket) "/" (inert(pair.source.prefix.as_str())) }
            " → " code { "s3://" (pair.target.bucket) "/" (inert(pair.target.prefix.as_str())) } }
    }
}

/// The figures.
pub(super) fn figures(view: &ReportView) -> Markup {
    html! {
        section id="numbers" {
            h2 { "Figures" }
            dl {
                @for figure in &view.figures {
                    div {
                        dt { (figure.kind.label()) }
                        dd.bad[figure.is_bad] {
                            (figure.value)
                            @if let Some(detail) = &figure.detail { small { (detail) } }
                        }
                    }
                }
            }
        }
    }
}

/// What broke, then what failed, a section for each.
pub(super) fn problems(view: &ReportView) -> Markup {
    html! {
        (problems_of(view, ProblemKind::RunBroke))
        (problems_of(view, ProblemKind::ObjectsFailed))
        (problems_of(view, ProblemKind::DeletionsFailed))
        (problems_of(view, ProblemKind::DeletionsHeld))
    }
}

fn problems_of(view: &ReportView, kind: ProblemKind) -> Markup {
    let (id, class) = match kind {
        ProblemKind::RunBroke => ("problem", "broke"),
        ProblemKind::ObjectsFailed => ("failures", "failed"),
        ProblemKind::DeletionsFailed => ("undeleted", "failed"),
        ProblemKind::DeletionsHeld => ("held", "failed"),
    };
    let problems: Vec<_> = view.problems.iter().filter(|p| p.kind == kind).collect();
    html! {
        @if !problems.is_empty() {
            section id=(id) class=(class) {
                h2 { (kind.heading()) }
                @for problem in problems { (entry(problem)) }
            }
        }
    }
}

fn entry(problem: &ProblemEntry) -> Markup {
    html! {
        h3 { (inert(&problem.title)) }
        @match problem.kind {
            ProblemKind::RunBroke => pre { (inert_lines(&problem.message)) },
            ProblemKind::ObjectsFailed | ProblemKind::DeletionsFailed | ProblemKind::DeletionsHeld => p { (inert_lines(&problem.message)) },
        }
        @if let Some(example) = &problem.example {
            p.faint { "For example " code { (inert(example.key.as_str())) } }
            pre { (inert_lines(&example.detail)) }
        }
        p.do { (inert(&problem.action)) }
    }
}

/// The run to start next, by the command and in the console, after the cause is fixed.
pub(super) fn to_start(view: &ReportView, report: &Report, execution: &ExecutionArn) -> Markup {
    let machine = execution.machine();
    let stack = machine.strip_suffix("-sync").unwrap_or(machine);
    let flags = format!("--stack {stack} ");
    let step = view.next_steps.iter().find(|step| step.starts_a_run());
    let typed = report.input.as_ref().map(AskedInput::again);
    html! {
        @if let Some(step) = step {
            section id="start" {
                h2 { "What to start next" }
                p { @if view.problems.is_empty() { (step.sentence()) }
                    @else { "Fix the cause first: it is below, with what to do about it. Then:" } }
                @if let Some(command) = step.command(&report.run_id, &flags, typed.as_deref()) { pre { (inert(&command)) } }
                @if let Some(input) = step.input() {
                    p { "Or start an execution in the Step Functions console with this input:" }
                    pre { (inert(&input)) }
                }
            }
        }
    }
}

/// What a person must know besides.
pub(super) fn warnings(view: &ReportView) -> Markup {
    html! {
        @if !view.warnings.is_empty() {
            section id="warnings" {
                h2 { (WARNINGS_HEADING) }
                ul { @for warning in &view.warnings { li { (warning.sentence(NOT_DONE_SHOWN_MAX)) } } }
            }
        }
    }
}

/// What to do next.
pub(super) fn next_steps(view: &ReportView) -> Markup {
    html! {
        @if !view.next_steps.is_empty() {
            section id="next" {
                h2 { "Next steps" }
                @for step in &view.next_steps {
                    p.do { (step.sentence()) }
                }
            }
        }
    }
}

/// What the requests cost, operation by operation, beside what the plan estimated.
pub(super) fn cost(report: &Report, view: &ReportView) -> Markup {
    let cost = &report.cost_usd;
    let operations: BTreeSet<&String> = cost
        .requests
        .keys()
        .chain(cost.requests_estimated.keys())
        .collect();
    html! {
        section id="cost" {
            h2 { "Requests and their cost" }
            p.faint { (view.price_scope) }
            div.scroll tabindex="0" role="region" aria-label="Requests" { table {
                thead { tr { th scope="col" { "Operation" } th.number scope="col" { "Estimated" } th.number scope="col" { "Counted" } th.number scope="col" { "USD" } } }
                tbody { @for operation in operations {
                    @let counted = cost.requests.get(operation).copied().unwrap_or(0);
                    tr {
                        td { (operation) }
                        td.number { @match cost.requests_estimated.get(operation) {
                            Some(&count) => (grouped(count)), None => "–",
                        } }
                        td.number { (grouped(counted)) }
                        td.number { (usd_of(&cost.prices, operation, counted)) }
                    }
                } }
            } }
        }
    }
}

/// The permission checks before the run.
pub(super) fn preflight(preflight: &Preflight) -> Markup {
    html! {
        section id="preflight" {
            h2 { "Permission checks before the run" }
            div.scroll tabindex="0" role="region" aria-label="Permission checks" { table {
                thead { tr { th scope="col" { "Check" } th scope="col" { "Finding" } } }
                tbody { @for row in &preflight.rows { tr {
                    td { (row.check.title()) }
                    td { @match &row.result {
                        CheckResult::Works => "works",
                        CheckResult::NotChecked { reason } => (format!("not checked: {}", inert(reason))),
                        CheckResult::WorksForSome { works, tried, refusal } => {
                            (format!("works for {works} of {tried} objects that were tried; the others fail one by one. "))
                            (refused(refusal))
                        }
                        CheckResult::Refused(refusal) => (refused(refusal)),
                    } }
                } } }
            } }
        }
    }
}

/// A refusal, and each statement that is missing.
fn refused(refusal: &Refusal) -> Markup {
    html! {
        strong { "refused" } ": " (inert(&refusal.principal)) " may not " code { (refusal.action.name()) }
        " on " (inert(refusal.resource.as_str()))
        @if refusal.missing.is_empty() { p.do { (inert(&refusal.remedy)) } }
        @for (number, missing) in refusal.missing.iter().enumerate() {
            p.do { (missing_in(number, refusal.needed)) " " (missing.document.to_string()) ":" }
            pre { (printable_json(&format!("{:#}", missing.statement))) }
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

/// Links to the execution and to the documents.
pub(super) fn links(report: &Report, execution: &ExecutionArn) -> Markup {
    let region = execution.region();
    let bucket = &report.report.bucket;
    let folder = execution.console_page(&format!(
        "s3/buckets/{bucket}?region={region}&prefix={}",
        utf8_percent_encode(&report.report.prefix, QUERY)
    ));
    html! {
        section id="links" {
            h2 { "Links" }
            ul {
                li { a href=(execution.console_url()) { "The execution in the Step Functions console" }
                    ", with its Map Runs and their failed children" }
                li { a href=(folder) { "All documents of the run" } " in the control bucket: "
                    code { (report.report.document("")) } }
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

fn usd_of(prices: &Prices, operation: &str, count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two to four digits are shown")]
    let amount = prices.request_usd(operation) * count as f64;
    usd(amount)
}
