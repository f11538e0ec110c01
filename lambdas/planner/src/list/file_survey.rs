//! What is known of a list before it is planned: whether it is in key order, what is wrong with it, and where which keys lie.

use serde::{Deserialize, Serialize};
use shardlift_core::{
    failure::Failure,
    plan::ListCounts,
    port::FileVersion,
    value::{key::ObjectKey, object::ETag},
};
use shardlift_lists::{KeyOrder, LineIssue, LineSurvey};

use super::{list_catalog::FilePosition, list_rules::LineRules, list_sort::ListSort};

/// The version of a survey that is stored.
const SURVEY_VERSION: u32 = 2;
/// The most marks of a file. Beyond that, every second one is given up, and they are set half as often.
const MARKS_MAX: usize = 2_000;

/// A place in a file behind which only greater keys lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListMark {
    pub(super) after: ObjectKey,
    pub(super) at: FilePosition,
}

/// What is known of a file of a list, as far as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileSurvey {
    version: Option<(ETag, u64)>,
    pub(super) at: FilePosition,
    pub(super) first: Option<ObjectKey>,
    order: KeyOrder,
    counts: ListCounts,
    pub(super) marks: Vec<ListMark>,
    /// Lines since the last mark.
    unmarked: u64,
    /// How often the marks were halved.
    halvings: u32,
    pub(super) is_read: bool,
}

impl FileSurvey {
    /// The version that is read; nothing before its first lines were.
    pub(super) fn version(&self) -> Option<FileVersion> {
        let (etag, size_bytes) = self.version.clone()?;
        Some(FileVersion { etag, size_bytes })
    }

    /// This version is read.
    pub(super) fn note_version(&mut self, version: &FileVersion) {
        self.version = Some((version.etag.clone(), version.size_bytes));
    }

    /// Whether each line names an object.
    pub(super) fn is_clean(&self) -> bool {
        self.counts.wrong == 0 && self.counts.left_out == 0
    }

    /// The last key.
    pub(super) fn last(&self) -> Option<&ObjectKey> {
        self.order.last()
    }

    /// Takes the next lines of the file, which end at `at`; none at its end. Whether its keys are still in order.
    ///
    /// # Errors
    /// `InvalidRun` when a line names a version.
    pub(super) fn take(
        &mut self,
        rules: LineRules<'_>,
        version: &FileVersion,
        lines: &LineSurvey,
        at: FilePosition,
        lines_per_mark: u64,
    ) -> Result<bool, Failure> {
        self.note_version(version);
        self.is_read = lines.lines == 0;
        if let Some(place) = &lines.version_at {
            rules.check_version(place)?;
        }
        for issue in &lines.issues {
            match issue {
                LineIssue::Wrong(line) => self.counts.add_wrong(line),
                LineIssue::Repeated(place) => self.counts.add_repeated(&again(place)),
            }
        }
        self.counts.left_out += lines.left_out;
        self.counts.outside += lines.outside;
        self.counts.objects += lines.objects;
        if lines.is_out_of_order {
            return Ok(false);
        }
        if let (Some(first), Some(last)) = (lines.first(), lines.last()) {
            self.first.get_or_insert_with(|| first.clone());
            self.order.observe(&last);
        }
        self.unmarked += lines.lines;
        if let Some(after) = self.order.last()
            && self.unmarked >= lines_per_mark << self.halvings
            && at.is_direct()
        {
            let (after, at) = (after.clone(), at.clone());
            self.marks.push(ListMark { after, at });
            self.unmarked = 0;
            if self.marks.len() >= MARKS_MAX {
                let mut number = 0;
                self.marks.retain(|_| {
                    number += 1;
                    number % 2 == 0
                });
                self.halvings += 1;
            }
        }
        self.at = at;
        Ok(true)
    }
}

/// What is told about a line that names an object again.
pub(super) fn again(place: &impl std::fmt::Display) -> String {
    format!("{place}: the object is named again")
}

/// What is known of a list, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListSurvey {
    schema_version: u32,
    /// The version of the list itself.
    pub(super) etag: ETag,
    /// Its files, in their order in the manifest.
    pub(super) files: Vec<FileSurvey>,
    /// Whether the keys of a file do not increase. Then it is not read on.
    pub(super) is_out_of_order: bool,
    /// How far the list is sorted, where it is in no order.
    pub(super) sort: Option<Box<ListSort>>,
}

impl ListSurvey {
    /// Nothing is known yet of a list in this version, which has so many files.
    pub(super) fn begin(etag: ETag, files: usize) -> Self {
        Self {
            schema_version: SURVEY_VERSION,
            etag,
            files: vec![FileSurvey::default(); files],
            is_out_of_order: false,
            sort: None,
        }
    }

    /// How far the list is sorted. What was known of where its keys lie is of no use any more.
    pub(super) fn begin_sort(&mut self) -> ListSort {
        for file in &mut self.files {
            file.marks = Vec::new();
        }
        self.sort.as_deref().cloned().unwrap_or_default()
    }

    /// Keeps how far the list is sorted.
    pub(super) fn keep_sort(&mut self, sort: ListSort) {
        self.sort = Some(Box::new(sort));
    }

    /// One that an invocation stored; nothing for that of another release.
    pub(super) fn read(stored: &[u8]) -> Option<Self> {
        let survey: Self = serde_json::from_slice(stored).ok()?;
        (survey.schema_version == SURVEY_VERSION).then_some(survey)
    }

    /// Whether nothing is left to be found out.
    pub(super) fn is_done(&self) -> bool {
        self.is_out_of_order || self.files.iter().all(|file| file.is_read)
    }

    /// What the list consists of.
    pub(super) fn counts(&self) -> ListCounts {
        let mut counts = ListCounts::default();
        for file in &self.files {
            counts.add(&file.counts);
        }
        counts
    }

    /// The files with keys in the order of their keys, by their places in the manifest; nothing where keys of one lie between
    /// keys of another, so that the list as a whole is in no order. S3 states no order of the files of an inventory
    /// (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html).
    pub(super) fn in_order(&self) -> Option<Vec<usize>> {
        let keyed = self.files.iter().enumerate();
        let mut order: Vec<usize> = keyed
            .filter(|(_, file)| file.first.is_some())
            .map(|(index, _)| index)
            .collect();
        order.sort_by(|one, other| self.files[*one].first.cmp(&self.files[*other].first));
        let meets = |two: &[usize]| self.files[two[0]].last() < self.files[two[1]].first.as_ref();
        (!self.is_out_of_order && order.windows(2).all(meets)).then_some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(first: &str, last: &str) -> FileSurvey {
        let mut order = KeyOrder::default();
        for key in [first, last] {
            order.observe(&ObjectKey::new(key).unwrap());
        }
        FileSurvey {
            first: ObjectKey::new(first).ok(),
            order,
            is_read: true,
            ..FileSurvey::default()
        }
    }

    fn survey(files: Vec<FileSurvey>) -> ListSurvey {
        ListSurvey {
            files,
            ..ListSurvey::begin(ETag::new("e").unwrap(), 0)
        }
    }

    #[test]
    fn files_are_put_in_the_order_of_their_keys_unless_they_overlap() {
        let files = vec![
            file("m", "p"),
            FileSurvey::default(),
            file("a", "c"),
            file("d", "l"),
        ];
        assert_eq!(survey(files).in_order(), Some(vec![2, 3, 0]));
        for (other, why) in [
            (file("c", "d"), "a key is in both"),
            (file("b", "d"), "they overlap"),
            (file("b", "bb"), "one lies within the other"),
        ] {
            assert_eq!(
                survey(vec![file("a", "c"), other]).in_order(),
                None,
                "{why}"
            );
        }
        assert_eq!(survey(Vec::new()).in_order(), Some(Vec::new()));
    }

    #[test]
    fn a_survey_of_another_release_is_not_taken() {
        let mut stored = serde_json::to_value(survey(vec![file("a", "c")])).unwrap();
        let read = |stored: &serde_json::Value| ListSurvey::read(stored.to_string().as_bytes());
        assert!(read(&stored).is_some());
        stored["schema_version"] = 3.into();
        assert_eq!(read(&stored), None);
    }
}
