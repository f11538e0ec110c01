//! Files that are no lists, lie about themselves or never end: each ends in a message or in counted lines, in bounded memory.
//!
//! One test at a time, in a binary of its own, because the allocator counts what all threads hold.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot set up or read fails the test"
)]

mod case;
mod compressed_cases;
mod csv_cases;
mod inventory_cases;
mod json_cases;
mod mutations;
mod table_cases;
mod table_file_cases;
#[path = "../lists/writers.rs"]
#[expect(dead_code, reason = "some writers serve the other tests alone")]
mod writers;

use peak_alloc::PeakAlloc;

use self::case::Case;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a reader may hold above what the test holds: its window, a decompressor, a footer, pages. The memory of zstd, which
/// the allocator does not see, is within the resident memory of the process.
const HELD_MIB_MAX: usize = 8;
/// What the process may ever have held, the files of the test included.
const RESIDENT_MIB_MAX: usize = 400;
/// There are at least so many cases.
const CASES_MIN: usize = 60;

#[test]
fn hostile_files_end_in_a_message_or_in_counted_lines_within_bounded_memory() {
    let cases: Vec<Case> = [
        csv_cases::all(),
        json_cases::all(),
        compressed_cases::all(),
        table_cases::all(),
        table_file_cases::all(),
        inventory_cases::all(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let count = cases.len();
    assert!(count >= CASES_MIN, "{count} cases");
    let (mut wrong, mut held_most) = (Vec::new(), 0);
    for case in cases {
        let (outcome, held) = held_by(|| case.run());
        if let Some(problem) = case.problem(&outcome) {
            wrong.push(format!("{}: {problem}\n  found {outcome:?}", case.name));
        }
        if held > HELD_MIB_MAX << 20 {
            wrong.push(format!("{}: held {} MiB", case.name, held >> 20));
        }
        println!("{:5} KiB  {}: {outcome}", held >> 10, case.name);
        held_most = held_most.max(held);
    }
    println!("{}", mutations::run(&mut wrong).join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{count} cases, at most {} KiB held", held_most >> 10);
    let resident = resident_mib_peak();
    println!("resident: {resident} MiB");
    assert!(resident < RESIDENT_MIB_MAX, "{resident} MiB");
}

/// What `work` gives, and how many bytes were held at most while it ran.
fn held_by<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let done = work();
    (done, ALLOCATOR.peak_usage().saturating_sub(before))
}

/// The most memory that the process ever had, as Linux counts it.
fn resident_mib_peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        / 1024
}
