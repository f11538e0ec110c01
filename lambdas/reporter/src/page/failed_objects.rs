//! What the page shows of the failed objects: the first of them, and in which folders they lie.

use std::collections::BTreeMap;

use maud::{Markup, html};
use shardlift_core::{
    documents::failure_list::FailedObject,
    failure::FailureCode,
    report::Report,
    run::record::RunRecord,
    value::{
        figures::{bytes, counted, grouped},
        id::ShardId,
        key::{KeyPrefix, ObjectKey},
    },
};

use super::inert;

/// How many objects are listed: the links beside the page lead nowhere where the console opens it.
const LISTED_MAX: usize = 100;
/// How many folders are counted one by one. Memory does not grow with the number of failures.
const COUNTED_MAX: usize = 1_000;
/// How many folders are shown, those with the most failures first.
const FOLDERS_SHOWN_MAX: usize = 20;

/// A failed object, without what its reason says of all of them.
#[derive(Debug)]
struct ListedFailure {
    key: String,
    size: u64,
    code: FailureCode,
    shard_id: String,
}

/// The failed objects of a run, gathered shard by shard in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct FailedObjects {
    first: Vec<ListedFailure>,
    by_folder: BTreeMap<String, u64>,
    elsewhere: u64,
    total: u64,
}

impl FailedObjects {
    /// Adds an object. `prefix` is that of the side that its key is of.
    pub(crate) fn add(&mut self, object: &FailedObject, shard_id: &ShardId, prefix: &KeyPrefix) {
        self.total += 1;
        if self.first.len() < LISTED_MAX {
            self.first.push(ListedFailure {
                key: object.key.as_str().to_owned(),
                size: object.size,
                code: object.code,
                shard_id: shard_id.to_string(),
            });
        }
        let folder = folder(&object.key, prefix);
        if let Some(count) = self.by_folder.get_mut(folder) {
            *count += 1;
        } else if self.by_folder.len() < COUNTED_MAX {
            self.by_folder.insert(folder.to_owned(), 1);
        } else {
            self.elsewhere += 1;
        }
    }

    /// The section; nothing where nothing failed.
    pub(super) fn section(&self, report: &Report) -> Markup {
        html! {
            @if self.total > 0 {
                section id="failed-objects" {
                    h2 { "Failed objects" }
                    div.beside {
                        (counts("Reason", &by_reason(report)))
                        (counts("Folder", &self.folders()))
                    }
                    (self.list())
                }
            }
        }
    }

    /// The folders with the most failures, and all others together.
    fn folders(&self) -> Vec<(String, u64)> {
        let mut folders: Vec<_> = self
            .by_folder
            .iter()
            .map(|(name, count)| (inert(name), *count))
            .collect();
        folders.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        let rest = folders.split_off(folders.len().min(FOLDERS_SHOWN_MAX));
        let others = self.elsewhere + rest.iter().map(|(_name, count)| count).sum::<u64>();
        if others > 0 {
            folders.push(("all others".to_owned(), others));
        }
        folders
    }

    fn list(&self) -> Markup {
        let more = self.total - self.first.len() as u64;
        html! {
            h3 { @if more > 0 { "The first " (self.first.len()) " of " (counted(self.total, "object")) } @else { "All of them" } }
            div.scroll tabindex="0" role="region" aria-label="Failed objects" { table {
                thead { tr { th scope="col" { "Key" } th scope="col" { "Reason" } th.number scope="col" { "Size" } th scope="col" { "Shard" } } }
                tbody { @for object in &self.first { tr {
                    td { code { (inert(&object.key)) } }
                    td { (object.code.name()) }
                    td.number { (bytes(object.size)) }
                    td { (object.shard_id) }
                } } }
            } }
            @if more > 0 { p.faint { "failures.csv has them all, each with what happened to it." } }
        }
    }
}

/// The first level below the prefix: the key up to its next slash.
fn folder<'a>(key: &'a ObjectKey, prefix: &KeyPrefix) -> &'a str {
    let key = key.as_str();
    let below = key.strip_prefix(prefix.as_str()).unwrap_or(key);
    let begin = key.len() - below.len();
    match below.find('/') {
        Some(slash) => &key[..=begin + slash],
        None => &key[..begin],
    }
}

fn by_reason(report: &Report) -> Vec<(String, u64)> {
    let deletions = report.deleted.failures_first().into_iter();
    let deletions = deletions.map(|(code, count)| (format!("{} (deletion)", code.name()), count));
    let copies = report.failed.most_frequent_first().into_iter();
    let copies = copies.map(|(code, count)| (code.name().to_owned(), count));
    copies.chain(deletions).collect()
}

/// A table of counts.
fn counts(what: &str, rows: &[(String, u64)]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { (what) } th.number scope="col" { "Objects" } } }
            tbody { @for (name, count) in rows { tr {
                td { @if name.is_empty() { "the bucket itself" } @else { (name) } }
                td.number { (grouped(*count)) }
            } } }
        }
    }
}

/// The planned copies by storage class; nothing where they all have S3's default.
pub(super) fn storage_classes(run: &RunRecord) -> Markup {
    let copies = &run.totals.classes.copies;
    let rows: Vec<_> = copies
        .iter()
        .map(|(class, work)| (class.name().to_owned(), work.objects))
        .collect();
    html! {
        @if rows.iter().any(|(name, _)| name != "STANDARD") {
            section id="classes" {
                h2 { "Planned copies by storage class" }
                (counts("Class at the target", &rows))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(key: &str) -> FailedObject {
        FailedObject {
            index: 0,
            key: ObjectKey::new(key).unwrap(),
            version_id: None,
            size: 1,
            code: FailureCode::AccessDenied,
            detail: String::new(),
        }
    }

    fn of(keys: impl IntoIterator<Item = String>) -> FailedObjects {
        let mut objects = FailedObjects::default();
        let prefix = KeyPrefix::new("in/").unwrap();
        for key in keys {
            objects.add(&failed(&key), &ShardId::new("1-1").unwrap(), &prefix);
        }
        objects
    }

    #[test]
    fn failures_are_counted_where_they_lie() {
        let keys = ["in/a/x", "in/a/y/z", "in/b/x", "in/top"].map(str::to_owned);
        let folders = of(keys).folders();
        assert_eq!(
            folders,
            [
                ("in/a/".to_owned(), 2),
                ("in/".to_owned(), 1),
                ("in/b/".to_owned(), 1)
            ]
        );
    }

    #[test]
    fn a_million_failures_take_no_more_room_than_a_thousand_folders() {
        let objects = of((0..3_000).map(|number| format!("in/{number}/x")));
        assert_eq!(objects.first.len(), LISTED_MAX);
        assert_eq!(objects.by_folder.len(), COUNTED_MAX);
        let folders = objects.folders();
        assert_eq!(folders.len(), FOLDERS_SHOWN_MAX + 1);
        let sum: u64 = folders.iter().map(|(_name, count)| count).sum();
        assert_eq!(sum, 3_000);
    }
}
