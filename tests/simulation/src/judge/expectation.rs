//! What a run must come to that nobody disturbed.

use std::sync::Arc;

use serde_json::json;
use shardlift_testkit::StoredObject;

use super::{
    Found, renditions,
    sameness::{counts_as_same, is_archived},
    view::View,
};

/// The two sides when the run began, as far as it is about them.
struct Sides {
    source: Vec<(String, Arc<StoredObject>)>,
    extra: u64,
    deletable: u64,
}

pub(super) fn judge(view: &View<'_>, found: &mut Found) {
    if is_expectable(view) {
        let wrong = differs(view);
        if !wrong.is_empty() {
            let text = format!("{}: {}", view.log().input, wrong.join("; "));
            found.push(("undisturbed", text));
        }
    }
}

/// Nothing disturbed the run, and nobody else worked meanwhile.
fn is_expectable(view: &View<'_>) -> bool {
    let log = view.log();
    let (began_at, ended_at) = (log.began_at, view.ended_at());
    let others_run = view.seen.runs.iter().enumerate().any(|(number, other)| {
        number != view.run
            && !other.id.is_empty()
            && other.began_at <= ended_at
            && other.ended_at.is_none_or(|ended| ended >= began_at)
    });
    let others_work = view.seen.invocations.iter().any(|invocation| {
        invocation.run != view.run
            && invocation.began_at <= ended_at
            && invocation.ended_at.is_none_or(|ended| ended >= began_at)
    });
    !log.is_disturbed
        && log.intervals == 1
        && log.rerun_of().is_none()
        && !others_run
        && !others_work
}

fn sides(view: &View<'_>) -> Sides {
    let began_at = view.log().began_at;
    let source_at = |relative: &str| view.seen.source.at(&view.source_key(relative), began_at);
    let is_asked = |relative: &str| {
        let list = view.list();
        list.is_none_or(|keys| keys.contains(&view.source_key(relative)))
    };
    let source = view
        .relatives(true)
        .into_iter()
        .filter(|relative| is_asked(relative))
        .filter_map(|relative| source_at(&relative).map(|object| (relative, object)))
        .collect();
    let target = view.relatives(false).into_iter();
    let stood: Vec<String> = target
        .filter(|relative| {
            let key = view.target_key(relative);
            view.seen.target.at(&key, began_at).is_some()
        })
        .collect();
    let extra = stood
        .iter()
        .filter(|relative| source_at(relative).is_none());
    Sides {
        extra: extra.count() as u64,
        deletable: stood.len() as u64,
        source,
    }
}

/// What should become of the objects of the source, and of those that a list names.
#[derive(Default)]
struct Outcomes {
    planned: u64,
    same: u64,
    failed: u64,
    left_out: u64,
    /// Planned, and then skipped.
    gone: u64,
}

fn outcomes(view: &View<'_>, sides: &Sides) -> Outcomes {
    let log = view.log();
    let (mode, compare) = (log.mode(), view.asked("compare", "size_and_mtime"));
    let skips_archived = view.asked("archived", "fail") == "skip";
    let mut of = Outcomes::default();
    for (relative, object) in &sides.source {
        let stood = view
            .seen
            .target
            .at(&view.target_key(relative), log.began_at);
        let is_same = mode != "copy"
            && stood
                .is_some_and(|stood| counts_as_same(compare, object, &stood, view.story().is_kms));
        if is_same {
            of.same += 1;
        } else if is_archived(object) && skips_archived {
            of.left_out += 1;
        } else {
            of.planned += 1;
            of.failed += u64::from(is_archived(object) || !view.fits(relative));
        }
    }
    // What a list names and the source lacks is planned: its copier skips it, or it fails, where that is asked for.
    let gone = gone_from_list(view);
    if view.asked("on_change", "copy_newer") == "fail" {
        of.planned += gone;
        of.failed += gone;
    } else if mode != "audit" {
        of.planned += gone;
        of.gone = gone;
    }
    of
}

/// How the report differs from what it should say.
fn differs(view: &View<'_>) -> Vec<String> {
    let log = view.log();
    let sides = sides(view);
    let mode = log.mode();
    if !view.transform().is_null() {
        return pictures_differ(view, &sides);
    }
    let Outcomes {
        planned,
        same,
        failed,
        left_out,
        gone,
    } = outcomes(view, &sides);
    let mut wrong = Vec::new();
    let mut expect = |what: &str, expected: u64, is: u64| {
        if expected != is {
            wrong.push(format!("{what}: {is} instead of {expected}"));
        }
    };
    if mode == "audit" {
        let differing = planned + sides.extra;
        let verdict = if differing == 0 {
            "COMPLETE"
        } else {
            "INCOMPLETE"
        };
        return expect_verdict(view, verdict, wrong);
    }
    expect("planned", planned, view.number("/planned/objects"));
    expect("same", same, view.number("/skipped/by_reason/same"));
    expect(
        "archived",
        left_out,
        view.number("/skipped/by_reason/archived"),
    );
    if log.is_dry() {
        return expect_verdict(view, "PLANNED", wrong);
    }
    expect(
        "gone",
        gone,
        view.number("/skipped/by_reason/gone_at_source"),
    );
    expect(
        "copied",
        planned - failed - gone,
        view.number("/copied/objects"),
    );
    expect("failed", failed, view.number("/failed/objects"));
    expect_end(view, &sides, failed, wrong)
}

fn pictures_differ(view: &View<'_>, sides: &Sides) -> Vec<String> {
    let gone = gone_from_list(view);
    let (wrong, failed) = renditions::differs(view, &sides.source, gone);
    if view.log().is_dry() {
        return expect_verdict(view, "PLANNED", wrong);
    }
    expect_end(view, sides, failed, wrong)
}

/// What is deleted, and the verdict.
fn expect_end(view: &View<'_>, sides: &Sides, failed: u64, mut wrong: Vec<String>) -> Vec<String> {
    let mut is_complete = failed == 0;
    if view.log().mode() == "mirror" {
        let may_delete = may_delete(view, sides);
        let expected = if may_delete { sides.extra } else { 0 };
        let deleted = view.number("/deleted/objects");
        if deleted != expected {
            wrong.push(format!("deleted: {deleted} instead of {expected}"));
        }
        is_complete &= may_delete;
    }
    let verdict = if is_complete {
        "COMPLETE"
    } else {
        "INCOMPLETE"
    };
    expect_verdict(view, verdict, wrong)
}

/// Whether a mirror's deletions are within its limits, and meant.
fn may_delete(view: &View<'_>, sides: &Sides) -> bool {
    let input = &view.log().input;
    let number = |field: &str, default: u64| input[field].as_u64().unwrap_or(default);
    let within = sides.extra <= number("delete_max_objects", 10)
        || sides.extra * 100 <= number("delete_max_percent", 5) * sides.deletable;
    let is_meant = !sides.source.is_empty() || input["allow_empty_source"] == json!(true);
    sides.extra == 0 || (within && is_meant)
}

fn gone_from_list(view: &View<'_>) -> u64 {
    let keys = view.list().unwrap_or_default().iter();
    let stands = |key: &&String| view.seen.source.at(key, view.log().began_at).is_some();
    keys.filter(|key| !stands(key)).count() as u64
}

fn expect_verdict(view: &View<'_>, verdict: &str, mut wrong: Vec<String>) -> Vec<String> {
    if view.verdict() != verdict {
        let problem = &view.report["problem"]["message"];
        wrong.push(format!(
            "{} instead of {verdict}: {problem}",
            view.verdict()
        ));
    }
    wrong
}
