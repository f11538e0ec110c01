//! A receipt: what became of an object in an earlier run.

use serde::Deserialize;

use super::json_line::parsed;
use crate::{
    bad_line::LineProblem,
    entry::{LeftOut, ListItem, WhyLeftOut},
    fields::{Column, Fields, RowKind},
    line_place::LinePlace,
    scope::ListScope,
};

/// What is read of a receipt; the rest is ignored.
#[derive(Deserialize)]
struct ReceiptLine {
    /// The key below the prefix.
    key: Option<String>,
    outcome: ReceivedOutcome,
    etag: Option<String>,
    /// Not the receipt's `version_id`, which is the version at the target.
    source_version_id: Option<String>,
    size: Option<u64>,
}

/// The outcomes of a receipt.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReceivedOutcome {
    Copied,
    Same,
    Beside,
    Deleted,
    Skipped,
    Failed,
}

/// What a line is: an object if the run copied it or found it the same.
pub(super) fn read(
    line: &[u8],
    scope: &ListScope,
    place: LinePlace,
) -> Result<ListItem, LineProblem> {
    let line: ReceiptLine = parsed(line)?;
    let key = scope.key_below(&line.key.ok_or(LineProblem::NoKey)?)?;
    match line.outcome {
        ReceivedOutcome::Copied | ReceivedOutcome::Same => {}
        ReceivedOutcome::Beside
        | ReceivedOutcome::Deleted
        | ReceivedOutcome::Skipped
        | ReceivedOutcome::Failed => {
            let why = WhyLeftOut::NotVouched;
            return Ok(ListItem::LeftOut(LeftOut { place, why }));
        }
    }
    let mut fields = Fields {
        size_bytes: line.size,
        ..Fields::default()
    };
    for (column, text) in [
        (Column::ETag, &line.etag),
        (Column::VersionId, &line.source_version_id),
    ] {
        if let Some(text) = text {
            fields.set(column, text)?;
        }
    }
    Ok(fields.into_item(key, place, RowKind::Chosen))
}
