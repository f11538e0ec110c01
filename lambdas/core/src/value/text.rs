//! One definition for every validated text that crosses a boundary.

/// How much of a refused text a message shows.
pub(crate) const SHOWN_CHARACTERS: usize = 200;

/// The first `characters_max` characters of a text, with an ellipsis where something is left out.
#[must_use]
pub fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text was refused by the type that it was meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {found:?} is not valid: {rule}")]
pub struct InvalidText {
    /// What the text was meant to be, for example `bucket name`.
    pub what: &'static str,
    /// The text as it came in, cut to a length that a message can carry.
    pub found: String,
    /// The rule that it broke, as a sentence fragment.
    pub rule: &'static str,
}

impl InvalidText {
    /// Texts of this kind are not shown.
    const UNSEEN: &str = "external id";

    pub(crate) fn new(what: &'static str, found: &str, rule: &'static str) -> Self {
        Self {
            what,
            found: if what == Self::UNSEEN {
                format!("of {} characters", found.chars().count())
            } else {
                found.chars().take(SHOWN_CHARACTERS).collect()
            },
            rule,
        }
    }
}

/// Declares a newtype over `String` whose only way in is its check, serde included.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text that satisfies the rules of this type.
            ///
            /// # Errors
            /// [`InvalidText`](crate::value::text::InvalidText) naming the rule that the text broke.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::value::text::InvalidText> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(rule) => Err($crate::value::text::InvalidText::new($what, &text, rule)),
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::value::text::InvalidText;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use checked_text;
