//! What holds for every line of a list, however the list is planned.

use shardlift_core::{
    failure::Failure,
    plan::ListCounts,
    run::list::{ListFormat, SourceList},
};
use shardlift_lists::ListEntry;

use super::list_file::refused;

/// A list whose first lines are wrong, all of them, is not read to its end.
const ALL_WRONG_MAX: u64 = 10_000;

/// What is taken of an entry.
///
/// # Errors
/// `InvalidRun` where it names a version.
pub(super) fn taken(list: &SourceList, mut entry: ListEntry) -> Result<ListEntry, Failure> {
    match list.format {
        // The newest version of its key when the inventory was taken, which is the object.
        ListFormat::Inventory => entry.version_id = None,
        // What stood at the target of that run.
        ListFormat::Receipts => {
            (entry.version_id, entry.etag, entry.size_bytes) = (None, None, None);
        }
        ListFormat::Csv | ListFormat::Jsonl | ListFormat::Parquet => {}
    }
    if entry.version_id.is_some() {
        return Err(refused(
            &list.bucket,
            list.key.as_str(),
            &format!(
                "{} names a version, and this release copies the newest version of an object alone",
                entry.place
            ),
            "leave the version ids out and start a new execution",
        ));
    }
    Ok(entry)
}

/// Whether a list that is not read to its end can be one.
pub(super) fn check_begin(list: &SourceList, counts: &ListCounts) -> Result<(), Failure> {
    if counts.objects == 0 && counts.wrong > ALL_WRONG_MAX {
        return Err(no_list(
            list,
            counts,
            "none of its first lines names an object",
        ));
    }
    Ok(())
}

/// Whether a list is one that was meant.
pub(super) fn check_whole(list: &SourceList, counts: &ListCounts) -> Result<(), Failure> {
    if counts.has_too_many_problems() {
        return Err(no_list(
            list,
            counts,
            "more than one of a hundred lines is wrong",
        ));
    }
    if counts.objects == 0 {
        return Err(no_list(list, counts, "it names no object"));
    }
    Ok(())
}

fn no_list(list: &SourceList, counts: &ListCounts, problem: &str) -> Failure {
    let mut found = format!(
        "{problem}: of {} lines {} are wrong, {} name an object again, and {} name nothing to copy",
        counts.lines(),
        counts.wrong,
        counts.repeated,
        counts.left_out
    );
    if !counts.problems.is_empty() {
        found.push_str(". The first: ");
        let first = &counts.problems[..counts.problems.len().min(3)];
        found.push_str(&first.join("; "));
    }
    refused(
        &list.bucket,
        list.key.as_str(),
        &found,
        "correct the list, or source.bucket and source.prefix, and start a new execution",
    )
}
