//! The documents of a run, read without our own code.

use std::collections::BTreeSet;

use serde_json::Value;
use shardlift_core::value::cell::from_cell;

use super::view::View;

/// The first cell of each row of a CSV document, the header left out: every cell is in quotes.
pub(super) fn first_cells(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let (mut rows, mut cell, mut column) = (Vec::new(), String::new(), 0);
    let (mut is_quoted, mut characters) = (false, text.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' | '\n' if !is_quoted => {
                if column == 0 {
                    rows.push(from_cell(&cell).to_string());
                }
                cell.clear();
                column = if character == '\n' { 0 } else { column + 1 };
            }
            '\r' if !is_quoted => {}
            other => cell.push(other),
        }
    }
    rows.into_iter().skip(1).collect()
}

impl View<'_> {
    pub(super) fn document(&self, name: &str) -> Option<Vec<u8>> {
        let key = format!("runs/night-{}/{name}", self.run);
        self.cloud.control.body(&key)
    }

    /// The keys of `failures.csv`.
    pub(super) fn failed_keys(&self) -> Vec<String> {
        first_cells(&self.document("failures.csv").unwrap_or_default())
    }

    /// The keys that the run names as failed or different, full and relative ones alike.
    pub(super) fn named_keys(&self) -> BTreeSet<String> {
        let differing = self.document("differences.csv").unwrap_or_default();
        let mut named: BTreeSet<String> = self.failed_keys().into_iter().collect();
        named.extend(first_cells(&differing));
        named
    }

    /// The receipts of all lists that count.
    pub(super) fn receipts(&self) -> Result<Vec<Value>, String> {
        let index = self.document("receipts-index/symlink.txt");
        let index = index.ok_or("there is no index of receipts")?;
        let mut receipts = Vec::new();
        for line in String::from_utf8_lossy(&index).lines() {
            let key = line.strip_prefix("s3://control-bucket/").unwrap_or(line);
            let body = self.cloud.control.body(key);
            let body = body.ok_or_else(|| format!("{key} is missing"))?;
            let plain = zstd::decode_all(&body[..]).map_err(|error| error.to_string())?;
            for line in plain.split(|&byte| byte == b'\n') {
                if !line.is_empty() {
                    let receipt = serde_json::from_slice(line);
                    receipts.push(receipt.map_err(|error| format!("{key}: {error}"))?);
                }
            }
        }
        Ok(receipts)
    }
}
