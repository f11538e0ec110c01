//! Texts from outside, shown so that they can do nothing.

use std::{
    fmt::{Display, Formatter, Result, Write as _},
    sync::LazyLock,
};

use regex::Regex;

/// A text from outside (a key, a message of AWS), written so that a terminal, a log line, a table or a mail takes it
/// as text: control characters, line breaks, and the invisible characters that reorder or hide what stands beside
/// them become `\n`, `\t`, `\r` or `\u{…}`, and a backslash becomes `\\`, so that the text can be read back.
///
/// Everything else stays as it is: letters of any script, combining marks, emoji, quotes. What Unicode says of each
/// character comes from the tables of the crate `regex`.
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

/// Whether a character does something instead of showing something, or shows nothing at all: control characters (Unicode
/// category Cc), format characters (Cf: what reorders, joins or hides text, tags included), line and paragraph
/// separators (Zl, Zp), what is ignored where it is displayed (fillers, variation selectors), and what no standard
/// defines (Co, Cn). The two selectors that choose between text and emoji stay.
pub(super) fn is_active(c: char) -> bool {
    static ACTIVE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]--[\x{fe0e}\x{fe0f}]]$")
            .expect("the pattern is constant")
    });
    !c.is_ascii_graphic() && c != ' ' && ACTIVE.is_match(c.encode_utf8(&mut [0; 4]))
}

/// JSON in which no character is active: within its strings, such characters become `\u` escapes, which mean the same.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        // Line breaks between the fields are no part of a string: there they are escaped already.
        if character == '\n' || !is_active(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
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

    #[test]
    fn of_all_of_unicode_only_what_shows_itself_stays() {
        // Independent of the tables that the code uses: these ranges are from the Unicode Character Database.
        let invisible = [
            0x0..=0x1f,
            0x7f..=0x9f,
            0xad..=0xad,
            0x34f..=0x34f,
            0x61c..=0x61c,
            0x115f..=0x1160,
            0x17b4..=0x17b5,
            0x180b..=0x180f,
            0x200b..=0x200f,
            0x2028..=0x202e,
            0x2060..=0x206f,
            0x3164..=0x3164,
            0xe000..=0xf8ff,
            0xfe00..=0xfe0d,
            0xfeff..=0xfeff,
            0xffa0..=0xffa0,
            0xfff0..=0xfffb,
            0xfffe..=0xffff,
            0x1_d173..=0x1_d17a,
            0xe_0000..=0xe_0fff,
            0xf_0000..=0x10_ffff,
        ];
        for code in invisible.into_iter().flatten() {
            let c = char::from_u32(code).unwrap();
            assert!(is_active(c), "U+{code:04X} would be printed");
        }
        for c in " ~aéßЖ漢字हि한\u{301}\u{fe0f}🚀€".chars() {
            assert!(!is_active(c), "{c:?} would be escaped");
        }
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let text = c.to_string();
            let (shown, json) = (
                Printable(&text).to_string(),
                serde_json::to_string(&text).unwrap(),
            );
            assert!(!shown.chars().any(is_active), "{c:?}");
            let json = printable_json(&json);
            assert!(!json.chars().any(is_active), "{c:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_stays_on_its_line(text in "(?s).{0,200}") {
            let shown = Printable(&text).to_string();
            prop_assert!(!shown.chars().any(is_active), "{shown:?}");
        }
    }
}
