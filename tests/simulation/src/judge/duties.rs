//! Each run is reported, ends as its report says, and leaves nothing behind (P8, P9).

use super::{Found, view::View};
use crate::{asl::Ending, history::Function};

/// How often the machine tries again after each kind of error; statemachine/README.md has the table.
const ATTEMPTS: &[(&[&str], usize)] = &[
    (
        &[
            "Sandbox.Timedout",
            "Runtime.ExitError",
            "Runtime.OutOfMemory",
            "Lambda.Unknown",
            "States.Timeout",
        ],
        4,
    ),
    (
        &[
            "ServiceFault",
            "LedgerConflict",
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.ClientExecutionTimeoutException",
        ],
        6,
    ),
    (&["Throttled"], 9),
    (&["Lambda.TooManyRequestsException"], 1_001),
];

pub(super) fn judge(view: &View<'_>, found: &mut Found) {
    let Some(ending) = view.log().ending.clone() else {
        return;
    };
    check_report(view, found);
    check_status(view, &ending, found);
    check_uploads(view, found);
    check_problem(view, found);
}

fn check_report(view: &View<'_>, found: &mut Found) {
    let log = view.log();
    let (published, notices) = (log.published, log.notices);
    if published + notices == 0 {
        found.push(("P9", "nobody was notified".to_owned()));
    }
    if notices == 0 && !view.report.is_object() {
        found.push(("P9", "there is no report".to_owned()));
    }
    if !log.is_disturbed && (published, notices) != (1, 0) {
        let text = format!("{published} reports and {notices} plain notices were published");
        found.push(("P9", text));
    }
    let errors = log.task_errors.iter();
    let of_reporter: Vec<&str> = errors
        .filter(|(function, _)| *function == Function::Reporter)
        .map(|(_, error)| error.as_str())
        .collect();
    if notices > 0 && !are_attempts_used_up(&of_reporter) {
        let text = format!("a plain notice after {of_reporter:?}");
        found.push(("attempts", text));
    }
}

fn check_status(view: &View<'_>, ending: &Ending, found: &mut Found) {
    let has_succeeded = *ending == Ending::Succeeded;
    let should = view.log().notices == 0 && ["COMPLETE", "PLANNED"].contains(&view.verdict());
    if has_succeeded != should {
        let text = format!(
            "the verdict is {}, the execution {ending:?}",
            view.verdict()
        );
        found.push(("status", text));
    }
}

fn check_uploads(view: &View<'_>, found: &mut Found) {
    let log = view.log();
    // Whoever still works may open one after the sweep, and must end it.
    let swept_at = log.report_entered_at.unwrap_or(log.began_at);
    let others_work = view.seen.invocations.iter().any(|invocation| {
        invocation.run == view.run
            && invocation.function != Function::Reporter
            && invocation
                .ended_at
                .is_none_or(|ended_at| ended_at > swept_at)
    });
    let is_excused = others_work
        || log.notices > 0
        || view.has_problem()
        || (log.is_dry() && log.is_disturbed)
        || log.intervals > 1;
    if is_excused {
        return;
    }
    for (id, key) in view.cloud.buckets().open_uploads() {
        if view.seen.uploads.get(id.as_str()) == Some(&view.run) {
            let text = format!("the upload {id} to {:?} is left", key.as_str());
            found.push(("P8", text));
        }
    }
}

/// What broke a run is what its attempts ended with.
fn check_problem(view: &View<'_>, found: &mut Found) {
    let problem = &view.report["problem"];
    match problem["state"].as_str() {
        Some("CopyShards") if view.log().reader_errors == 0 => {
            found.push(("one shard for all", format!("the Map failed: {problem}")));
        }
        Some("PlanShards") => {
            let errors = view.log().task_errors.iter();
            let errors: Vec<&str> = errors
                .filter(|(function, _)| *function == Function::Planner)
                .map(|(_, error)| error.as_str())
                .collect();
            if !are_attempts_used_up(&errors) {
                found.push(("attempts", format!("{problem} after {errors:?}")));
            }
        }
        Some("ReportRun") if problem["code"] == "InvariantViolated" => {
            found.push(("no contradiction", problem["message"].to_string()));
        }
        _ => {}
    }
}

/// Whether the last of these errors ends a run: nothing helps against it, or it came too often.
fn are_attempts_used_up(errors: &[&str]) -> bool {
    let Some(last) = errors.last() else {
        return false;
    };
    let class = ATTEMPTS.iter().find(|(names, _)| names.contains(last));
    class.is_none_or(|(names, attempts)| {
        let of_class = errors.iter().filter(|error| names.contains(error));
        of_class.count() >= *attempts
    })
}
