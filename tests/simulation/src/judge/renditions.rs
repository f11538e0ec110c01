//! What a run with a transform must come to that nobody disturbed. A listing does not tell which rendition is of which options,
//! so that a naive model knows bounds alone: what must count as the same, and what may.

use std::sync::Arc;

use serde_json::Value;
use shardlift_core::value::time::Timestamp;
use shardlift_testkit::StoredObject;

use super::{sameness::is_archived, view::View};
use crate::{
    history::{Change, RunLog, Who},
    pictures::{Arrival, arrival},
};

/// How many objects of the source are of a kind: surely, and at most.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    least: u64,
    most: u64,
}

impl Bounds {
    /// One that is of the kind if it is planned; it is where nothing stands at the target.
    fn add(&mut self, may_be_same: bool) {
        self.most += 1;
        self.least += u64::from(!may_be_same);
    }

    fn check(self, what: &str, is: u64, wrong: &mut Vec<String>) {
        let Self { least, most } = self;
        if is < least || most < is {
            wrong.push(format!("{what}: {is} instead of {least} to {most}"));
        }
    }
}

/// How the counts of the report differ from what they should be, and how many objects failed.
pub(super) fn differs(
    view: &View<'_>,
    source: &[(String, Arc<StoredObject>)],
    gone: u64,
) -> (Vec<String>, u64) {
    let transform = view.transform();
    let skips_archived = view.asked("archived", "fail") == "skip";
    let [mut same, mut failed, mut no_image, mut left_out] = [Bounds::default(); 4];
    for (relative, object) in source {
        let (must, may) = sameness(view, relative, object, transform);
        same.least += u64::from(must);
        same.most += u64::from(may);
        let kind = if is_archived(object) && skips_archived {
            &mut left_out
        } else if is_archived(object) || !view.fits(relative) {
            &mut failed
        } else {
            match arrival(transform, object) {
                Arrival::Object { .. } => continue,
                Arrival::NoImage => &mut no_image,
                Arrival::Broken => &mut failed,
            }
        };
        kind.add(may);
    }
    let mut wrong = Vec::new();
    let reason = |reason: &str| view.number(&format!("/skipped/by_reason/{reason}"));
    same.check("same", reason("same"), &mut wrong);
    left_out.check("archived", reason("archived"), &mut wrong);
    let all = source.len() as u64 + gone;
    let found = view.number("/planned/objects") + reason("same") + reason("archived");
    if found != all {
        wrong.push(format!("{found} planned, same or archived of {all}"));
    }
    if !view.log().is_dry() {
        no_image.check("no image", reason("not_an_image"), &mut wrong);
        let is_gone_failed = view.asked("on_change", "copy_newer") == "fail";
        failed.least += if is_gone_failed { gone } else { 0 };
        failed.most += gone;
        failed.check("failed", view.number("/failed/objects"), &mut wrong);
    }
    (wrong, view.number("/failed/objects"))
}

/// Whether an object must count as rendered already, and whether it may.
fn sameness(
    view: &View<'_>,
    relative: &str,
    object: &StoredObject,
    transform: &Value,
) -> (bool, bool) {
    let began_at = view.log().began_at;
    let changes = view.seen.target.changes(&view.target_key(relative));
    let mut before = changes.iter().rev();
    let Some(last) = before.find(|change| change.at <= began_at) else {
        return (false, false);
    };
    let is_later = last.at.as_epoch_seconds() > object.modified_at.as_epoch_seconds();
    // Every story of pictures begins without a record of options.
    let may = view.log().mode() != "copy"
        && last.version.is_some()
        && last.who != Who::Before
        && is_later;
    (may && is_of_these_options(view, last, transform), may)
}

/// Whether a run with the same options wrote it, and none with others was under way since.
fn is_of_these_options(view: &View<'_>, change: &Change, transform: &Value) -> bool {
    let Who::Invocation(invocation) = change.who else {
        return false;
    };
    let writer = view.seen.invocations[invocation].run;
    let began_at = view.seen.runs[writer].began_at;
    let is_after_the_record =
        view.seen.runs[writer]
            .planned_at
            .is_some_and(|planned_at: Timestamp| {
                change.at.as_epoch_seconds() > planned_at.as_epoch_seconds()
            });
    let is_since = |log: &RunLog| {
        !log.id.is_empty() && log.ended_at.is_none_or(|ended_at| ended_at >= began_at)
    };
    let mut since = (0..view.seen.runs.len()).filter(|run| is_since(&view.seen.runs[*run]));
    is_after_the_record && since.all(|run| view.seen.asked(run)["transform"] == *transform)
}
