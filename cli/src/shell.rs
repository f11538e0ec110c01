//! Texts in commands that a person pastes into a shell.

use shardlift_core::value::id::RunId;

/// A run id as a shell takes it: the name of an execution may have quotes and parentheses.
pub(crate) fn quoted(run: &RunId) -> String {
    let text = run.as_str();
    // Only a NUL cannot be quoted, and no run id has one.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Into::into)
}
