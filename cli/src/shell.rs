//! Texts in commands that a person pastes into a shell.

use shardlift_core::value::id::RunId;

/// A run id as a shell takes it: the name of an execution may have quotes and parentheses.
pub(crate) fn quoted(run: &RunId) -> String {
    // Only a NUL cannot be quoted, which no run id has.
    shlex::try_quote(run.as_str()).map_or_else(|_| run.to_string(), Into::into)
}
