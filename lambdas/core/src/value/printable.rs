//! Texts from outside, shown so that they can do nothing.

use std::fmt::{Display, Formatter, Result, Write as _};

/// A text from outside (a key, a message of AWS), written so that a terminal, a log line, a table or a mail takes it
/// as text: control characters, line breaks, and the invisible characters that reorder or hide what stands beside
/// them become `\n`, `\t`, `\r` or `\u{…}`, and a backslash becomes `\\`, so that the text can be read back.
///
/// Everything else stays as it is: letters of any script, combining marks, emoji, quotes.
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a>(pub &'a str);

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if is_active(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a character does something instead of showing something: control characters (Unicode category Cc), line and
/// paragraph separators, and format characters (Cf) that reorder, join or hide text, tags included.
pub(super) fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_that_acts_stays() {
        let hostile = "\u{1b}[2J\u{7}\r\n\u{202e}gpj.exe\u{9b}31m\u{200b}\u{0}";
        assert_eq!(
            Printable(hostile).to_string(),
            "\\u{1b}[2J\\u{7}\\r\\n\\u{202e}gpj.exe\\u{9b}31m\\u{200b}\\u{0}"
        );
    }

    #[test]
    fn letters_marks_emoji_and_quotes_stay_as_they_are() {
        let harmless = "e\u{301}ü 漢字 \u{1f680} 'a' \"b\" <i> =1+1 %2F";
        assert_eq!(Printable(harmless).to_string(), harmless);
    }

    #[test]
    fn a_written_escape_is_distinguished_from_a_real_one() {
        assert_ne!(Printable("\\n").to_string(), Printable("\n").to_string());
    }

    proptest! {
        #[test]
        fn what_is_shown_stays_on_its_line(text in "(?s).{0,200}") {
            let shown = Printable(&text).to_string();
            prop_assert!(!shown.chars().any(is_active), "{shown:?}");
        }
    }
}
