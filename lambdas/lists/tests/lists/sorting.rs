//! What is sorted in runs and merged is the list in key order, wherever the merging is resumed.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use shardlift_core::value::{
    id::VersionId, key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp,
};

use shardlift_lists::{
    LinePlace, ListEntry, OpenBlock, RunCursor, RunMerge, RunMergeStep, SortBounds, SortBuffer,
};

const BOUNDS: SortBounds = SortBounds {
    run_bytes_max: 400,
    block_bytes: (60, 120),
    runs_at_once: 3,
};

fn names() -> Vec<Arc<str>> {
    vec!["a".into(), "b".into()]
}

fn entry(key: &str, line: u64) -> ListEntry {
    ListEntry {
        key: ObjectKey::new(key).unwrap(),
        version_id: line
            .is_multiple_of(3)
            .then(|| VersionId::new("\"v\\").unwrap()),
        size_bytes: line.is_multiple_of(2).then_some(line),
        etag: (!line.is_multiple_of(5)).then(|| ETag::new("e-2").unwrap()),
        modified_at: line
            .is_multiple_of(7)
            .then(|| Timestamp::from_millis(-(i64::try_from(line).unwrap()))),
        storage: (!line.is_multiple_of(4)).then(|| ObjectStorage::listed("GLACIER", false)),
        place: LinePlace {
            file: names()[usize::from(line > 20)].clone(),
            line,
        },
    }
}

/// The blocks of a run, as they are stored.
type Run = Vec<Vec<u8>>;

/// Runs of these entries, in their order, and how many were named again.
fn runs_of(entries: &[ListEntry]) -> (Vec<Run>, u64) {
    let (mut runs, mut repeated) = (Vec::new(), 0);
    let mut buffer = SortBuffer::default();
    let mut store = |buffer: SortBuffer| {
        let mut entries = buffer.sorted(BOUNDS).unwrap();
        let mut run = Run::new();
        while let Some(block) = entries.next_block().unwrap() {
            run.push(block.encode().unwrap());
        }
        repeated += entries.into_repeated().count;
        runs.push(run);
    };
    for entry in entries {
        buffer
            .push(entry, u32::from(entry.place.line > 20))
            .unwrap();
        if buffer.bytes() >= BOUNDS.run_bytes_max {
            store(std::mem::take(&mut buffer));
        }
    }
    store(buffer);
    (runs, repeated)
}

/// One run of several; after each `stop`th block the merge goes on from what is stored of it.
fn merged(runs: &[Run], stop: usize) -> (Run, u64) {
    let begin = vec![RunCursor::default(); runs.len()];
    let mut merge = RunMerge::resume(&begin, None, BOUNDS.block_bytes.1);
    let (mut into, mut repeated, mut blocks) = (Run::new(), 0, 0);
    loop {
        let block = match merge.step().unwrap() {
            RunMergeStep::NeedsBlock(run) => {
                let block = runs[run].get(merge.cursor(run).block);
                let block = block.map(|bytes| OpenBlock::decode(bytes).unwrap());
                merge.feed(run, block).unwrap();
                continue;
            }
            RunMergeStep::Block(block) => block,
            RunMergeStep::End => break,
        };
        into.push(block.encode().unwrap());
        repeated += merge.take_repeated().count;
        blocks += 1;
        if blocks % stop == 0 {
            let stored = serde_json::to_string(&(merge.cursors(), merge.last().unwrap())).unwrap();
            let (cursors, last): (Vec<RunCursor>, Option<ObjectKey>) =
                serde_json::from_str(&stored).unwrap();
            merge = RunMerge::resume(&cursors, last.as_ref(), BOUNDS.block_bytes.1);
        }
    }
    (into, repeated + merge.take_repeated().count)
}

fn entries_of(run: &Run) -> Vec<ListEntry> {
    let mut entries = Vec::new();
    for bytes in run {
        let mut block = OpenBlock::decode(bytes).unwrap();
        loop {
            let next = block.next_entries(2, &names()).unwrap();
            if next.is_empty() {
                break;
            }
            entries.extend(next);
        }
    }
    entries
}

proptest! {
    #[test]
    fn what_is_sorted_is_the_list_in_key_order_with_the_first_of_each_key(
        keys in proptest::collection::vec("[ab\u{e9}\"\n]{1,3}|k[0-9]{1,2}", 1..80), stop in 1usize..5,
    ) {
        let listed: Vec<ListEntry> = (1..).zip(&keys).map(|(line, key)| entry(key, line)).collect();
        let mut expected: BTreeMap<ObjectKey, ListEntry> = BTreeMap::new();
        for entry in &listed {
            expected.entry(entry.key.clone()).or_insert_with(|| entry.clone());
        }
        let (runs, within) = runs_of(&listed);
        let (run, across) = merged(&runs, stop);
        let found = entries_of(&run);
        let again = (listed.len() - expected.len()) as u64;
        prop_assert_eq!(found, expected.into_values().collect::<Vec<_>>());
        prop_assert_eq!(within + across, again);
        let (uncut, _) = merged(&runs, usize::MAX);
        prop_assert_eq!(entries_of(&uncut), entries_of(&run));
    }
}

#[test]
fn a_block_ends_with_its_last_key_and_a_run_has_several() {
    let entries: Vec<ListEntry> = (1..=12)
        .map(|line| entry(&format!("k{line:02}"), line))
        .collect();
    let mut buffer = SortBuffer::default();
    for entry in entries.iter().rev() {
        buffer.push(entry, 0).unwrap();
    }
    let mut sorted = buffer.sorted(BOUNDS).unwrap();
    let mut lasts = Vec::new();
    while let Some(block) = sorted.next_block().unwrap() {
        let mut open = OpenBlock::decode(&block.encode().unwrap()).unwrap();
        let names = vec!["a".into()];
        let last = open.next_entries(100, &names).unwrap().pop().unwrap();
        assert_eq!(block.last, last.key);
        lasts.push(block.last);
    }
    assert!(lasts.len() > 2 && lasts.is_sorted(), "{lasts:?}");
}

#[test]
fn a_damaged_block_is_none_and_never_a_shorter_one() {
    let mut buffer = SortBuffer::default();
    for line in 1..5 {
        buffer.push(&entry(&format!("k{line}"), line), 0).unwrap();
    }
    let block = buffer
        .sorted(BOUNDS)
        .unwrap()
        .next_block()
        .unwrap()
        .unwrap();
    let bytes = block.encode().unwrap();
    assert!(OpenBlock::decode(&bytes[..bytes.len() - 1]).is_err());
    let cut = zstd::bulk::compress(b"\x05\x00\x03\x00k", 1).unwrap();
    assert!(
        OpenBlock::decode(&cut)
            .unwrap()
            .next_entries(9, &names())
            .is_err()
    );
    let mut whole = OpenBlock::decode(&bytes).unwrap();
    assert!(
        whole.next_entries(9, &[]).is_err(),
        "a file that the list has not"
    );
    let beyond = RunCursor {
        block: 0,
        at: 10_000,
    };
    let mut merge = RunMerge::resume(&[beyond], None, 100);
    assert!(merge.feed(0, OpenBlock::decode(&bytes).ok()).is_err());
}

#[test]
fn of_many_repeated_entries_only_the_first_are_named() {
    let mut buffer = SortBuffer::default();
    for line in 1..200 {
        buffer.push(&entry("k", line), 0).unwrap();
    }
    let mut sorted = buffer.sorted(BOUNDS).unwrap();
    while sorted.next_block().unwrap().is_some() {}
    let repeated = sorted.into_repeated();
    assert_eq!((repeated.count, repeated.first.len()), (198, 20));
    assert_eq!(repeated.first[0].line, 2);
}
