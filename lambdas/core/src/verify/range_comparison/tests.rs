use serde_json::json;

use super::*;
use crate::verify::discrepancies::Discrepancy::{Archived, ChangedSinceStart, Different, Missing};
use crate::{
    failure::FailureCode,
    plan::range::KeyRange,
    report::Verification,
    run::{
        input::RunInput,
        option::{ArchivedPolicy, Verify},
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    value::{
        arn::{AccountId, ExecutionArn, Region},
        id::RunId,
        key::ObjectKey,
        object::{ETag, ListedObject},
        storage::ObjectStorage,
        time::Timestamp,
    },
    verify::{
        replanned_objects::{ReplannedObjects, changed_since},
        verified_range::VerifiedRanges,
    },
};

/// When the run began.
const STARTED_AT: Timestamp = Timestamp::from_millis(9_500);

fn run() -> RunRecord {
    let input = json!({
        "source": {"bucket": "source", "prefix": "s/"},
        "target": {"bucket": "target", "prefix": "t/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    });
    let facts = BucketFacts {
        region: Region::new("eu-central-1").unwrap(),
        owner: AccountId::new("111111111111").unwrap(),
    };
    let execution = "arn:aws:states:eu-central-1:111111111111:execution:Sync:run";
    RunRecord {
        schema_version: 1,
        run_id: RunId::new("run").unwrap(),
        execution_arn: ExecutionArn::new(execution).unwrap(),
        started_at: STARTED_AT,
        spec: RunInput::parse(&input).and_then(RunSpec::settle).unwrap(),
        source: facts.clone(),
        target: facts,
        encryption: PairEncryption::default(),
        state: RunState::Planned,
        totals: PlanTotals::default(),
        expires_at: 0,
        revision: 1,
    }
}

fn rules() -> VerifyRules {
    VerifyRules::new(&run(), ReplannedObjects::default()).unwrap()
}

/// An object written at this second.
fn object(key: &str, second: i64) -> ListedObject {
    ListedObject {
        key: ObjectKey::new(key).unwrap(),
        size_bytes: 1,
        etag: ETag::new("e").unwrap(),
        modified_at: Timestamp::from_millis(second * 1_000),
        storage: ObjectStorage::default(),
    }
}

fn page(keys: &[&str], is_truncated: bool) -> ObjectPage {
    ObjectPage {
        objects: keys.iter().map(|key| object(key, 1)).collect(),
        is_truncated,
    }
}

fn whole() -> VerifiedRanges {
    VerifiedRanges::begin(Vec::new())
}

/// The side and the start of the page that is needed next.
fn needs(comparison: &mut RangeComparison<'_>) -> (Side, Option<String>) {
    match comparison.advance().unwrap() {
        ComparisonStep::List(side, request) => (side, request.after.map(Into::into)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_that_no_listing_gives_is_an_incomplete_listing_on_either_side() {
    for (side, wrong) in [
        (Side::Source, page(&[], true)),
        (Side::Source, page(&["s/b", "s/a"], false)),
        (Side::Source, page(&["elsewhere"], false)),
        (Side::Target, page(&[], true)),
        (Side::Target, page(&["t/a", "t/a"], false)),
        (Side::Target, page(&["s/a"], false)),
    ] {
        let (rules, mut ranges) = (rules(), whole());
        let range = ranges.unfinished().next().unwrap();
        let mut comparison = RangeComparison::resume(range, &rules);
        assert_eq!(needs(&mut comparison), (Side::Source, None));
        if side == Side::Target {
            comparison
                .feed(Side::Source, page(&["s/a"], false))
                .unwrap();
            assert_eq!(needs(&mut comparison).0, Side::Target);
        }
        let refused = comparison.feed(side, wrong.clone()).unwrap_err();
        assert_eq!(refused.code, FailureCode::ListingIncomplete, "{wrong:?}");
        let named = format!("the listing of the {side}");
        assert!(refused.detail.contains(&named), "{}", refused.detail);
        assert!(!ranges.is_done());
    }
}

#[test]
fn what_a_page_holds_counts_once_its_end_is_compared() {
    let (rules, mut ranges) = (rules(), whole());
    let mut comparison = RangeComparison::resume(ranges.unfinished().next().unwrap(), &rules);
    assert_eq!(needs(&mut comparison), (Side::Source, None));
    let first = page(&["s/a", "s/b", "s/c"], true);
    comparison.feed(Side::Source, first).unwrap();
    assert_eq!(needs(&mut comparison).0, Side::Target);
    comparison.feed(Side::Target, page(&["t/b"], true)).unwrap();
    // The target is known up to b only.
    assert_eq!(needs(&mut comparison).0, Side::Target);
    drop(comparison);
    let range = ranges.unfinished().next().unwrap();
    assert_eq!((range.found.missing, &range.rest.after), (0, &None));

    let mut comparison = RangeComparison::resume(range, &rules);
    needs(&mut comparison);
    let first = page(&["s/a", "s/b", "s/c"], true);
    comparison.feed(Side::Source, first).unwrap();
    needs(&mut comparison);
    comparison
        .feed(Side::Target, page(&["t/b"], false))
        .unwrap();
    assert_eq!(comparison.advance().unwrap(), ComparisonStep::PageEnd);
    drop(comparison);
    let range = ranges.unfinished().next().unwrap();
    let after = range.rest.after.clone().unwrap();
    assert_eq!((range.found.missing, after.as_str()), (2, "c"));

    let mut comparison = RangeComparison::resume(range, &rules);
    let next = (Side::Source, Some("s/c".to_owned()));
    assert_eq!(needs(&mut comparison), next);
    comparison.feed(Side::Source, page(&[], false)).unwrap();
    assert_eq!(comparison.advance().unwrap(), ComparisonStep::Done);
    assert!(ranges.is_done());
}

#[test]
fn a_range_ends_at_its_bound() {
    let rules = rules();
    let cut = RelativeKey::new("b").unwrap();
    let (low, high) = KeyRange::default().split(cut).unwrap();
    let mut ranges = VerifiedRanges::begin(vec![low, high]);
    let mut comparison = RangeComparison::resume(ranges.unfinished().next().unwrap(), &rules);
    needs(&mut comparison);
    let beyond = page(&["s/a", "s/b", "s/c"], true);
    comparison.feed(Side::Source, beyond).unwrap();
    needs(&mut comparison);
    comparison.feed(Side::Target, page(&[], false)).unwrap();
    assert_eq!(comparison.advance().unwrap(), ComparisonStep::PageEnd);
    assert_eq!(comparison.advance().unwrap(), ComparisonStep::Done);
    drop(comparison);
    assert_eq!(ranges.unfinished().count(), 1);
    let verified = ranges.verification(crate::run::option::Verify::Relist);
    assert_eq!(verified.missing, 2);
}

#[test]
fn a_loss_is_distinguished_from_what_changed_since_the_run_began() {
    let judged = |source: i64, target: Option<i64>| {
        rules().judge(
            &object("s/a", source),
            target.map(|second| object("t/a", second)).as_ref(),
        )
    };
    assert_eq!(judged(1, Some(2)), None);
    assert_eq!(judged(2, Some(2)), None, "the same second is no doubt");
    assert_eq!(judged(2, Some(1)), Some(Judgment::Certain(Different)));
    assert_eq!(judged(1, None), Some(Judgment::Certain(Missing)));
    // Listings give whole seconds: it may have been written before the run began, or after.
    assert!(matches!(
        judged(9, None),
        Some(Judgment::Doubtful(Missing, _))
    ));
    assert_eq!(judged(10, None), Some(Judgment::Certain(ChangedSinceStart)));
    assert_eq!(
        judged(10, Some(1)),
        Some(Judgment::Certain(ChangedSinceStart))
    );
}

#[test]
fn what_was_left_out_as_archived_is_no_loss_and_what_could_be_read_is() {
    let mut run = run();
    let stored = |class: &str, is_restored| ListedObject {
        storage: ObjectStorage::listed(class, is_restored),
        ..object("s/a", 1)
    };
    let judged = |run: &RunRecord, source: &ListedObject| {
        let rules = VerifyRules::new(run, ReplannedObjects::default()).unwrap();
        rules.judge(source, None).unwrap()
    };
    let frozen = stored("GLACIER", false);
    assert_eq!(
        judged(&run, &frozen),
        Judgment::Certain(Missing),
        "it failed"
    );
    run.spec.archived = ArchivedPolicy::Skip;
    assert_eq!(judged(&run, &frozen), Judgment::Certain(Archived));
    let tiered = stored("INTELLIGENT_TIERING", false);
    assert_eq!(judged(&run, &tiered), Judgment::Certain(Archived));
    for readable in [stored("GLACIER", true), stored("GLACIER_IR", false)] {
        assert_eq!(judged(&run, &readable), Judgment::Certain(Missing));
    }
}

#[test]
fn no_more_is_explained_by_archived_objects_than_were_left_out() {
    let found = Verification {
        archived: 5,
        ..Verification::clean(Verify::Relist)
    };
    let explained = found.clone().with_skipped(5);
    assert_eq!((explained.missing, explained.archived), (0, 5));
    let short = found.with_skipped(3);
    assert_eq!((short.missing, short.archived), (2, 3));
    assert!(!short.agrees());
}

#[test]
fn what_a_rerun_planned_is_its_own_however_late_it_changed() {
    let mut run = run();
    run.spec.rerun = Some(crate::run::rerun::Rerun {
        of: RunId::new("earlier").unwrap(),
        shards: None,
        not_chosen: Default::default(),
        not_chosen_before: Default::default(),
        deletions_held: false,
        listed_by: RunId::new("earlier").unwrap(),
        listed_since: Timestamp::from_millis(5_000),
        archived_before: 0,
    });
    let planned = [object("s/late", 7)];
    let replanned = ReplannedObjects::new(changed_since(&planned, Timestamp::from_millis(5_000)));
    let rules = VerifyRules::new(&run, replanned).unwrap();
    let late = rules.judge(&planned[0], None);
    assert_eq!(late, Some(Judgment::Certain(Missing)));
    let unplanned = rules.judge(&object("s/other", 7), None);
    assert_eq!(unplanned, Some(Judgment::Certain(ChangedSinceStart)));
}

#[test]
fn doubts_are_kept_page_by_page_and_beyond_their_limit_judged_as_they_look() {
    let of_parts = |key: &str, etag: &str| ListedObject {
        etag: ETag::new(etag).unwrap(),
        ..object(key, 1)
    };
    let (rules, mut ranges) = (rules(), whole());
    let range = ranges.unfinished().next().unwrap();
    range.doubts_max = 2;
    let mut comparison = RangeComparison::resume(range, &rules);
    needs(&mut comparison);
    let objects = ["s/a", "s/b", "s/c"].map(|key| of_parts(key, "now-2"));
    let page_of_source = ObjectPage {
        objects: objects.into(),
        is_truncated: false,
    };
    comparison.feed(Side::Source, page_of_source).unwrap();
    needs(&mut comparison);
    comparison.feed(Side::Target, page(&[], false)).unwrap();
    assert_eq!(comparison.advance().unwrap(), ComparisonStep::PageEnd);
    assert_eq!(comparison.advance().unwrap(), ComparisonStep::Done);
    drop(comparison);
    let found = |ranges: &VerifiedRanges| {
        let found = ranges.verification(crate::run::option::Verify::Relist);
        (found.missing, found.changed_since_start)
    };
    assert_eq!(found(&ranges), (1, 0), "the third one");
    let mut planned = ranges.doubted();
    assert_eq!(planned.len(), 2);
    let version = planned.values_mut().next().unwrap();
    *version = Some(ETag::new("now-2").unwrap());
    ranges.settle_doubts(&planned);
    assert_eq!(found(&ranges), (2, 1));
    assert!(ranges.doubted().is_empty());
}
