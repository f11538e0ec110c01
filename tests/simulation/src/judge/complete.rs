//! What COMPLETE means, and what INCOMPLETE must name.

use std::sync::Arc;

use shardlift_testkit::StoredObject;

use super::{
    Found,
    sameness::{is_archived, may_count_as_same},
    view::View,
};
use crate::{
    history::{Version, Who},
    pictures::{Arrival, arrival},
};

pub(super) fn judge(view: &View<'_>, found: &mut Found) {
    let is_judged = view.is_settled() && view.mode() != "audit";
    if !is_judged {
        return;
    }
    let verdict = view.verdict().to_owned();
    let named = view.named_keys();
    let is_partial = view.report["verified"]["is_partial"] == true;
    for relative in view.relatives(true) {
        let Some(wrong) = what_is_wrong(view, &relative) else {
            continue;
        };
        let is_named = named.contains(&relative) || named.contains(&view.source_key(&relative));
        match &*verdict {
            "COMPLETE" => found.push(("COMPLETE", wrong)),
            "INCOMPLETE" if view.log().rerun_of().is_none() && !is_named && !is_partial => {
                found.push(("INCOMPLETE", format!("it names not all: {wrong}")));
            }
            _ => {}
        }
    }
    if verdict == "COMPLETE" && view.mode() == "mirror" {
        check_extras(view, found);
    }
}

/// What is wrong with a key of the source that should stand at the target.
fn what_is_wrong(view: &View<'_>, relative: &str) -> Option<String> {
    let (began_at, ended_at) = (view.origin_began_at(), view.ended_at());
    let (source_key, target_key) = (view.source_key(relative), view.target_key(relative));
    let is_asked = view.list().is_none_or(|keys| keys.contains(&source_key));
    let versions = view.seen.source.between(&source_key, began_at, ended_at);
    if !is_asked || !view.fits(relative) || view.is_touched(&target_key, view.blind_since()) {
        return None;
    }
    // What is gone, or was, need not stand there.
    let versions: Vec<&Arc<StoredObject>> =
        versions.iter().map(Option::as_ref).collect::<Option<_>>()?;
    let skips_archived = view.asked("archived", "fail") == "skip";
    if skips_archived && versions.iter().any(|version| is_archived(version)) {
        return None;
    }
    let transform = view.transform();
    let arrivals: Vec<Arrival> = versions
        .iter()
        .map(|version| arrival(transform, version))
        .collect();
    // What is no image, or a broken one, has no rendition.
    if arrivals
        .iter()
        .any(|arrival| !matches!(arrival, Arrival::Object { .. }))
    {
        return None;
    }
    let at_target: Version = view.seen.target.at(&target_key, ended_at);
    let Some(at_target) = at_target else {
        return Some(format!("{relative:?} is missing"));
    };
    if arrivals.iter().any(|arrival| arrival.is(&at_target)) {
        return what_is_left_behind(view, relative, &versions, &at_target);
    }
    if !view.transform().is_null() {
        return what_is_no_rendition(view, relative, &versions);
    }
    // What the plan found the same stays as it stood.
    let stood = view
        .seen
        .target
        .between(&target_key, began_at, view.planned_at());
    let compare = view.asked("compare", "size_and_mtime");
    let is_same = view.mode() != "copy"
        && stood.iter().flatten().any(|stood| {
            stood == &at_target
                && versions
                    .iter()
                    .any(|version| may_count_as_same(compare, version, stood))
        });
    (!is_same).then(|| {
        let (is, should) = (&at_target.content, &versions[0].content);
        format!("{relative:?} holds {is:?} instead of {should:?}")
    })
}

/// What stands in the place of a rendition counts as one only if somebody else put it there after its image.
fn what_is_no_rendition(
    view: &View<'_>,
    relative: &str,
    versions: &[&Arc<StoredObject>],
) -> Option<String> {
    let changes = view.seen.target.changes(&view.target_key(relative));
    let last = changes.last()?;
    let is_foreign = last.who == Who::Other
        && versions
            .iter()
            .any(|version| last.at.as_epoch_seconds() > version.modified_at.as_epoch_seconds());
    (!is_foreign).then(|| format!("{relative:?} is no rendition that the run would make"))
}

/// Tags go along.
fn what_is_left_behind(
    view: &View<'_>,
    relative: &str,
    versions: &[&Arc<StoredObject>],
    at_target: &StoredObject,
) -> Option<String> {
    let changes = view.seen.target.changes(&view.target_key(relative));
    let is_own = changes.last().is_some_and(|change| view.is_own(change));
    let carries = versions
        .iter()
        .any(|version| version.tags == at_target.tags);
    (is_own && !carries).then(|| format!("{relative:?} has tags {:?}", at_target.tags))
}

/// A mirror leaves nothing that the source lacks.
fn check_extras(view: &View<'_>, found: &mut Found) {
    let (began_at, ended_at) = (view.origin_began_at(), view.ended_at());
    for relative in view.relatives(false) {
        let target_key = view.target_key(&relative);
        let source_key = view.source_key(&relative);
        let versions = view.seen.source.between(&source_key, began_at, ended_at);
        let is_extra = versions.iter().all(Option::is_none)
            && view.seen.target.at(&target_key, ended_at).is_some();
        if is_extra && !view.is_touched(&target_key, view.blind_since()) {
            found.push(("COMPLETE", format!("{relative:?} is not deleted")));
        }
    }
}
