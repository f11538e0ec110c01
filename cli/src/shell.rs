//! Texts in commands that a person pastes into a shell.

use shardlift_core::value::id::RunId;

/// A run id as a shell takes it: the name of an execution may have quotes and parentheses.
pub(crate) fn quoted(run: &RunId) -> String {
    quoted_text(run.as_str())
}

/// A text without a NUL as a shell takes it.
pub(crate) fn quoted_text(text: &str) -> String {
    // Only a NUL cannot be quoted: neither a run id nor JSON has one.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Into::into)
}
