use shardlift_core::{
    shard::ShardWork,
    value::{tally::Count, version::LEDGER_VERSION},
};

use super::*;

fn key(text: &str) -> RelativeKey {
    RelativeKey::new(text).unwrap()
}

fn run_id() -> shardlift_core::value::id::RunId {
    shardlift_core::value::id::RunId::new("run").unwrap()
}

fn range(number: u32) -> RangeRecord {
    RangeRecord {
        schema_version: LEDGER_VERSION,
        run_id: run_id(),
        range_id: RangeId::numbered(number),
        bounds: KeyRange::default(),
        checkpoint: None,
        state: RangeState::Listing,
        expires_at: 0,
        revision: 1,
    }
}

fn checkpoint(through: &str) -> Checkpoint {
    Checkpoint {
        through: Some(key(through)),
        tally: shardlift_core::plan::range::ListingTally::default(),
        list: None,
    }
}

/// A step with one shard, whose manifest waits, that brings ranges to a key.
fn step(queue: &mut StepQueue, ranges: impl IntoIterator<Item = u32>, through: &str) {
    let shard_id = queue.next_shard_id().unwrap();
    let shard = ShardRecord::ready(
        run_id(),
        shard_id.clone(),
        ShardWork::CopyObjects,
        Count::default(),
        0,
    );
    let ends = ranges
        .into_iter()
        .map(|number| (RangeId::numbered(number), (checkpoint(through), false)));
    queue.waiting.push_back(QueuedStep {
        lists: Lists::Waiting(vec![EncodedList::manifest(shard_id, Vec::new())]),
        shards: vec![shard],
        kept: None,
        change: RangeChange::Advance(ends.collect()),
    });
}

fn shards_of(group: &[QueuedStep]) -> Vec<String> {
    let shards = group.iter().flat_map(|step| &step.shards);
    shards.map(|shard| shard.shard_id.to_string()).collect()
}

fn written(queue: &mut StepQueue) {
    while let Some((number, _)) = queue.take_lists() {
        queue.note_lists(number);
    }
}

#[test]
fn nothing_is_committed_past_a_step_whose_manifest_is_missing() {
    let mut queue = StepQueue::new(1);
    for _ in 0..3 {
        step(&mut queue, [0], "k");
    }
    queue.hurry();
    let numbers: Vec<u64> = std::iter::from_fn(|| queue.take_lists())
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, [0, 1, 2]);
    queue.note_lists(2);
    queue.note_lists(0);
    let first = queue.take_group();
    assert_eq!(shards_of(&first), ["1-1"]);
    queue.note_lists(1);
    assert!(queue.take_group().is_empty(), "one transaction at a time");
    queue.note_commit();
    assert_eq!(shards_of(&queue.take_group()), ["1-2", "1-3"]);
    assert!(!queue.is_idle(), "its response is awaited");
    queue.note_commit();
    assert!(queue.is_idle());
}

#[test]
fn a_transaction_waits_for_enough_shards_unless_it_is_hurried() {
    let mut queue = StepQueue::new(1);
    for _ in 1..GROUP_RECORDS_MIN {
        step(&mut queue, [0], "k");
    }
    written(&mut queue);
    assert!(queue.take_group().is_empty());
    queue.hurry();
    assert_eq!(queue.take_group().len(), GROUP_RECORDS_MIN - 1);
    queue.note_commit();
    for _ in 0..GROUP_RECORDS_MIN {
        assert!(
            queue.take_group().is_empty(),
            "what comes later waits again"
        );
        step(&mut queue, [0], "k");
        written(&mut queue);
    }
    assert_eq!(queue.take_group().len(), GROUP_RECORDS_MIN);
}

#[test]
fn a_transaction_holds_no_more_records_than_the_ledger_takes() {
    let mut queue = StepQueue::new(1);
    step(&mut queue, 0..60, "k");
    step(&mut queue, 30..98, "l");
    step(&mut queue, 98..99, "m");
    queue.hurry();
    written(&mut queue);
    let group = queue.take_group();
    assert_eq!(group.len(), 2, "98 ranges and two shards");
    queue.note_commit();
    assert_eq!(queue.take_group().len(), 1);
}

#[test]
fn lists_are_written_a_few_at_once() {
    let mut queue = StepQueue::new(1);
    for _ in 0..STEPS_WAITING_MAX {
        assert!(!queue.is_backed_up());
        step(&mut queue, [0], "k");
    }
    assert!(queue.is_backed_up());
    let begun = std::iter::from_fn(|| queue.take_lists()).count();
    assert_eq!(begun, LISTS_IN_FLIGHT_MAX);
    queue.note_lists(3);
    let next = queue.take_lists().map(|(number, _)| number);
    assert_eq!(next, Some(LISTS_IN_FLIGHT_MAX as u64));
}

#[test]
fn pieces_of_a_split_tile_what_was_split() {
    let bounds = KeyRange {
        after: Some(key("b")),
        until: Some(key("y")),
    };
    let (first, rest) = split(&bounds, vec![key("d"), key("m"), key("x")]).unwrap();
    let pieces: Vec<KeyRange> = [first].into_iter().chain(rest).collect();
    assert_eq!(pieces.len(), 4);
    for text in ["b", "c", "d", "d\u{0}", "m", "n", "x", "y", "z"] {
        let holders = pieces.iter().filter(|piece| piece.contains(text)).count();
        assert_eq!(holders, usize::from(bounds.contains(text)), "{text:?}");
    }
    assert!(split(&bounds, vec![key("m"), key("d")]).is_err());
    assert!(split(&bounds, vec![key("y")]).is_err());
}

#[test]
fn a_range_that_many_steps_change_is_written_once() {
    let mut queue = StepQueue::new(1);
    step(&mut queue, [0, 1], "c");
    queue.add_split(RangeId::numbered(0), vec![key("m"), key("s")], 2);
    step(&mut queue, [0], "f");
    written(&mut queue);
    let stored: BTreeMap<RangeId, RangeRecord> = [range(0), range(1)]
        .into_iter()
        .map(|record| (record.range_id.clone(), record))
        .collect();
    let group = queue.take_group();
    assert_eq!(group.len(), 3, "a split is not waited with");
    let written = records_of(
        group,
        |id| stored.get(id),
        |number, bounds| RangeRecord {
            bounds,
            ..range(number)
        },
    )
    .unwrap();
    assert_eq!(written.shards.len(), 2);
    let [zero, one] = &written.ranges[..] else {
        panic!("{:?}", written.ranges);
    };
    assert_eq!((zero.revision, one.revision), (2, 2));
    assert_eq!(zero.checkpoint, Some(checkpoint("f")));
    assert_eq!(zero.bounds.until, Some(key("m")));
    let new: Vec<&str> = written
        .new_ranges
        .iter()
        .map(|range| range.range_id.as_str())
        .collect();
    assert_eq!(new, ["r2", "r3"]);
    assert_eq!(written.new_ranges[1].bounds.after, Some(key("s")));
}
