use serde_json::{Value, json};

use super::*;
use crate::{
    failure::FailureCode,
    plan::{
        ShardBounds,
        range::{KeyRange, RangeState},
    },
    run::{
        input::RunInput,
        pair::Side,
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    value::{
        arn::{AccountId, ExecutionArn, Region},
        id::{RangeId, RunId},
        key::ObjectKey,
        object::ETag,
        storage::ObjectStorage,
        time::Timestamp,
    },
};

fn rules(mode: &str) -> WalkRules {
    rules_of(&json!({
        "source": {"bucket": "source", "prefix": "s/"},
        "target": {"bucket": "target", "prefix": "t/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        "mode": mode,
    }))
}

/// The rules of a run with this input.
pub(super) fn rules_of(input: &Value) -> WalkRules {
    let spec = RunInput::parse(input).and_then(RunSpec::settle).unwrap();
    let facts = BucketFacts {
        region: Region::new("eu-central-1").unwrap(),
        owner: AccountId::new("111111111111").unwrap(),
    };
    let execution = "arn:aws:states:eu-central-1:111111111111:execution:Sync:run";
    let run = RunRecord {
        schema_version: 1,
        run_id: RunId::new("run").unwrap(),
        execution_arn: ExecutionArn::new(execution).unwrap(),
        started_at: Timestamp::default(),
        spec,
        source: facts.clone(),
        target: facts,
        encryption: PairEncryption::default(),
        renditions_since: None,
        state: RunState::Planning,
        totals: PlanTotals::default(),
        expires_at: 0,
        revision: 1,
    };
    WalkRules::new(&run, ShardBounds::default()).unwrap()
}

fn walk(rules: &WalkRules) -> RangeWalk {
    RangeWalk::resume(&range(KeyRange::default()), rules)
}

/// A range that is not begun.
pub(super) fn range(bounds: KeyRange) -> RangeRecord {
    RangeRecord {
        schema_version: 1,
        run_id: RunId::new("run").unwrap(),
        range_id: RangeId::numbered(0),
        bounds,
        checkpoint: None,
        state: RangeState::Listing,
        expires_at: 0,
        revision: 1,
    }
}

pub(super) fn page(keys: &[&str], is_truncated: bool) -> ObjectPage {
    let object = |key: &&str| ListedObject {
        key: ObjectKey::new(*key).unwrap(),
        size_bytes: 1,
        etag: ETag::new("e").unwrap(),
        modified_at: Timestamp::default(),
        storage: ObjectStorage::default(),
        version_id: None,
    };
    ObjectPage {
        listed_through: None,
        objects: keys.iter().map(object).collect(),
        is_truncated,
    }
}

fn through(walk: &RangeWalk) -> Option<&str> {
    walk.through().map(RelativeKey::as_str)
}

#[test]
fn nothing_is_decided_past_what_both_sides_have_listed() {
    for (source, target, decided) in [
        (&["s/a", "s/b", "s/c"][..], &["t/a"][..], "a"),
        (&["s/a"][..], &["t/a", "t/b", "t/c"][..], "a"),
        (&["s/a", "s/d"][..], &["t/b", "t/c"][..], "c"),
    ] {
        let rules = rules("mirror");
        let mut walk = walk(&rules);
        walk.feed(Side::Source, page(source, true)).unwrap();
        assert!(walk.advance(&rules).is_empty());
        assert_eq!(through(&walk), None, "the target is not known yet");
        walk.feed(Side::Target, page(target, true)).unwrap();
        assert!(walk.advance(&rules).is_empty());
        assert_eq!(through(&walk), Some(decided));
        assert!(!walk.is_ended());
    }
}

#[test]
fn a_target_is_empty_only_when_a_page_said_so() {
    let rules = rules("mirror");
    let mut walk = walk(&rules);
    walk.feed(Side::Source, page(&["s/b"], false)).unwrap();
    assert!(walk.advance(&rules).is_empty());
    walk.feed(Side::Target, page(&["t/a"], true)).unwrap();
    assert!(walk.advance(&rules).is_empty());
    walk.feed(Side::Target, page(&[], false)).unwrap();
    let chunks = walk.advance(&rules);
    let [chunk] = &chunks[..] else {
        panic!("{chunks:?}")
    };
    assert!(chunk.ends_range && walk.is_ended());
    assert_eq!(chunk.copy_work.count.objects, 1);
    assert_eq!(chunk.delete_work.count.objects, 1);
}

#[test]
fn a_page_that_cannot_be_trusted_ends_the_walk_on_either_side() {
    for (side, first, again) in [(Side::Source, "s/b", "s/a"), (Side::Target, "t/b", "t/a")] {
        let rules = rules("mirror");
        let mut walk = walk(&rules);
        walk.feed(side, page(&[first], true)).unwrap();
        let refused = walk.feed(side, page(&[again], false)).unwrap_err();
        assert_eq!(refused.code, FailureCode::ListingIncomplete);
        assert!(walk.advance(&rules).is_empty());
        assert!(!walk.is_ended());
        assert!(walk.flush().is_none(), "nothing was merged");
    }
}

#[test]
fn a_copy_lists_no_target() {
    let rules = rules("copy");
    let mut walk = walk(&rules);
    assert_eq!(walk.next_request(Side::Target), None);
    let refused = walk.feed(Side::Target, page(&[], false)).unwrap_err();
    assert_eq!(refused.code, FailureCode::InvariantViolated);
    walk.feed(Side::Source, page(&["s/a"], false)).unwrap();
    assert!(walk.advance(&rules)[0].ends_range);
}

#[test]
fn a_walk_gives_up_only_what_it_has_not_merged() {
    let rules = rules("sync");
    let cut = |text: &str| RelativeKey::new(text).unwrap();
    let mut walk = walk(&rules);
    let keys = ["s/a", "s/f", "s/m", "s/z"];
    walk.feed(Side::Source, page(&keys, true)).unwrap();
    walk.feed(Side::Target, page(&["t/f"], true)).unwrap();
    walk.advance(&rules);
    assert_eq!(through(&walk), Some("f"));
    assert!(!walk.narrow(&cut("a")) && !walk.narrow(&cut("f")));
    assert!(walk.narrow(&cut("n")));
    // The target is listed to the cut before the range ends there.
    assert!(walk.advance(&rules).is_empty());
    assert!(walk.next_request(Side::Target).is_some());
    let rest = page(&["t/g", "t/y"], true);
    walk.feed(Side::Target, rest).unwrap();
    let chunks = walk.advance(&rules);
    assert!(chunks.last().unwrap().ends_range && walk.is_ended());
    assert_eq!(through(&walk), Some("m"));
    assert!(!walk.narrow(&cut("n")), "it is ended");
}

/// A page without objects that gets as far as `through`.
fn empty_page(through: &str) -> ObjectPage {
    ObjectPage {
        listed_through: Some(ObjectKey::new(through).unwrap()),
        ..page(&[], true)
    }
}

#[test]
fn a_stretch_without_objects_is_not_listed_again() {
    let copy = rules("copy");
    let mut walk = walk(&copy);
    walk.feed(Side::Source, empty_page("s/m")).unwrap();
    assert!(walk.advance(&copy).is_empty() && walk.has_moved());
    assert_eq!(through(&walk), Some("m"));
    let next = walk.next_request(Side::Source).unwrap();
    assert_eq!(next.after.unwrap().as_str(), "s/m");
    assert!(walk.flush().is_some(), "the checkpoint is written");
    assert!(walk.feed(Side::Source, empty_page("s/m")).is_err());
}

#[test]
fn a_stretch_without_objects_ends_where_the_target_has_some() {
    for (target, is_truncated, passed) in [
        (&["t/c"][..], true, "c"),
        (&["t/c", "t/z"][..], true, "m"),
        (&["t/c"][..], false, "m"),
        (&[][..], false, "m"),
    ] {
        let rules = rules("sync");
        let mut walk = walk(&rules);
        walk.feed(Side::Source, page(&["s/a"], true)).unwrap();
        walk.feed(Side::Target, page(target, is_truncated)).unwrap();
        walk.advance(&rules);
        walk.feed(Side::Source, empty_page("s/m")).unwrap();
        walk.advance(&rules);
        let reached = through(&walk).unwrap();
        assert!(reached <= passed, "{target:?}: {reached}");
        walk.feed(Side::Source, page(&[], false)).unwrap();
        if is_truncated {
            walk.feed(Side::Target, page(&[], false)).unwrap();
        }
        let kept: u64 = walk
            .advance(&rules)
            .iter()
            .map(|chunk| chunk.kept.beside.objects)
            .sum();
        assert_eq!(kept, target.len() as u64, "{target:?}");
        assert!(walk.is_ended());
    }
}
