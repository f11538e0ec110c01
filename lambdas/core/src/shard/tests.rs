//! What a shard may go through, and what it must refuse.

use super::*;
use crate::failure::{Failure, FailureCode};
use crate::value::{
    id::{RunId, ShardId},
    tally::Count,
    time::Timestamp,
};

fn shard(objects: u64) -> ShardRecord {
    ShardRecord::ready(
        RunId::new("run").unwrap(),
        ShardId::new("r0-1").unwrap(),
        ShardWork::CopyObjects,
        Count {
            objects,
            bytes: objects,
        },
        0,
    )
}

fn claim(shard: &ShardRecord) -> (ShardRecord, u64) {
    let claimed = shard
        .apply(ShardEvent::Claim {
            now: Timestamp::default(),
            expires_at: Timestamp::from_millis(1),
        })
        .unwrap();
    let token = claimed.lease.unwrap().token;
    (claimed, token)
}

fn copied(indices: std::ops::Range<u32>) -> ShardOutcome {
    let mut outcome = ShardOutcome::default();
    for index in indices {
        outcome.progress.settle(index);
        outcome.tally.copied.add_object(1);
    }
    outcome
}

#[test]
fn a_shard_is_claimed_yielded_claimed_and_finished() {
    let (claimed, token) = claim(&shard(2));
    let yielded = claimed
        .apply(ShardEvent::Yield {
            now: Timestamp::default(),
            token,
            outcome: copied(0..1),
            writes_taken: 1,
        })
        .unwrap();
    assert_eq!((yielded.state, yielded.lease), (ShardState::Yielded, None));
    let (claimed, token) = claim(&yielded);
    let done = claimed
        .apply(ShardEvent::Finish {
            now: Timestamp::default(),
            token,
            outcome: copied(0..2),
        })
        .unwrap();
    assert_eq!((done.state, done.attempts), (ShardState::Done, 2));
    assert!(
        done.apply(ShardEvent::Claim {
            now: Timestamp::default(),
            expires_at: Timestamp::default()
        })
        .is_err()
    );
}

#[test]
fn the_problem_of_a_copier_is_not_blamed_for_the_end_of_the_next_one() {
    let (claimed, token) = claim(&shard(2));
    let stopped = claimed
        .apply(ShardEvent::Stop {
            token,
            outcome: copied(0..1),
            problem: Failure::new(FailureCode::RoleUnavailable, "refused"),
        })
        .unwrap();
    assert_eq!(
        stopped.problem.as_ref().unwrap().code,
        FailureCode::RoleUnavailable
    );
    let (claimed, token) = claim(&stopped);
    assert_eq!(
        claimed.problem, None,
        "it may be killed before its next write"
    );
    let yielded = claimed
        .apply(ShardEvent::Yield {
            now: Timestamp::default(),
            token,
            outcome: copied(0..1),
            writes_taken: 1,
        })
        .unwrap();
    assert_eq!(yielded.problem, None);
}

#[test]
fn a_copier_that_lost_its_shard_is_refused() {
    let (first, lost) = claim(&shard(2));
    let (second, held) = claim(&first);
    assert!(held > lost);
    assert!(
        second
            .apply(ShardEvent::Checkpoint {
                now: Timestamp::default(),
                token: lost,
                outcome: copied(0..1)
            })
            .is_err()
    );
    assert!(
        second
            .apply(ShardEvent::Checkpoint {
                now: Timestamp::default(),
                token: held,
                outcome: copied(0..1)
            })
            .is_ok()
    );
}

#[test]
fn nothing_is_finished_without_an_outcome_for_every_object() {
    let (claimed, token) = claim(&shard(2));
    assert!(
        claimed
            .apply(ShardEvent::Finish {
                now: Timestamp::default(),
                token,
                outcome: copied(0..1)
            })
            .is_err()
    );
    let mut twice = copied(0..1);
    twice.tally.copied.add_object(1);
    assert!(
        claimed
            .apply(ShardEvent::Finish {
                now: Timestamp::default(),
                token,
                outcome: twice
            })
            .is_err(),
        "counted twice is not settled twice"
    );
}

#[test]
fn settled_objects_are_never_unsettled_by_a_copier() {
    let (claimed, token) = claim(&shard(3));
    let checkpointed = claimed
        .apply(ShardEvent::Checkpoint {
            now: Timestamp::default(),
            token,
            outcome: copied(0..2),
        })
        .unwrap();
    assert!(
        checkpointed
            .apply(ShardEvent::Checkpoint {
                now: Timestamp::default(),
                token,
                outcome: copied(0..1)
            })
            .is_err()
    );
}

#[test]
fn invocations_that_got_nowhere_are_counted_until_one_gets_somewhere() {
    let mut record = shard(2);
    for (writes_taken, expected) in [(0, 1), (0, 2), (1, 0), (0, 1)] {
        let (claimed, token) = claim(&record);
        let outcome = ShardOutcome::default();
        let event = ShardEvent::Yield {
            now: Timestamp::default(),
            token,
            outcome,
            writes_taken,
        };
        record = claimed.apply(event).unwrap();
        assert_eq!(record.idle_yields, expected);
    }
}

#[test]
fn only_a_later_round_offers_a_shard_again() {
    let (claimed, token) = claim(&shard(1));
    let mut failed = ShardOutcome::default();
    failed.progress.settle(0);
    failed.tally.failed.add_object(FailureCode::Throttled, 1);
    failed.retryable = 1;
    let done = claimed
        .apply(ShardEvent::Finish {
            now: Timestamp::default(),
            token,
            outcome: failed,
        })
        .unwrap();
    assert!(
        done.apply(ShardEvent::Reoffer {
            round: 1,
            outcome: ShardOutcome::default()
        })
        .is_err()
    );
    let again = done
        .apply(ShardEvent::Reoffer {
            round: 2,
            outcome: ShardOutcome::default(),
        })
        .unwrap();
    assert_eq!((again.state, again.round), (ShardState::Ready, 2));
}

#[test]
fn every_event_but_a_claim_and_an_offer_needs_a_copier() {
    let ready = shard(1);
    for event in [
        ShardEvent::Checkpoint {
            now: Timestamp::default(),
            token: 1,
            outcome: copied(0..1),
        },
        ShardEvent::Yield {
            now: Timestamp::default(),
            token: 1,
            outcome: copied(0..1),
            writes_taken: 1,
        },
        ShardEvent::Finish {
            now: Timestamp::default(),
            token: 1,
            outcome: copied(0..1),
        },
    ] {
        assert!(ready.apply(event).is_err());
    }
}

#[test]
fn an_ordinary_record_fits_one_write_unit() {
    let record = shard(10_000);
    assert!(
        serde_json::to_string(&record).unwrap().len() < 1_300,
        "JSON's punctuation is not stored"
    );
    let back: ShardRecord = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    assert_eq!(back, record);
}

#[test]
fn what_is_copied_is_sampled_at_checkpoints_and_where_a_copier_stops_in_time() {
    let at = Timestamp::from_millis;
    let claim = ShardEvent::Claim {
        now: at(1_000),
        expires_at: at(9_000),
    };
    let claimed = shard(3).apply(claim).unwrap();
    let token = claimed.revision;
    let checkpoint = ShardEvent::Checkpoint {
        now: at(4_000),
        token,
        outcome: copied(0..1),
    };
    let give_back = ShardEvent::Yield {
        now: at(8_000),
        token,
        outcome: copied(0..2),
        writes_taken: 1,
    };
    let record = claimed.apply(checkpoint).unwrap().apply(give_back).unwrap();
    let samples: Vec<(i64, u64)> = record
        .samples
        .since(at(1_000))
        .map(|(at, copied)| (at.as_millis(), copied.objects))
        .collect();
    assert_eq!(samples, [(4_000, 1), (8_000, 2)]);
}
