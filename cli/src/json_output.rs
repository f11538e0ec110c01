//! Results for programs: one JSON document for each command.

use serde_json::{Map, Value};
use shardlift_core::value::printable::printable_json;

use crate::{Screen, error::CommandError, output_format::OutputFormat};

/// The version of every JSON document that the command writes (docs/JSON.md). It changes when a field changes its meaning
/// or goes away; new fields do not change it.
const JSON_VERSION: u32 = 1;

impl Screen {
    /// Whether the result is a JSON document.
    pub(crate) fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Whether the result is a table of comma-separated values.
    pub(crate) fn is_csv(&self) -> bool {
        self.format == OutputFormat::Csv
    }

    /// Writes the result as one JSON document on a line.
    pub(crate) fn json(&mut self, fields: Value) -> Result<(), CommandError> {
        let document = Value::Object(self.json_document(fields));
        writeln!(self.out(), "{}", printable_json(&document.to_string()))?;
        Ok(())
    }

    fn json_document(&self, fields: Value) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("version".to_owned(), JSON_VERSION.into());
        document.insert("command".to_owned(), self.command.into());
        if let Value::Object(fields) = fields {
            document.extend(fields);
        }
        document
    }
}

/// A JSON document with a list that is written while it is read: a run can have a hundred thousand shards.
pub(crate) struct JsonList {
    is_empty: bool,
}

impl JsonList {
    /// Begins the document, and in it the list of this name.
    pub(crate) fn begin(screen: &mut Screen, name: &str) -> Result<Self, CommandError> {
        let head = Value::Object(screen.json_document(Value::Null)).to_string();
        let head = head.trim_end_matches('}');
        write!(screen.out(), "{head},{}:[", Value::from(name))?;
        Ok(Self { is_empty: true })
    }

    /// Adds an item to the list.
    pub(crate) fn add(&mut self, item: &Value, screen: &mut Screen) -> Result<(), CommandError> {
        let comma = if self.is_empty { "" } else { "," };
        self.is_empty = false;
        write!(screen.out(), "{comma}{}", printable_json(&item.to_string()))?;
        Ok(())
    }

    /// Ends the list, and the document with these fields.
    pub(crate) fn end(self, fields: &Value, screen: &mut Screen) -> Result<(), CommandError> {
        let rest = printable_json(&fields.to_string());
        let rest = rest.trim_start_matches('{');
        let comma = if rest == "}" { "" } else { "," };
        writeln!(screen.out(), "]{comma}{rest}")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::screen::paper::Paper;

    #[test]
    fn a_document_says_its_version_and_no_character_in_it_is_active() {
        let (mut screen, paper) = Paper::in_a_screen();
        screen.json(json!({"key": "a\u{1b}[2J\u{202e}b"})).unwrap();
        let text = paper.text();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            document,
            json!({"version": 1, "command": "", "key": "a\u{1b}[2J\u{202e}b"})
        );
    }

    #[test]
    fn a_list_that_is_written_while_it_is_read_is_a_document_too() {
        for (items, rest) in [
            (0, json!({})),
            (1, json!({"done": 1})),
            (3, json!({"a": {}})),
        ] {
            let (mut screen, paper) = Paper::in_a_screen();
            let mut list = JsonList::begin(&mut screen, "shards").unwrap();
            for number in 0..items {
                list.add(&json!({"id": number}), &mut screen).unwrap();
            }
            list.end(&rest, &mut screen).unwrap();
            let document: Value = serde_json::from_str(&paper.text()).unwrap();
            assert_eq!(document["shards"].as_array().unwrap().len(), items);
            assert_eq!(document["version"], 1);
            for (name, value) in rest.as_object().unwrap() {
                assert_eq!(&document[name], value);
            }
        }
    }
}
