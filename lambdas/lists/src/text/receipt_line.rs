//! A receipt: what became of an object in an earlier run.

use std::borrow::Cow;

use serde::Deserialize;
use shardlift_core::value::key::ObjectKey;

use super::json_line::parsed;
use crate::{
    bad_line::LineProblem,
    entry::{LeftOut, ListItem, WhyLeftOut},
    fields::{Column, Fields, RowKind},
    line_place::PlaceOf,
    parsed_line::{LineTaker, ParsedLine},
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

/// Gives what a line is to `taker`: an object if the run copied it or found it the same.
pub(super) fn read(line: &[u8], scope: &ListScope, place: PlaceOf<'_>, taker: &mut impl LineTaker) {
    match parsed::<ReceiptLine>(line) {
        Ok(line) => line.give(scope, place, taker),
        Err(problem) => taker.take(Err(problem), place, RowKind::Chosen),
    }
}

impl ReceiptLine {
    fn give(&self, scope: &ListScope, place: PlaceOf<'_>, taker: &mut impl LineTaker) {
        let key = self.key.as_ref().ok_or(LineProblem::NoKey);
        let key = key.and_then(|key| scope.key_below(key));
        let is_vouched = matches!(
            self.outcome,
            ReceivedOutcome::Copied | ReceivedOutcome::Same
        );
        if is_vouched || key.is_err() {
            let line = key.as_ref().map_err(Clone::clone);
            let line = line.and_then(|key| self.checked(key));
            taker.take(line, place, RowKind::Chosen);
        } else {
            let (place, why) = (place.place(), WhyLeftOut::NotVouched);
            taker.take_item(ListItem::LeftOut(LeftOut { place, why }));
        }
    }

    fn checked<'a>(&'a self, key: &'a ObjectKey) -> Result<ParsedLine<'a>, LineProblem> {
        let mut fields = Fields {
            size_bytes: self.size,
            ..Fields::default()
        };
        for (column, text) in [
            (Column::ETag, &self.etag),
            (Column::VersionId, &self.source_version_id),
        ] {
            if let Some(text) = text {
                fields.set(column, text)?;
            }
        }
        let key = Cow::Borrowed(key.as_str());
        Ok(ParsedLine { key, fields })
    }
}
