use super::*;
use crate::{
    failure::FailureCode,
    value::{key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp},
};

fn object(key: &str) -> ListedObject {
    ListedObject {
        key: ObjectKey::new(key).unwrap(),
        size_bytes: 7,
        etag: ETag::new("e").unwrap(),
        modified_at: Timestamp::default(),
        storage: ObjectStorage::default(),
        version_id: None,
    }
}

fn key(key: &str) -> RelativeKey {
    RelativeKey::new(key).unwrap()
}

fn version() -> TargetVersion {
    TargetVersion {
        etag: ETag::new("t").unwrap(),
        version_id: None,
        size_bytes: 7,
    }
}

fn copied(notes: CopyNotes) -> ObjectOutcome {
    ObjectOutcome::Copied(version(), notes)
}

fn lists(settled: &SettledObjects) -> SettledLists {
    SettledLists {
        failed: settled.failures().cloned().collect(),
        noted: settled.notes().cloned().collect(),
        receipts: settled.receipts().cloned().collect(),
    }
}

fn failed(code: FailureCode) -> ObjectOutcome {
    ObjectOutcome::Failed(Failure::new(code, "detail"))
}

#[test]
fn counts_map_and_list_agree() {
    let mut settled = SettledObjects::default();
    settled.settle(0, (key("a"), &object("a")), copied(CopyNotes::default()));
    settled.settle(
        2,
        (key("c"), &object("c")),
        failed(FailureCode::AccessDenied),
    );
    settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
    let outcome = settled.outcome();
    assert_eq!(
        outcome.tally.settled_objects(),
        outcome.progress.settled_count()
    );
    assert_eq!(outcome.retryable, 1);
    let indices: Vec<u32> = settled.failures().map(|failed| failed.index).collect();
    assert_eq!(indices, [1, 2]);
}

#[test]
fn what_the_record_settled_is_resumed_and_no_more() {
    let mut settled = SettledObjects::default();
    settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
    let recorded = settled.outcome().clone();
    settled.settle(5, (key("f"), &object("f")), failed(FailureCode::Throttled));
    let resumed = SettledObjects::resume(recorded.clone(), lists(&settled)).unwrap();
    assert_eq!(resumed.outcome(), &recorded);
    assert_eq!(resumed.failures().len(), 1);
}

#[test]
fn a_list_that_lost_a_failed_object_is_refused() {
    let mut settled = SettledObjects::default();
    settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
    let lost = SettledLists {
        failed: Vec::new(),
        ..lists(&settled)
    };
    let refused = SettledObjects::resume(settled.outcome().clone(), lost).unwrap_err();
    assert_eq!(refused.code, FailureCode::InvariantViolated);
}

#[test]
fn notes_are_counted_listed_and_resumed() {
    let mut settled = SettledObjects::default();
    let notes = CopyNotes {
        notes: vec![Note::ProvenByEtag, Note::TagsLeftBehind],
        newer: None,
    };
    settled.settle(0, (key("a"), &object("a")), copied(notes));
    let outcome = settled.outcome().clone();
    assert_eq!(outcome.notes["proven_by_etag"], 1);
    let listed = lists(&settled);
    let resumed = SettledObjects::resume(outcome.clone(), listed.clone()).unwrap();
    assert_eq!(resumed.notes().len(), 1);
    let lost = SettledLists {
        noted: Vec::new(),
        ..listed
    };
    assert!(SettledObjects::resume(outcome, lost).is_err());
}

#[test]
fn a_newer_version_is_named_and_counts_with_the_planned_size() {
    let mut settled = SettledObjects::default();
    let newer = ArrivedVersion {
        etag: ETag::new("newer").unwrap(),
        size_bytes: 9,
    };
    let copy = CopyNotes {
        notes: Vec::new(),
        newer: Some(newer.clone()),
    };
    settled.settle(0, (key("a"), &object("a")), copied(copy));
    settled.settle(
        1,
        (key("b"), &object("b")),
        ObjectOutcome::Skipped(SkipReason::GoneAtSource),
    );
    let outcome = settled.outcome();
    assert_eq!((outcome.tally.copied.bytes, outcome.newer.bytes), (7, 9));
    assert_eq!(outcome.newer.planned_bytes, 7);
    assert_eq!(outcome.notes["copied_newer"], 1);
    assert_eq!(outcome.tally.settled_objects(), 2);
    let noted = settled.notes().next().unwrap();
    assert_eq!(noted.arrived, Some(newer));
}

#[test]
fn receipts_sum_to_what_the_record_vouches_for() {
    let mut settled = SettledObjects::default();
    let notes = CopyNotes {
        notes: vec![Note::TagsLeftBehind, Note::ProvenByParts],
        newer: None,
    };
    settled.settle(0, (key("a"), &object("a")), copied(notes));
    settled.settle(1, (key("b"), &object("b")), failed(FailureCode::Throttled));
    let mut expected = SetSum::default();
    expected.add_object("a", &version().etag, 7);
    assert_eq!(settled.outcome().vouched, expected);
    let listed = lists(&settled);
    assert_eq!(listed.receipts[0].proof, Some(Note::ProvenByParts));
    assert_eq!(listed.receipts[1].reason.as_deref(), Some("Throttled"));

    let recorded = settled.outcome().clone();
    settled.settle(2, (key("c"), &object("c")), copied(CopyNotes::default()));
    let resumed = SettledObjects::resume(recorded.clone(), lists(&settled)).unwrap();
    assert_eq!(
        resumed.receipts().len(),
        2,
        "what the record does not count is open"
    );
    let distortions: [fn(&mut SettledLists); 3] = [
        |lists| lists.receipts[0].size = Some(8),
        |lists| drop(lists.receipts.remove(0)),
        |lists| drop(lists.receipts.remove(1)),
    ];
    for distort in distortions {
        let mut distorted = listed.clone();
        distort(&mut distorted);
        let refused = SettledObjects::resume(recorded.clone(), distorted).unwrap_err();
        assert_eq!(refused.code, FailureCode::InvariantViolated);
    }
}

#[test]
fn what_is_deleted_stands_beside_no_more() {
    let mut sum = SetSum::default();
    sum.add_object("b", &ETag::new("e").unwrap(), 7);
    let left = sum;
    sum.add_object("a", &ETag::new("e").unwrap(), 7);
    let outcome = ShardOutcome {
        beside: sum,
        ..ShardOutcome::default()
    };
    let mut settled = SettledObjects::resume(outcome, SettledLists::default()).unwrap();
    settled.settle(0, (key("a"), &object("a")), ObjectOutcome::Deleted);
    settled.settle(
        1,
        (key("b"), &object("b")),
        failed(FailureCode::AccessDenied),
    );
    assert_eq!(settled.outcome().beside, left);
}

#[test]
#[should_panic(expected = "settled twice")]
fn an_object_has_one_outcome() {
    let mut settled = SettledObjects::default();
    settled.settle(0, (key("a"), &object("a")), copied(CopyNotes::default()));
    settled.settle(0, (key("a"), &object("a")), failed(FailureCode::Throttled));
}
