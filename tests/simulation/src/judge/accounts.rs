//! The sums of a report and its lists (P4, P12).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Found, digest::NaiveDigest, view::View};
use crate::pictures::arrival;

pub(super) fn judge(view: &View<'_>, found: &mut Found) {
    check_reasons(view, found);
    if view.log().is_dry() || view.mode() == "audit" {
        return;
    }
    check_outcomes(view, found);
    if view.is_settled() {
        check_failures(view, found);
        check_receipts(view, found);
        check_newer(view, found);
        check_listing(view, found);
    }
}

fn check_reasons(view: &View<'_>, found: &mut Found) {
    let parts = |pointer: &str| -> u64 {
        let parts = view.report.pointer(pointer).and_then(Value::as_object);
        parts
            .into_iter()
            .flat_map(|parts| parts.values())
            .filter_map(Value::as_u64)
            .sum()
    };
    for field in ["failed", "skipped"] {
        let (whole, sum) = (
            view.number(&format!("/{field}/objects")),
            parts(&format!("/{field}/by_reason")),
        );
        if whole != sum {
            found.push(("P4", format!("{field}: {whole} objects, {sum} by reason")));
        }
    }
}

/// Every planned object has one outcome.
fn check_outcomes(view: &View<'_>, found: &mut Found) {
    let (planned, copied) = (
        view.number("/planned/objects"),
        view.number("/copied/objects"),
    );
    let (failed, skipped) = (
        view.number("/failed/objects"),
        view.number("/skipped/after_planning/objects"),
    );
    if planned != copied + failed + skipped {
        let text =
            format!("{planned} planned, {copied} copied, {failed} failed, {skipped} skipped");
        found.push(("P4", text));
    }
    let deleted: u64 = ["objects", "held", "back_at_source", "failed"]
        .iter()
        .map(|field| view.number(&format!("/deleted/{field}")))
        .sum();
    if deleted != view.number("/deleted/planned") {
        found.push(("P4", format!("deleted: {}", view.report["deleted"])));
    }
}

/// `failures.csv` names each failed object once.
fn check_failures(view: &View<'_>, found: &mut Found) {
    let mut keys = view.failed_keys();
    let failed = view.number("/failed/objects") + view.number("/deleted/failed");
    let named = keys.len() as u64;
    if named != failed {
        found.push(("P4", format!("{failed} failed, {named} in failures.csv")));
    }
    keys.sort();
    keys.dedup();
    if keys.len() as u64 != named {
        found.push(("P4", "failures.csv names a key twice".to_owned()));
    }
}

/// Each object has one receipt, and those of the objects that the run vouches for add up to its digest.
fn check_receipts(view: &View<'_>, found: &mut Found) {
    let Some(proof) = view.report.get("proof").filter(|proof| proof.is_object()) else {
        found.push(("P12", "a settled run has no proof".to_owned()));
        return;
    };
    let receipts = match view.receipts() {
        Ok(receipts) => receipts,
        Err(problem) => return found.push(("P4", problem)),
    };
    let mut vouched = NaiveDigest::default();
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut keys: BTreeMap<&str, u64> = BTreeMap::new();
    for receipt in &receipts {
        let text = |field: &str| receipt[field].as_str().unwrap_or_default();
        *outcomes.entry(text("outcome")).or_default() += 1;
        *keys.entry(text("key")).or_default() += 1;
        if ["copied", "same"].contains(&text("outcome")) {
            let size = receipt["size"].as_u64().unwrap_or_default();
            vouched.add(text("key"), text("etag"), size);
        }
    }
    if proof["digest"] != vouched.text().as_str() || proof["objects"] != vouched.objects {
        let text = format!("{} is not the sum of {} receipts", proof, vouched.objects);
        found.push(("P12", text));
    }
    if view.log().rerun_of().is_some() {
        return;
    }
    if let Some((key, count)) = keys.iter().find(|(_, count)| **count > 1) {
        found.push(("P4", format!("{key:?} has {count} receipts")));
    }
    for (outcome, pointer) in [
        ("copied", "/copied/objects"),
        ("deleted", "/deleted/objects"),
        ("same", "/skipped/by_reason/same"),
    ] {
        let count = outcomes.get(outcome).copied().unwrap_or_default();
        if count != view.number(pointer) {
            found.push((
                "P4",
                format!("{count} receipts {outcome}, {}", view.number(pointer)),
            ));
        }
    }
}

/// What was copied in a version that the plan cannot have seen is counted (P7).
fn check_newer(view: &View<'_>, found: &mut Found) {
    let (Some(planned_at), None) = (view.log().planned_at, view.log().rerun_of()) else {
        return;
    };
    let is_newer = |relative: &String| {
        let changes = view.seen.target.changes(&view.target_key(relative));
        let written = changes.last().filter(|change| view.is_own(change));
        let written = written.and_then(|change| change.version.as_ref());
        let source_key = view.source_key(relative);
        let began_at = view.log().began_at;
        let planned = view.seen.source.between(&source_key, began_at, planned_at);
        let transform = view.transform();
        let is_of_plan = |object| {
            let mut planned = planned.iter().flatten();
            planned.any(|version| arrival(transform, version).is(object))
        };
        written.is_some_and(|object| !is_of_plan(object))
    };
    let newer = view
        .relatives(false)
        .iter()
        .filter(|key| is_newer(key))
        .count() as u64;
    let counted = view.number("/copied_newer/objects");
    // A copy may count as failed all the same, when its response is lost.
    if newer > counted + view.number("/failed/objects") {
        found.push(("P7", format!("{newer} copied newer, {counted} counted")));
    }
}

/// The digest of a COMPLETE run is that of a listing of the target, if nobody else wrote there.
fn check_listing(view: &View<'_>, found: &mut Found) {
    let proof = &view.report["proof"];
    // Without a proof, a copier that was believed dead may have written the same bytes again, under another ETag.
    let is_known = view.verdict() == "COMPLETE"
        && (proof["method"] != "none" || !view.log().is_disturbed)
        && proof["beside"].is_object()
        && !view.is_any_touched(view.origin_began_at());
    if !is_known {
        return;
    }
    let mut listed = NaiveDigest::default();
    for (key, object) in view.cloud.buckets().objects(crate::story::TARGET) {
        if let Some(relative) = key.as_str().strip_prefix(&*view.seen.ground.target_prefix) {
            let attributes = &object.attributes;
            listed.add(relative, attributes.etag.as_str(), attributes.size_bytes);
        }
    }
    let mut reported = NaiveDigest::default();
    for set in [proof, &proof["beside"]] {
        let objects = set["objects"].as_u64().unwrap_or_default();
        reported.add_text(set["digest"].as_str().unwrap_or_default(), objects);
    }
    if listed != reported {
        let text = format!(
            "the target has {} objects, the proof and what is beside it {}; their digests differ or not",
            listed.objects, reported.objects
        );
        found.push(("P12", text));
    }
}
