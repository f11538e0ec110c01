//! The failed objects of a run, from `failures.csv`.

use std::io::Write;

use serde_json::{Value, json};
use shardlift_core::{
    documents::RunDocument,
    value::{cell::from_cell, figures::bytes, id::RunId, printable::Printable},
};

use crate::{Screen, connection::Connection, error::CommandError};

/// A failed object: a line of `failures.csv`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct FailedLine {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) shard: String,
    /// The version of the source, where the run named one.
    #[serde(default)]
    pub(crate) version_id: String,
}

impl FailedLine {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let version = Some(&self.version_id).filter(|version| !version.is_empty());
        json!({
            "key": self.key, "size": self.size, "reason": self.reason, "detail": self.detail,
            "shard": self.shard, "version_id": version,
        })
    }
}

/// Reads `failures.csv` as it is; nothing where the run wrote none.
pub(crate) async fn body(
    connection: &Connection,
    run: &RunId,
) -> Result<Option<Vec<u8>>, CommandError> {
    let documents = connection.documents(run);
    Ok(documents.bytes(RunDocument::FailuresCsv).await?)
}

/// The lines, with keys and details as they are.
pub(crate) fn lines(body: &[u8]) -> impl Iterator<Item = Result<FailedLine, CommandError>> + '_ {
    let rows = csv::Reader::from_reader(body).into_deserialize::<FailedLine>();
    rows.map(|row| {
        let line = row.map_err(|error| {
            CommandError::usage(format!("failures.csv cannot be read: {error}"))
        })?;
        Ok(FailedLine {
            key: from_cell(&line.key),
            reason: from_cell(&line.reason),
            detail: from_cell(&line.detail),
            shard: from_cell(&line.shard),
            ..line
        })
    })
}

/// Prints every failed object: reason, key, size and shard, and the detail on the next line.
pub(crate) async fn print(
    connection: &Connection,
    run: &RunId,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let Some(body) = body(connection, run).await? else {
        return Err(CommandError::usage(format!(
            "run {run} has no failures.csv in the control bucket"
        )));
    };
    write_lines(&body, screen.out())
}

fn write_lines(body: &[u8], out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(out)?;
    for line in lines(body) {
        let line = line?;
        writeln!(
            out,
            "  {:<18} {}  ({}, shard {})",
            Printable(&line.reason).to_string(),
            Printable(&line.key),
            bytes(line.size),
            Printable(&line.shard),
        )?;
        writeln!(out, "    {}", Printable(&line.detail))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_key_is_shown_and_does_nothing() {
        let body = "key,size,reason,detail,shard\n\"a\n\u{1b}[31mb\",3,SourceChanged,\"etag, differs\",r0-1\n";
        let mut out = Vec::new();
        write_lines(body.as_bytes(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("SourceChanged      a\\n\\u{1b}[31mb  (3 bytes, shard r0-1)"),
            "{text}"
        );
        assert!(text.contains("    etag, differs"));
    }

    #[test]
    fn a_key_that_looks_like_a_formula_is_shown_unchanged() {
        let body = "key,size,reason,detail,shard\n'=1+1,3,SourceChanged,d,r0-1\n";
        let mut out = Vec::new();
        write_lines(body.as_bytes(), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(" =1+1  (3 bytes"));
    }

    #[test]
    fn a_list_of_another_form_is_refused() {
        assert!(write_lines(b"a,b\n1,2\n", &mut Vec::new()).is_err());
    }
}
