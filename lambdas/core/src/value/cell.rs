//! A text in a cell of a CSV file that people open in a spreadsheet.

use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula, full-width forms included, and what it may leave out before one.
const FORMULA_OPENINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What a spreadsheet may take for the end of a cell, depending on its locale and settings. A comma is none: every cell is
/// quoted, and a program that splits at commas minds the quotes. One that splits at semicolons minds those of the first
/// cell alone.
fn ends_cell(c: char) -> bool {
    matches!(c, ';' | '\t' | '\r' | '\n')
}

fn needs_apostrophe(c: char) -> bool {
    c == '\'' || FORMULA_OPENINGS.contains(&c)
}

/// A text that no spreadsheet takes for a formula, wherever it cuts it: at the beginning, and after every `;`, tab and line
/// break, an apostrophe stands in front of what would begin a formula, and of an apostrophe. [`from_cell`] gives every
/// text back (P6).
#[must_use]
pub fn to_cell(text: &str) -> Cow<'_, str> {
    let is_opened = |(before, c): (char, char)| ends_cell(before) && needs_apostrophe(c);
    let with_before = || std::iter::once(';').chain(text.chars()).zip(text.chars());
    let openings = with_before().filter(|&pair| is_opened(pair)).count();
    if openings == 0 {
        return text.into();
    }
    let mut cell = String::with_capacity(text.len() + openings);
    for pair in with_before() {
        if is_opened(pair) {
            cell.push('\'');
        }
        cell.push(pair.1);
    }
    cell.into()
}

/// The text of a cell: without an apostrophe at the beginning and after every `;`, tab and line break.
#[must_use]
pub fn from_cell(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut before = ';';
    for c in cell.chars() {
        if ends_cell(before) && c == '\'' {
            // What stands behind it is the text, another apostrophe too.
            before = c;
            continue;
        }
        text.push(c);
        before = c;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ordinary_text_is_its_own_cell() {
        for text in [
            "",
            "data/a,b.csv",
            "it's",
            "a;b",
            "a \"quoted\" one",
            "1-2",
            "a=b",
        ] {
            assert_eq!(to_cell(text), text);
        }
    }

    #[test]
    fn formulas_get_an_apostrophe_wherever_a_spreadsheet_may_cut() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("a;=1+1", "a;'=1+1"),
            ("a\n@x\r\n-1", "a\n'@x\r'\n'-1"),
            ("'quoted", "''quoted"),
            ("a;'b", "a;''b"),
            ("＝1", "'＝1"),
            ("\t=1", "'\t'=1"),
        ] {
            assert_eq!(to_cell(text), cell);
            assert_eq!(from_cell(cell), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_no_cell_begins_a_formula(text in "[=+@;'\t\r\n＝a-]{0,12}|(?s).{0,40}") {
            let cell = to_cell(&text);
            prop_assert_eq!(from_cell(&cell), text.as_str());
            for piece in cell.split([';', '\t', '\r', '\n']) {
                prop_assert!(!piece.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell:?}");
            }
        }
    }
}
