//! Every failed object of a run, from `failures.csv`.

use std::io::Write;

use shardlift_core::{
    documents::RunDocument,
    value::{cell::from_cell, figures::bytes, id::RunId, printable::Printable},
};

use crate::{Screen, connection::Connection, error::CommandError};

/// One line of `failures.csv`.
#[derive(Debug, serde::Deserialize)]
struct FailedLine {
    key: String,
    size: u64,
    reason: String,
    detail: String,
    shard: String,
}

/// Prints every failed object: reason, key, size and shard, and the detail on the next line.
pub(crate) async fn print(
    connection: &Connection,
    run: &RunId,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let documents = connection.documents(run);
    let Some(body) = documents.bytes(RunDocument::FailuresCsv).await? else {
        return Err(CommandError::usage(format!(
            "run {run} has no failures.csv in the control bucket"
        )));
    };
    write_lines(&body, screen.out())
}

fn write_lines(body: &[u8], out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(out)?;
    for line in csv::Reader::from_reader(body).deserialize() {
        let line: FailedLine = line.map_err(|error| {
            CommandError::usage(format!("failures.csv cannot be read: {error}"))
        })?;
        writeln!(
            out,
            "  {:<18} {}  ({}, shard {})",
            Printable(&from_cell(&line.reason)).to_string(),
            Printable(&from_cell(&line.key)),
            bytes(line.size),
            Printable(&from_cell(&line.shard)),
        )?;
        writeln!(out, "    {}", Printable(&from_cell(&line.detail)))?;
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
