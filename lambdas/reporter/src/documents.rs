//! `failures.csv` and `shards.json`: every failed key, every shard.

use std::pin::pin;

use futures::TryStreamExt;
use serde::Serialize;
use shardlift_core::{
    failure::{Failure, FailureCode},
    failure_list::FailedObject,
    id::ShardId,
    notice::{FailureExamples, note_example},
    port::{ControlStore, Ledger},
    run::RunRecord,
    shard::{ShardRecord, ShardState},
    tally::{Count, FailedCount},
    time::Timestamp,
};

use crate::{failed_objects, settle};

/// How many failure lists are fetched ahead.
const LISTS_AT_ONCE: usize = 8;

/// The two documents, and an example of each reason for the notification.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// The body of `failures.csv`.
    pub(crate) failures_csv: Vec<u8>,
    /// The body of `shards.json`.
    pub(crate) shards_json: Vec<u8>,
    /// An example of each reason.
    pub(crate) examples: FailureExamples,
}

/// A shard in `shards.json`.
#[derive(Serialize)]
struct ShardLine<'a> {
    shard_id: &'a ShardId,
    state: ShardState,
    round: u32,
    attempts: u32,
    planned: Count,
    copied: Count,
    skipped: Count,
    deleted: Count,
    failed: &'a FailedCount,
    begun_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Failure>,
}

impl Documents {
    /// Those of a run of which nothing, or too little, is in the ledger.
    pub(crate) fn empty() -> Result<Self, Failure> {
        Self::begun()?.finished()
    }

    /// Those of a settled run. Objects without an outcome are listed under `unfinished`.
    ///
    /// # Errors
    /// `InvariantViolated` when a list disagrees with the ledger.
    pub(crate) async fn of_run<L: Ledger, C: ControlStore>(
        ledger: &L,
        control: &C,
        run: &RunRecord,
        unfinished: FailureCode,
    ) -> Result<Self, Failure> {
        let mut documents = Self::begun()?;
        let settled = settle::shards(ledger, &run.run_id)
            .map_ok(|shard| async move {
                let mut failed = failed_objects::read(control, &shard).await?;
                failed.extend(failed_objects::unsettled(control, &shard, unfinished).await?);
                Ok((shard, failed))
            })
            .try_buffered(LISTS_AT_ONCE);
        let mut settled = pin!(settled);
        while let Some((shard, failed)) = settled.try_next().await? {
            documents.add_shard(&shard)?;
            documents.add_failures(&shard, &failed)?;
        }
        documents.finished()
    }

    fn begun() -> Result<Self, Failure> {
        let mut documents = Self::default();
        write_rows(
            &mut documents.failures_csv,
            std::iter::once(["key", "size", "reason", "detail", "shard"].map(str::to_owned)),
        )?;
        Ok(documents)
    }

    fn finished(mut self) -> Result<Self, Failure> {
        let opening: &[u8] = if self.shards_json.is_empty() {
            b"["
        } else {
            b""
        };
        self.shards_json.extend_from_slice(opening);
        self.shards_json.extend_from_slice(b"\n]\n");
        Ok(self)
    }

    fn add_shard(&mut self, shard: &ShardRecord) -> Result<(), Failure> {
        let tally = &shard.outcome.tally;
        let line = ShardLine {
            shard_id: &shard.shard_id,
            state: shard.state,
            round: shard.round,
            attempts: shard.attempts,
            planned: shard.planned,
            copied: tally.copied,
            skipped: tally.skipped,
            deleted: tally.deleted,
            failed: &tally.failed,
            begun_at: shard.begun_at,
            ended_at: shard.ended_at,
            problem: shard.problem.as_ref(),
        };
        let opening: &[u8] = if self.shards_json.is_empty() {
            b"[\n"
        } else {
            b",\n"
        };
        self.shards_json.extend_from_slice(opening);
        serde_json::to_writer(&mut self.shards_json, &line)
            .map_err(|error| Failure::invariant(format!("a shard is no JSON: {error}")))
    }

    fn add_failures(
        &mut self,
        shard: &ShardRecord,
        failed: &[FailedObject],
    ) -> Result<(), Failure> {
        for object in failed {
            let failure = Failure::new(object.code, object.detail.clone());
            note_example(&mut self.examples, &object.key, &failure);
        }
        let rows = failed.iter().map(|object| {
            [
                inert(object.key.as_str()),
                object.size.to_string(),
                object.code.name().to_owned(),
                inert(&object.detail),
                shard.shard_id.to_string(),
            ]
        });
        write_rows(&mut self.failures_csv, rows)
    }
}

fn write_rows(body: &mut Vec<u8>, rows: impl Iterator<Item = [String; 5]>) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::invariant(format!("failures.csv cannot be written: {error}"))
    };
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(body);
    for row in rows {
        writer.write_record(row).map_err(|error| broken(&error))?;
    }
    writer.flush().map_err(|error| broken(&error))
}

/// A text that no spreadsheet takes for a formula: one that begins like a formula, or with an apostrophe, gets an
/// apostrophe in front. Taking the first apostrophe of a cell away gives every text back (P6).
fn inert(text: &str) -> String {
    const FORMULA_OPENINGS: [char; 12] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\'', '＝', '＋', '－', '＠',
    ];
    if text.starts_with(FORMULA_OPENINGS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<String> {
        let mut body = Vec::new();
        write_rows(
            &mut body,
            std::iter::once([
                inert(text),
                "1".into(),
                "AccessDenied".into(),
                inert(text),
                "r0-0".into(),
            ]),
        )
        .unwrap();
        let mut whole = Documents::begun().unwrap().failures_csv;
        whole.extend(body);
        let mut reader = csv::Reader::from_reader(whole.as_slice());
        let record = reader.records().next().unwrap().unwrap();
        record.iter().map(str::to_owned).collect()
    }

    #[test]
    fn hostile_keys_are_no_formulas_and_come_back_byte_for_byte() {
        for key in [
            "=cmd|' /C calc'!A0",
            "+1",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "'quoted",
            "＝1",
            "plain",
            "a,b\"c\r\nd;e",
            "\u{feff}x",
        ] {
            let cell = &cells(key)[0];
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '＝']),
                "{cell}"
            );
            assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), key);
        }
    }

    #[test]
    fn a_run_without_shards_has_a_header_and_an_empty_list() {
        let documents = Documents::empty().unwrap();
        assert_eq!(documents.failures_csv, b"key,size,reason,detail,shard\r\n");
        let shards: Vec<serde_json::Value> =
            serde_json::from_slice(&documents.shards_json).unwrap();
        assert!(shards.is_empty());
    }
}
