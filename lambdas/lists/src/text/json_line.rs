//! A line of JSON, with the names of S3 Metadata or S3 Inventory.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    bad_line::{LineProblem, library_message},
    fields::{Column, Fields, RowKind},
    line_place::PlaceOf,
    parsed_line::{LineTaker, ParsedLine},
    scope::ListScope,
};

/// The fields that are read; every other is ignored. An Athena query over a table of S3 Metadata writes all of them, absent
/// values left out or as null.
#[derive(Deserialize)]
struct JsonLine {
    bucket: Option<String>,
    key: Option<String>,
    version_id: Option<String>,
    size: Option<u64>,
    #[serde(alias = "e_tag")]
    etag: Option<String>,
    last_modified_date: Option<String>,
    storage_class: Option<String>,
    is_delete_marker: Option<bool>,
}

/// Gives what a line is to `taker`.
pub(super) fn read(line: &[u8], scope: &ListScope, place: PlaceOf<'_>, taker: &mut impl LineTaker) {
    match parsed::<JsonLine>(line) {
        Ok(line) => taker.take(line.checked(scope), place, RowKind::Chosen),
        Err(problem) => taker.take(Err(problem), place, RowKind::Chosen),
    }
}

impl JsonLine {
    fn checked(&self, scope: &ListScope) -> Result<ParsedLine<'_>, LineProblem> {
        if let Some(bucket) = &self.bucket {
            scope.check_bucket(bucket.as_bytes())?;
        }
        let key = self.key.as_ref().ok_or(LineProblem::NoKey)?;
        let key = scope.key_text(key.as_bytes())?;
        let mut fields = Fields {
            size_bytes: self.size,
            is_delete_marker: self.is_delete_marker,
            ..Fields::default()
        };
        for (column, text) in [
            (Column::VersionId, &self.version_id),
            (Column::ETag, &self.etag),
            (Column::LastModifiedDate, &self.last_modified_date),
            (Column::StorageClass, &self.storage_class),
        ] {
            if let Some(text) = text {
                fields.set(column, text)?;
            }
        }
        let key = Cow::Borrowed(key);
        Ok(ParsedLine { key, fields })
    }
}

/// The object on a line.
pub(super) fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, LineProblem> {
    // A struct would also be read from a JSON array.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(LineProblem::Json("expected an object".into()));
    }
    serde_json::from_slice(line).map_err(|error| LineProblem::Json(library_message(&error)))
}
