//! What holds for every line of a list, however the list is planned.

use shardlift_core::{
    access::ceilings::Ceilings,
    failure::Failure,
    plan::ListCounts,
    run::list::{ListFormat, SourceList},
};
use shardlift_lists::{LinePlace, ListEntry};

use super::list_file::refused;

/// A list whose first lines are wrong, all of them, is not read to its end.
const ALL_WRONG_MAX: u64 = 10_000;

/// What lines of a list may say.
#[derive(Clone, Copy)]
pub(super) struct LineRules<'a> {
    pub(super) format: ListFormat,
    pub(super) ceilings: &'a Ceilings,
}

impl LineRules<'_> {
    /// What is taken of an entry.
    ///
    /// # Errors
    /// `InvalidRun` where it names a version and the stack does not allow that.
    pub(super) fn taken(self, mut entry: ListEntry) -> Result<ListEntry, Failure> {
        match self.format {
            // What stood at the target of that run; the version is the source's.
            ListFormat::Receipts => (entry.etag, entry.size_bytes) = (None, None),
            ListFormat::Csv | ListFormat::Jsonl | ListFormat::Parquet | ListFormat::Inventory => {}
        }
        if entry.version_id.is_some() {
            self.check_version(&entry.place)?;
        }
        Ok(entry)
    }

    /// Whether the line at `place` may name a version.
    ///
    /// # Errors
    /// `InvalidRun` where the stack does not allow it.
    pub(super) fn check_version(self, place: &LinePlace) -> Result<(), Failure> {
        let allowed = self.ceilings.check_versions("source.list");
        allowed.map_err(|refused| refused.within(format_args!("{place} names a version")))
    }
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
            "more than one of a hundred lines is wrong or names an object again",
        ));
    }
    if counts.objects == 0 {
        return Err(no_list(list, counts, "it names no object"));
    }
    Ok(())
}

fn no_list(list: &SourceList, counts: &ListCounts, problem: &str) -> Failure {
    let mut found = format!("{problem}: {}", consists_of(counts));
    if !counts.problems.is_empty() {
        found.push_str(". The first: ");
        let first = &counts.problems[..counts.problems.len().min(3)];
        found.push_str(&first.join("; "));
    }
    refused(
        &list.bucket,
        list.key.as_str(),
        &found,
        "correct the list, or source.bucket and source.prefix, and start a new execution (shardlift start --list FILE uploads a list)",
    )
}

/// What the lines of a list are, in words.
fn consists_of(counts: &ListCounts) -> String {
    let kinds = [
        (counts.objects, "name an object"),
        (counts.repeated, "name an object again"),
        (counts.left_out, "name nothing to copy"),
        (counts.wrong, "are wrong"),
    ];
    let kinds = kinds.into_iter().filter(|(lines, _)| *lines > 0);
    let kinds: Vec<_> = kinds.map(|(lines, are)| format!("{lines} {are}")).collect();
    match kinds.as_slice() {
        [] => "it has no lines".to_owned(),
        kinds => format!("of {} lines {}", counts.lines(), kinds.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_there_is_of_a_list_is_told() {
        let mut counts = ListCounts::default();
        assert_eq!(consists_of(&counts), "it has no lines");
        (counts.objects, counts.repeated) = (1, 299);
        let told = consists_of(&counts);
        assert_eq!(
            told,
            "of 300 lines 1 name an object, 299 name an object again"
        );
    }
}
