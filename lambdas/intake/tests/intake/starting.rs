//! What starts a run, and which.

use serde_json::json;
use shardlift_core::{
    port::{EventLists, Ledger},
    run::{lock::LockState, option::Mode},
};

use crate::world::{World, event, locked, run_ended, s3_event};

#[tokio::test]
async fn a_batch_starts_one_run_over_its_keys_and_holds_the_pair_for_it() {
    let world = World::new();
    let hostile = ["data/a b+%41", "data/\u{fc}\n\"", "data//", "data/a b+%41"];
    let messages: Vec<_> = hostile
        .iter()
        .zip(1..)
        .map(|(key, at)| event(key, at))
        .collect();
    assert_eq!(world.take(&messages).await.unwrap().failures, []);
    let [run_id] = world.running().try_into().unwrap();
    let keys = world.keys_of(&run_id);
    // One of them may be URL-encoded or not: both keys are looked at.
    assert_eq!(keys.len(), 4);
    assert!(hostile.iter().all(|key| keys.contains(*key)));
    let input = world.input(&run_id);
    assert_eq!(input.mode, Some(Mode::Sync));
    let events = input.events.unwrap();
    assert_eq!((events.objects, events.lists.len()), (4, 1));
    let lock = world.ledger.read_lock(&locked()).await.unwrap().unwrap();
    assert_eq!((lock.run_id, lock.state), (run_id, LockState::Held));
}

#[tokio::test]
async fn what_the_filters_leave_out_starts_nothing_and_writes_nothing() {
    let world = World::new();
    let deleted = s3_event("data/a", "Object Deleted", 1);
    let messages = [event("data/a.tmp", 1), event("other/a", 1), deleted];
    assert_eq!(world.take(&messages).await.unwrap().failures, []);
    assert_eq!(world.running(), []);
    assert_eq!(world.script.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_mirror_looks_at_deletions_too() {
    let mut world = World::new();
    world.mode = Mode::Mirror;
    world
        .take(&[s3_event("data/a", "Object Deleted", 1)])
        .await
        .unwrap();
    let [run_id] = world.running().try_into().unwrap();
    assert_eq!(world.input(&run_id).mode, Some(Mode::Mirror));
}

#[tokio::test]
async fn a_message_that_cannot_be_read_comes_again_and_holds_no_other_up() {
    let world = World::new();
    let nonsense = json!({"source": "aws.ec2", "detail-type": "x"});
    let reply = world.take(&[event("data/a", 1), nonsense]).await.unwrap();
    let failed: Vec<&str> = reply.failures.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(failed, ["m1"]);
    assert_eq!(world.running().len(), 1);
}

#[tokio::test]
async fn of_a_message_with_one_bad_record_the_good_ones_are_taken() {
    let world = World::new();
    let record = |key: &str| {
        json!({
            "eventName": "ObjectCreated:Put", "eventTime": "2026-11-22T11:59:00Z",
            "s3": {"bucket": {"name": "source"}, "object": {"key": key, "sequencer": "01"}},
        })
    };
    let message = json!({"Records": [record("data/a"), record("data/%zz"), record("data/b")]});
    for _ in 0..2 {
        let reply = world.take(std::slice::from_ref(&message)).await.unwrap();
        let failed: Vec<&str> = reply.failures.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(failed, ["m0"], "nothing of it is forgotten");
    }
    assert_eq!(world.starts.runs().len(), 1);
    let looked = world.settle().await;
    assert_eq!(looked.into_keys().collect::<Vec<_>>(), ["data/a", "data/b"]);
}

#[tokio::test]
async fn a_batch_that_comes_twice_starts_one_run_whenever_it_comes_again() {
    let world = World::new();
    let (one, two) = (event("data/a", 1), event("data/b", 2));
    world.take(&[one.clone(), two.clone()]).await.unwrap();
    world
        .take(&[two.clone(), one.clone(), two.clone()])
        .await
        .unwrap();
    assert_eq!(world.starts.runs().len(), 1);
    assert_eq!(world.settle().await.len(), 2);
    // After its end, too.
    world.take(&[two, one]).await.unwrap();
    assert_eq!(world.starts.runs().len(), 1);
    assert_eq!(world.control.waiting().await.unwrap(), []);
    let lock = world.ledger.read_lock(&locked()).await.unwrap();
    assert!(lock.is_none_or(|lock| lock.state == LockState::GivenUp));
}

#[tokio::test]
async fn without_events_the_end_of_a_run_starts_nothing() {
    let world = World::new();
    world.take(&[run_ended()]).await.unwrap();
    assert_eq!(world.running(), []);
    assert_eq!(world.script.calls(), ["s3:ListBucket"]);
}

#[tokio::test(start_paused = true)]
async fn intakes_at_once_start_one_run() {
    for _ in 0..20 {
        let world = World::new();
        let (one, two) = ([event("data/a", 1)], [event("data/b", 2)]);
        let (first, second) = tokio::join!(world.take(&one), world.take(&two));
        // One of them may be told that the lock changes hands; its messages come again.
        assert!(first.is_ok() || second.is_ok());
        assert_eq!(world.running().len(), 1);
        world.take(&one).await.unwrap();
        world.take(&two).await.unwrap();
        assert_eq!(world.settle().await.len(), 2);
    }
}

#[tokio::test]
async fn a_permission_that_is_missing_fails_the_batch_and_loses_nothing() {
    for denied in [
        "s3:PutObject",
        "s3:ListBucket",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "states:StartExecution",
    ] {
        let world = World::new();
        world.script.deny(denied);
        let failure = world.take(&[event("data/a", 1)]).await.unwrap_err();
        assert!(failure.to_string().contains(denied), "{denied}: {failure}");
        world.script.clear();
        world.take(&[event("data/a", 1)]).await.unwrap();
        assert_eq!(world.settle().await.len(), 1, "{denied}");
    }
}
