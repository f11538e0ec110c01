use super::*;
use crate::{
    shard::ShardOutcome,
    value::{
        id::{RunId, ShardId},
        skips::SkipReason,
    },
};

fn shard(number: u32, objects: u64, copied: u64) -> ShardRecord {
    let mut outcome = ShardOutcome::default();
    for index in 0..copied {
        outcome.progress.settle(u32::try_from(index).unwrap());
        outcome.tally.copied.add_object(10);
    }
    let mut shard = ShardRecord::ready(
        RunId::new("run").unwrap(),
        ShardId::new(format!("1-{number}")).unwrap(),
        ShardWork::CopyObjects,
        Count {
            objects,
            bytes: objects * 10,
        },
        0,
    );
    shard.state = if copied == objects {
        ShardState::Done
    } else {
        ShardState::Yielded
    };
    shard.outcome = outcome;
    shard
}

fn totals(shards: u64, objects: u64) -> PlanTotals {
    PlanTotals {
        planned: Count {
            objects,
            bytes: objects * 10,
        },
        shards,
        ..PlanTotals::default()
    }
}

#[test]
fn sums_that_agree_with_the_plan_are_no_contradiction() {
    let mut sums = Settlement::default();
    sums.add(&shard(0, 5, 5));
    sums.add(&shard(1, 3, 2));
    sums.hold_against(&totals(2, 8));
    assert_eq!(sums.contradiction(), None);
    assert_eq!(sums.next_round(1, 3), Some(RoundWork::Copying));
    assert_eq!(sums.next_round(3, 3), None);
    let all = sums.final_tally(FailureCode::ServiceFault);
    assert_eq!((all.settled_objects(), all.failed.bytes), (8, 10));
}

#[test]
fn a_lost_shard_is_a_contradiction() {
    let mut sums = Settlement::default();
    sums.add(&shard(0, 5, 5));
    sums.hold_against(&totals(2, 8));
    let failure = sums.contradiction().unwrap();
    assert_eq!(failure.code, FailureCode::InvariantViolated);
    assert!(failure.detail.contains("2 shards"), "{failure}");
}

#[test]
fn a_done_shard_with_an_object_unaccounted_for_is_a_contradiction() {
    let mut lying = shard(0, 5, 4);
    lying.state = ShardState::Done;
    let mut sums = Settlement::default();
    sums.add(&lying);
    assert!(sums.contradiction().unwrap().detail.contains("1-0"));
}

#[test]
fn counts_that_disagree_with_the_progress_map_are_a_contradiction() {
    let mut lying = shard(0, 5, 5);
    lying.outcome.progress.reopen(2);
    let mut sums = Settlement::default();
    sums.add(&lying);
    assert!(sums.contradiction().is_some());
}

#[test]
fn failures_without_a_list_are_a_contradiction() {
    let mut lying = shard(0, 5, 4);
    lying.outcome.progress.settle(4);
    lying
        .outcome
        .tally
        .failed
        .add_object(FailureCode::AccessDenied, 10);
    let mut sums = Settlement::default();
    sums.add(&lying);
    assert!(sums.contradiction().is_some());
}

#[test]
fn deleting_waits_until_everything_is_copied_and_then_has_a_round_of_its_own() {
    let deleting = |done: bool| {
        let mut shard = shard(9, 2, if done { 2 } else { 0 });
        shard.work = ShardWork::DeleteObjects;
        shard
    };
    let mut copying = Settlement::default();
    copying.add(&shard(0, 2, 1));
    copying.add(&deleting(false));
    assert_eq!(copying.next_round(1, 3), Some(RoundWork::Copying));

    let mut copied = Settlement::default();
    copied.add(&shard(0, 2, 2));
    copied.add(&deleting(false));
    assert_eq!(copied.next_round(3, 3), Some(RoundWork::Deleting));
    assert!(RoundWork::Deleting.includes(&deleting(false)));
    assert!(!RoundWork::Deleting.includes(&shard(0, 2, 1)));
    assert!(!RoundWork::Deleting.includes(&deleting(true)));
}

#[test]
fn an_object_that_failed_holds_back_no_deletion_and_a_shard_without_an_end_does() {
    let mut failed = shard(0, 2, 1);
    failed.state = ShardState::Done;
    failed.outcome.progress.settle(1);
    failed
        .outcome
        .tally
        .failed
        .add_object(FailureCode::AccessDenied, 10);
    failed.outcome.failures_key = Some("list".into());
    let mut deleting = shard(9, 2, 0);
    deleting.work = ShardWork::DeleteObjects;
    let mut sums = Settlement::default();
    sums.add(&failed);
    sums.add(&deleting);
    assert_eq!(sums.contradiction(), None);
    assert_eq!(sums.next_round(1, 3), Some(RoundWork::Deleting));
    assert_eq!(sums.open_deletes, 2);
    let mut unfinished = sums.clone();
    unfinished.add(&shard(1, 2, 1));
    assert_eq!(unfinished.next_round(1, 3), Some(RoundWork::Copying));
    assert_eq!(unfinished.next_round(3, 3), None);
    // What a retry may heal has its rounds first.
    let mut throttled = failed.clone();
    throttled.outcome.retryable = 1;
    sums.add(&throttled);
    assert_eq!(sums.next_round(1, 3), Some(RoundWork::Copying));
    assert_eq!(sums.next_round(3, 3), Some(RoundWork::Deleting));
}

#[test]
fn every_deletion_has_one_outcome_and_none_counts_as_a_skipped_copy() {
    let mut deleting = shard(9, 4, 0);
    deleting.work = ShardWork::DeleteObjects;
    deleting.state = ShardState::Done;
    deleting.attempts = 1;
    let outcome = &mut deleting.outcome;
    for index in 0..4 {
        outcome.progress.settle(index);
    }
    outcome.tally.deleted.add_object(10);
    outcome.tally.deleted.add_object(10);
    outcome
        .tally
        .skipped
        .add_object(SkipReason::BackAtSource, 10);
    outcome
        .tally
        .failed
        .add_object(FailureCode::AccessDenied, 10);
    outcome.failures_key = Some("list".into());
    let mut sums = Settlement::default();
    sums.add(&deleting);
    assert_eq!(sums.contradiction(), None);
    assert_eq!((sums.deletes, sums.tally.deleted.objects), (4, 2));
    let deleted = sums.deleted_count(FailureCode::ServiceFault);
    assert_eq!((deleted.back_at_source, deleted.failed), (1, 1));
    assert_eq!(
        deleted.failed_by_reason,
        [(FailureCode::AccessDenied, 1)].into()
    );
    let final_tally = sums.final_tally(FailureCode::ServiceFault);
    assert_eq!(final_tally.skipped.objects, 0);
    assert_eq!(final_tally.failed.objects, 0);
}
