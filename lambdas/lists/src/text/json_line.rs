//! A line of JSON, with the names of S3 Metadata or S3 Inventory.

use serde::Deserialize;

use crate::{
    bad_line::{LineProblem, library_message},
    entry::ListItem,
    fields::{Column, Fields, RowKind},
    line_place::LinePlace,
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

/// What a line is.
pub(super) fn read(
    line: &[u8],
    scope: &ListScope,
    place: LinePlace,
) -> Result<ListItem, LineProblem> {
    let line: JsonLine = parsed(line)?;
    if let Some(bucket) = &line.bucket {
        scope.check_bucket(bucket.as_bytes())?;
    }
    let key = scope.key(line.key.ok_or(LineProblem::NoKey)?.as_bytes())?;
    let mut fields = Fields {
        size_bytes: line.size,
        is_delete_marker: line.is_delete_marker,
        ..Fields::default()
    };
    for (column, text) in [
        (Column::VersionId, &line.version_id),
        (Column::ETag, &line.etag),
        (Column::LastModifiedDate, &line.last_modified_date),
        (Column::StorageClass, &line.storage_class),
    ] {
        if let Some(text) = text {
            fields.set(column, text)?;
        }
    }
    Ok(fields.into_item(key, place, RowKind::Chosen))
}

/// The object on a line.
pub(super) fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, LineProblem> {
    // A struct would also be read from a JSON array.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(LineProblem::Json("expected an object".into()));
    }
    serde_json::from_slice(line).map_err(|error| LineProblem::Json(library_message(&error)))
}
