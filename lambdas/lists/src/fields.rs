//! The fields of a line, whatever the format, and what they become.
//!
//! The columns and their names are those of S3 Inventory
//! (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html) and of S3 Metadata
//! (docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-inventory-schema.html).

use serde::{Deserialize, Serialize};
use shardlift_core::value::{
    id::VersionId, key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp,
};

use crate::{
    bad_line::{BadLine, LineProblem, excerpt},
    entry::{LeftOut, ListEntry, ListItem, WhyLeftOut},
    line_place::LinePlace,
};

/// A column that is read; every other is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Column {
    Bucket,
    Key,
    VersionId,
    IsLatest,
    IsDeleteMarker,
    Size,
    LastModifiedDate,
    ETag,
    StorageClass,
}

impl Column {
    /// The column of this name: `VersionId` of S3 Inventory, `version_id` of S3 Metadata; whether capital or not.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let plain: String = name
            .chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '))
            .map(|c| c.to_ascii_lowercase())
            .take(20)
            .collect();
        Some(match plain.as_str() {
            "bucket" => Self::Bucket,
            "key" => Self::Key,
            "versionid" => Self::VersionId,
            "islatest" => Self::IsLatest,
            "isdeletemarker" => Self::IsDeleteMarker,
            "size" => Self::Size,
            "lastmodifieddate" => Self::LastModifiedDate,
            "etag" => Self::ETag,
            "storageclass" => Self::StorageClass,
            _ => return None,
        })
    }

    /// Whether the column only tells whether a line is taken.
    pub(crate) const fn only_judges(self) -> bool {
        matches!(self, Self::Bucket | Self::IsLatest | Self::IsDeleteMarker)
    }

    /// The name that messages use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Key => "key",
            Self::VersionId => "version_id",
            Self::IsLatest => "is_latest",
            Self::IsDeleteMarker => "is_delete_marker",
            Self::Size => "size",
            Self::LastModifiedDate => "last_modified_date",
            Self::ETag => "etag",
            Self::StorageClass => "storage_class",
        }
    }
}

/// The fields of a line beside bucket and key. Texts are checked, and not copied before they are an entry.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) version_id: Option<&'a str>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) etag: Option<&'a str>,
    pub(crate) modified_at: Option<Timestamp>,
    pub(crate) storage: Option<ObjectStorage>,
    pub(crate) is_latest: Option<bool>,
    pub(crate) is_delete_marker: Option<bool>,
}

impl<'a> Fields<'a> {
    /// Takes the text of a column; an empty one says nothing.
    pub(crate) fn set(&mut self, column: Column, text: &'a str) -> Result<(), LineProblem> {
        if text.is_empty() {
            return Ok(());
        }
        match column {
            Column::Bucket | Column::Key => {}
            Column::VersionId => self.version_id = Some(version_id(text)?),
            Column::Size => self.size_bytes = Some(size(text)?),
            Column::ETag => self.etag = Some(etag(text)?),
            Column::LastModifiedDate => self.modified_at = Some(instant(text)?),
            Column::StorageClass => self.storage = Some(storage(text)?),
            Column::IsLatest => self.is_latest = Some(flag(Column::IsLatest, text)?),
            Column::IsDeleteMarker => {
                self.is_delete_marker = Some(flag(Column::IsDeleteMarker, text)?);
            }
        }
        Ok(())
    }

    /// Whether the line names a version.
    pub(crate) const fn names_version(&self) -> bool {
        self.version_id.is_some()
    }

    /// Why the line names nothing to copy, if so. Only an inventory of all versions says of each whether it is the newest.
    pub(crate) fn left_out(&self, row_kind: RowKind) -> Option<WhyLeftOut> {
        if self.is_delete_marker == Some(true) {
            Some(WhyLeftOut::DeleteMarker)
        } else if row_kind == RowKind::Inventory && self.is_latest == Some(false) {
            Some(WhyLeftOut::OldVersion)
        } else {
            None
        }
    }

    /// What the line is, with its key.
    pub(crate) fn into_item(
        self,
        key: ObjectKey,
        place: LinePlace,
        row_kind: RowKind,
    ) -> Result<ListItem, LineProblem> {
        if let Some(why) = self.left_out(row_kind) {
            return Ok(ListItem::LeftOut(LeftOut { place, why }));
        }
        let version_id = self.version_id.map(|text| {
            VersionId::new(text).map_err(|_| no_value(Column::VersionId, text, A_VERSION))
        });
        let etag = self
            .etag
            .map(|text| ETag::new(text).map_err(|_| no_value(Column::ETag, text, AN_ETAG)));
        Ok(ListItem::Entry(ListEntry {
            key,
            version_id: version_id.transpose()?,
            size_bytes: self.size_bytes,
            etag: etag.transpose()?,
            modified_at: self.modified_at,
            storage: self.storage,
            place,
        }))
    }
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowKind {
    /// Of a list that somebody made: each line is meant.
    Chosen,
    /// Of an inventory, which holds all that a bucket holds: old versions, and what the run is not about.
    Inventory,
}

/// A line with this problem.
pub(crate) fn bad(place: LinePlace, problem: LineProblem, row_kind: RowKind) -> ListItem {
    match (problem, row_kind) {
        (LineProblem::OutsidePrefix(_), RowKind::Inventory) => ListItem::LeftOut(LeftOut {
            place,
            why: WhyLeftOut::OutsidePrefix,
        }),
        (problem, _) => ListItem::Bad(BadLine { place, problem }),
    }
}

/// A value that is none of its column.
pub(crate) fn no_value(column: Column, found: &str, expected: &'static str) -> LineProblem {
    LineProblem::Value {
        column: column.name(),
        found: excerpt(found),
        expected,
    }
}

/// What a version id is (the check of [`VersionId`], without a copy of it).
const A_VERSION: &str = "up to 1,024 visible ASCII characters";
const AN_ETAG: &str = "an ETag";

fn version_id(text: &str) -> Result<&str, LineProblem> {
    if text.len() <= 1024 && is_visible(text) {
        return Ok(text);
    }
    Err(no_value(Column::VersionId, text, A_VERSION))
}

/// Looks at every byte, which takes less time than to stop at the first wrong one.
fn is_visible(text: &str) -> bool {
    let mut is_visible = true;
    for byte in text.as_bytes() {
        is_visible &= byte.is_ascii_graphic();
    }
    is_visible
}

fn size(text: &str) -> Result<u64, LineProblem> {
    // `parse` would take a plus sign, too.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| no_value(Column::Size, text, "a number of bytes"))
}

/// An entity tag, with its quotes or without.
fn etag(text: &str) -> Result<&str, LineProblem> {
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    // An MD5, and behind a hyphen up to five digits; other stores write other things, but no line breaks.
    let is_plain = (1..=256).contains(&bare.len()) && is_visible(bare) && !bare.contains('"');
    if is_plain {
        return Ok(bare);
    }
    Err(no_value(Column::ETag, text, AN_ETAG))
}

/// An instant: RFC 3339 as S3 Inventory writes it, or with a space and in UTC as Athena does.
pub(crate) fn instant(text: &str) -> Result<Timestamp, LineProblem> {
    Timestamp::parse(text)
        .ok()
        .or_else(|| athena_instant(text))
        .ok_or_else(|| {
            let expected = "an instant such as 2026-11-22T01:00:00Z";
            no_value(Column::LastModifiedDate, text, expected)
        })
}

/// `2026-11-22 01:02:03.004`, with or without ` UTC` behind it. Athena's timestamps are in UTC
/// (docs.aws.amazon.com/athena/latest/ug/data-types-timestamps.html).
fn athena_instant(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let (day, time) = text.split_once(' ')?;
    Timestamp::parse(&format!("{day}T{time}Z")).ok()
}

/// How an object of the class with this name is stored. Names that nobody knows yet are names.
pub(crate) fn storage(text: &str) -> Result<ObjectStorage, LineProblem> {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if text.len() <= 64 && text.bytes().all(is_name) {
        return Ok(ObjectStorage::listed(text, false));
    }
    let expected = "the name of a storage class such as STANDARD_IA";
    Err(no_value(Column::StorageClass, text, expected))
}

fn flag(column: Column, text: &str) -> Result<bool, LineProblem> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(no_value(column, text, "true or false"))
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::storage::StorageClass;

    use super::*;

    #[test]
    fn both_of_aws_spellings_name_a_column() {
        for (names, column) in [
            (["VersionId", "version_id"], Column::VersionId),
            (
                ["IsDeleteMarker", "is_delete_marker"],
                Column::IsDeleteMarker,
            ),
            (
                ["LastModifiedDate", "last_modified_date"],
                Column::LastModifiedDate,
            ),
            (["ETag", "e_tag"], Column::ETag),
            (["StorageClass", "STORAGE_CLASS"], Column::StorageClass),
        ] {
            for name in names {
                assert_eq!(Column::named(name), Some(column), "{name}");
            }
            assert_eq!(Column::named(column.name()), Some(column));
        }
        assert_eq!(Column::named("sequence_number"), None);
    }

    #[test]
    fn instants_are_read_as_aws_writes_them() {
        let expected = Timestamp::parse("2026-11-22T01:02:03.004Z").unwrap();
        for text in [
            "2026-11-22T01:02:03.004Z",
            "2026-11-22 01:02:03.004",
            "2026-11-22 01:02:03.004 UTC",
        ] {
            assert_eq!(instant(text), Ok(expected), "{text}");
        }
        for text in [
            "1763773323004",
            "11/22/2026 01:02",
            "2026-11-22",
            "yesterday",
        ] {
            assert!(instant(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_that_are_none_are_shown() {
        for (column, text) in [
            (Column::Size, "-1"),
            (Column::Size, "+1"),
            (Column::Size, "1e3"),
            (Column::Size, "18446744073709551616"),
            (Column::ETag, "\"\""),
            (Column::ETag, "a\"b"),
            (Column::VersionId, "a b"),
            (Column::StorageClass, "Standard"),
            (Column::IsLatest, "yes"),
        ] {
            let problem = Fields::default().set(column, text).unwrap_err();
            assert!(problem.to_string().contains(column.name()), "{problem}");
        }
    }

    #[test]
    fn values_are_taken_and_empty_ones_say_nothing() {
        let mut fields = Fields::default();
        for (column, text) in [
            (Column::Size, "17"),
            (Column::ETag, "\"d41d8cd98f00b204e9800998ecf8427e-2\""),
            (Column::StorageClass, "DEEP_ARCHIVE"),
            (Column::VersionId, ""),
        ] {
            fields.set(column, text).unwrap();
        }
        assert_eq!(fields.size_bytes, Some(17));
        assert_eq!(
            ETag::new(fields.etag.unwrap()).unwrap().part_count(),
            Some(2)
        );
        assert_eq!(
            fields.storage.unwrap().class,
            Some(StorageClass::DeepArchive)
        );
        assert!(fields.storage.unwrap().is_archived);
        assert_eq!(fields.version_id, None);
    }
}
