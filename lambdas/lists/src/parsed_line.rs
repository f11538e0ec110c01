//! A line that was read and is not an item yet: of a list that is surveyed none becomes one.

use std::borrow::Cow;

use crate::{
    bad_line::LineProblem,
    entry::ListItem,
    fields::{Fields, RowKind, bad},
    line_place::PlaceOf,
    line_survey::LineSurvey,
    scope::key_of,
};

/// A line with a key.
pub(crate) struct ParsedLine<'a> {
    /// The key, which was checked.
    pub(crate) key: Cow<'a, str>,
    pub(crate) fields: Fields<'a>,
}

/// Takes what a line is.
pub(crate) trait LineTaker {
    /// Takes a line that was read, or what is wrong with it.
    fn take(
        &mut self,
        line: Result<ParsedLine<'_>, LineProblem>,
        place: PlaceOf<'_>,
        row_kind: RowKind,
    );

    /// Takes an item.
    fn take_item(&mut self, item: ListItem);
}

/// The item of a line.
impl LineTaker for Option<ListItem> {
    fn take(
        &mut self,
        line: Result<ParsedLine<'_>, LineProblem>,
        place: PlaceOf<'_>,
        row_kind: RowKind,
    ) {
        let item = line.and_then(|line| {
            let key = key_of(&line.key)?;
            line.fields.into_item(key, place.place(), row_kind)
        });
        *self = Some(item.unwrap_or_else(|problem| bad(place.place(), problem, row_kind)));
    }

    fn take_item(&mut self, item: ListItem) {
        *self = Some(item);
    }
}

impl LineTaker for LineSurvey {
    fn take(
        &mut self,
        line: Result<ParsedLine<'_>, LineProblem>,
        place: PlaceOf<'_>,
        row_kind: RowKind,
    ) {
        match line {
            Ok(line) => match line.fields.left_out(row_kind) {
                Some(why) => self.note_left_out(why),
                None => self.note_key(&line.key, line.fields.names_version(), place),
            },
            Err(problem) => self.take_item(bad(place.place(), problem, row_kind)),
        }
    }

    fn take_item(&mut self, item: ListItem) {
        match item {
            ListItem::Bad(line) => self.note_wrong(line),
            ListItem::LeftOut(left_out) => self.note_left_out(left_out.why),
            ListItem::Entry(entry) => {
                let place = PlaceOf {
                    file: &entry.place.file,
                    line: entry.place.line,
                };
                self.note_key(entry.key.as_str(), entry.version_id.is_some(), place);
            }
        }
    }
}
