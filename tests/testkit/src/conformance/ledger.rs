use std::collections::BTreeMap;

use shardlift_core::{
    plan::KeptRecord,
    port::{Ledger, PlanStep, PutOutcome},
    run::lock::{LockRecord, LockState},
    shard::ShardRecord,
    value::id::{RunId, ShardId},
};

use super::{kept_record, lock_record, range_record, renditions_record, run_record, shard_record};

/// What every ledger does. `run_id` names records that nobody else uses.
pub async fn ledger_keeps_its_promises(ledger: &impl Ledger, run_id: &str) {
    runs_are_created_once_and_replaced_in_order(ledger, run_id).await;
    shards_are_created_once_and_replaced_in_order(ledger, run_id).await;
    a_plan_step_is_all_or_nothing(ledger, &format!("{run_id}-step")).await;
    every_list_of_what_is_kept_is_on_exactly_one_page(ledger, &format!("{run_id}-kept")).await;
    every_shard_is_on_exactly_one_page(ledger, &format!("{run_id}-pages")).await;
    a_lock_is_removed_by_its_holder_only(ledger, run_id).await;
    renditions_of_a_bucket_are_found_together(ledger, run_id).await;
    assert!(!ledger.requests().is_empty(), "requests are counted");
}

async fn renditions_of_a_bucket_are_found_together(ledger: &impl Ledger, run_id: &str) {
    let bucket = format!("renditions-{}", run_id.to_lowercase());
    let mut one = renditions_record(&bucket, "");
    let other = renditions_record(&bucket, "thumbs/\u{1f680}");
    let refused = ledger.replace_renditions(&one).await;
    assert_eq!(refused, Ok(PutOutcome::Refused), "nothing to replace");
    for record in [&one, &other] {
        let written = ledger.create_renditions(record).await;
        assert_eq!(written, Ok(PutOutcome::Written));
        let again = ledger.create_renditions(record).await;
        assert_eq!(again, Ok(PutOutcome::Refused));
    }
    one.made = None;
    one.revision = 2;
    let written = ledger.replace_renditions(&one).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    let again = ledger.replace_renditions(&one).await;
    assert_eq!(again, Ok(PutOutcome::Refused));
    let found = ledger.read_renditions(&one.place.bucket).await;
    let mut found = found.expect("the records");
    found.sort_by(|one, other| one.place.cmp(&other.place));
    assert_eq!(found, [one, other]);
    let elsewhere = renditions_record("somewhere-else", "").place.bucket;
    assert_eq!(ledger.read_renditions(&elsewhere).await, Ok(Vec::new()));
}

async fn runs_are_created_once_and_replaced_in_order(ledger: &impl Ledger, run_id: &str) {
    let mut run = run_record(run_id);
    assert_eq!(ledger.read_run(&run.run_id).await, Ok(None));
    assert_eq!(
        ledger.replace_run(&run).await,
        Ok(PutOutcome::Refused),
        "nothing is there to replace"
    );
    assert_eq!(ledger.create_run(&run).await, Ok(PutOutcome::Written));
    assert_eq!(ledger.create_run(&run).await, Ok(PutOutcome::Refused));
    assert_eq!(ledger.read_run(&run.run_id).await, Ok(Some(run.clone())));
    run.revision = 2;
    run.totals.shards = 9;
    assert_eq!(ledger.replace_run(&run).await, Ok(PutOutcome::Written));
    assert_eq!(
        ledger.replace_run(&run).await,
        Ok(PutOutcome::Refused),
        "revision 2 replaces revision 1 only"
    );
    assert_eq!(ledger.read_run(&run.run_id).await, Ok(Some(run)));
}

async fn shards_are_created_once_and_replaced_in_order(ledger: &impl Ledger, run_id: &str) {
    let mut shard = shard_record(run_id, "1-0");
    let (run_id, shard_id) = (shard.run_id.clone(), shard.shard_id.clone());
    assert_eq!(ledger.read_shard(&run_id, &shard_id).await, Ok(None));
    assert_eq!(ledger.create_shard(&shard).await, Ok(PutOutcome::Written));
    assert_eq!(ledger.create_shard(&shard).await, Ok(PutOutcome::Refused));
    let stored = ledger.read_shard(&run_id, &shard_id).await;
    assert_eq!(stored, Ok(Some(shard.clone())), "every field comes back");
    shard.revision = 2;
    shard.lease = None;
    shard.problem = None;
    shard.outcome.failures_key = None;
    shard.outcome.uploads.clear();
    assert_eq!(ledger.replace_shard(&shard).await, Ok(PutOutcome::Written));
    assert_eq!(ledger.replace_shard(&shard).await, Ok(PutOutcome::Refused));
    let stored = ledger.read_shard(&run_id, &shard_id).await;
    assert_eq!(stored, Ok(Some(shard)), "absent fields stay absent");
}

async fn a_plan_step_is_all_or_nothing(ledger: &impl Ledger, run_id: &str) {
    let first = PlanStep {
        shards: vec![shard_record(run_id, "1-0"), shard_record(run_id, "1-1")],
        kept: vec![kept_record(run_id, "1-7")],
        new_ranges: vec![range_record(run_id, 0)],
        ranges: Vec::new(),
    };
    assert_eq!(ledger.commit_plan(&first).await, Ok(PutOutcome::Written));
    let mut range = range_record(run_id, 0);
    range.revision = 2;
    range.checkpoint = None;
    let mut step = PlanStep {
        shards: vec![shard_record(run_id, "1-2"), shard_record(run_id, "1-1")],
        kept: vec![kept_record(run_id, "1-8")],
        new_ranges: vec![range_record(run_id, 1)],
        ranges: vec![range.clone()],
    };
    assert_eq!(
        ledger.commit_plan(&step).await,
        Ok(PutOutcome::Refused),
        "1-1 exists"
    );
    let id = RunId::new(run_id).expect("a run id");
    let absent = ShardId::new("1-2").expect("a shard id");
    assert_eq!(ledger.read_shard(&id, &absent).await, Ok(None));
    assert_eq!(
        ledger.read_ranges(&id).await,
        Ok(vec![range_record(run_id, 0)])
    );
    let kept = ledger.read_kept(&id, None).await.expect("a page");
    assert_eq!(kept.items, [kept_record(run_id, "1-7")]);
    step.shards.pop();
    let mut again = step.clone();
    again.kept = vec![kept_record(run_id, "1-7")];
    assert_eq!(
        ledger.commit_plan(&again).await,
        Ok(PutOutcome::Refused),
        "the list 1-7 exists"
    );
    assert_eq!(ledger.commit_plan(&step).await, Ok(PutOutcome::Written));
    assert_eq!(
        ledger.commit_plan(&step).await,
        Ok(PutOutcome::Refused),
        "the same step of another planner is refused"
    );
    let mut ranges = ledger.read_ranges(&id).await.expect("the ranges");
    ranges.sort_by_key(|range| range.range_id.to_string());
    assert_eq!(ranges, vec![range, range_record(run_id, 1)]);
    let single = PlanStep {
        new_ranges: vec![range_record(run_id, 2)],
        ..PlanStep::default()
    };
    assert_eq!(ledger.commit_plan(&single).await, Ok(PutOutcome::Written));
}

async fn every_list_of_what_is_kept_is_on_exactly_one_page(ledger: &impl Ledger, run_id: &str) {
    const LISTS: usize = 40;
    let mut kept: Vec<KeptRecord> = (0..LISTS)
        .map(|number| kept_record(run_id, &format!("2-{number}")))
        .collect();
    let step = PlanStep {
        kept: kept.clone(),
        ..PlanStep::default()
    };
    assert_eq!(ledger.commit_plan(&step).await, Ok(PutOutcome::Written));
    let run_id = RunId::new(run_id).expect("a run id");
    let mut read: Vec<KeptRecord> = Vec::new();
    let mut lists = ledger.kept(&run_id);
    while let Some(record) = lists.next().await.expect("a page") {
        read.push(record);
    }
    read.sort_by(|one, other| one.list_id.cmp(&other.list_id));
    kept.sort_by(|one, other| one.list_id.cmp(&other.list_id));
    assert_eq!(read, kept);
}

async fn every_shard_is_on_exactly_one_page(ledger: &impl Ledger, run_id: &str) {
    const SHARDS: u32 = 40;
    let mut written = BTreeMap::new();
    for number in 0..SHARDS {
        let shard = shard_record(run_id, &format!("1-{number}"));
        assert_eq!(ledger.create_shard(&shard).await, Ok(PutOutcome::Written));
        written.insert(shard.shard_id.clone(), shard);
    }
    let run_id = RunId::new(run_id).expect("a run id");
    let mut read: Vec<ShardRecord> = Vec::new();
    let mut shards = ledger.shards(&run_id);
    while let Some(shard) = shards.next().await.expect("a page") {
        read.push(shard);
    }
    assert_eq!(read.len(), written.len(), "no shard is on two pages");
    for shard in read {
        assert_eq!(written.get(&shard.shard_id), Some(&shard));
    }
}

async fn a_lock_is_removed_by_its_holder_only(ledger: &impl Ledger, run_id: &str) {
    // A bucket of its own for each call.
    let bucket = format!("target-{}", run_id.to_lowercase().replace('_', "-"));
    let mut lock = lock_record(&bucket, &"\u{e9}".repeat(512), run_id);
    let pair = lock.locked.clone();
    let elsewhere = lock_record(&format!("{bucket}-2"), "", run_id);
    assert_eq!(
        ledger.create_lock(&elsewhere).await,
        Ok(PutOutcome::Written)
    );
    assert_eq!(ledger.read_locks(&pair.bucket).await, Ok(Vec::new()));
    let holder = lock.run_id.clone();
    assert_eq!(ledger.read_lock(&pair).await, Ok(None));
    assert_eq!(ledger.create_lock(&lock).await, Ok(PutOutcome::Written));
    assert_eq!(ledger.create_lock(&lock).await, Ok(PutOutcome::Refused));
    let whole = lock_record(&bucket, "", run_id);
    assert_eq!(ledger.create_lock(&whole).await, Ok(PutOutcome::Written));
    let mut both = ledger
        .read_locks(&pair.bucket)
        .await
        .expect("they are read");
    both.sort_by(|one, two| one.locked.cmp(&two.locked));
    assert_eq!(both, [whole.clone(), lock.clone()]);
    assert_eq!(ledger.delete_lock(&whole.locked, &holder).await, Ok(()));
    let other = RunId::new("another").expect("a run id");
    assert_eq!(ledger.delete_lock(&pair, &other).await, Ok(()));
    assert_eq!(ledger.read_lock(&pair).await, Ok(Some(lock.clone())));
    let found = lock.clone();
    lock.revision = 2;
    lock.run_id = other.clone();
    // Removed and created anew, a lock of another execution has the revision of the one that was found.
    let mut gone = lock_record(&bucket, "", "another");
    gone.locked = found.locked.clone();
    assert_ne!(gone.execution_arn, found.execution_arn);
    let refused = ledger.replace_lock(&gone, &lock).await;
    assert_eq!(refused, Ok(PutOutcome::Refused));
    let written = ledger.replace_lock(&found, &lock).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    assert_eq!(ledger.delete_lock(&pair, &holder).await, Ok(()));
    assert_eq!(ledger.read_lock(&pair).await, Ok(Some(lock.clone())));
    a_turn_stands_beside_the_lock(ledger, &lock).await;
    assert_eq!(ledger.delete_lock(&pair, &other).await, Ok(()));
    assert_eq!(ledger.delete_lock(&pair, &other).await, Ok(()));
    assert_eq!(ledger.read_lock(&pair).await, Ok(None));
    let turns = ledger
        .read_locks(&pair.bucket)
        .await
        .expect("they are read");
    let states: Vec<LockState> = turns.iter().map(|turn| turn.state).collect();
    assert_eq!(states, [LockState::Served], "nobody removes a turn");
}

async fn a_turn_stands_beside_the_lock(ledger: &impl Ledger, lock: &LockRecord) {
    let waiting = LockRecord {
        state: LockState::Waiting,
        revision: 7,
        ..lock.clone()
    };
    let served = LockRecord {
        state: LockState::Served,
        revision: 8,
        ..lock.clone()
    };
    for expected in [PutOutcome::Written, PutOutcome::Refused] {
        assert_eq!(ledger.create_lock(&waiting).await, Ok(expected));
    }
    assert_eq!(ledger.read_lock(&lock.locked).await, Ok(Some(lock.clone())));
    let mut both = ledger
        .read_locks(&lock.locked.bucket)
        .await
        .expect("they are read");
    both.sort_by_key(|record| record.revision);
    assert_eq!(both, [lock.clone(), waiting.clone()]);
    for expected in [PutOutcome::Written, PutOutcome::Refused] {
        assert_eq!(ledger.replace_lock(&waiting, &served).await, Ok(expected));
    }
    assert_eq!(ledger.read_lock(&lock.locked).await, Ok(Some(lock.clone())));
}
