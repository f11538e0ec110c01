//! `failures.csv` and `shards.json`: every failed key and every shard, streamed.

mod csv_row;

use std::pin::pin;

use futures::TryStreamExt;
use serde::Serialize;
use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::{control_key, failed_objects::FailureDocuments},
    failure::{Failure, FailureCode},
    port::{ControlStore, ControlWriter, Ledger},
    report::{FailureExamples, note_example, settlement},
    run::record::RunRecord,
    shard::{ShardRecord, ShardState, ShardWork},
    value::{
        id::{RunId, ShardId},
        tally::{Count, Tally},
        time::Timestamp,
    },
};

use crate::{failed_objects, page::Charts, settle};

/// How many packed failure lists are fetched ahead.
const LISTS_AT_ONCE: usize = 8;

/// Bytes that are gathered before they are handed on.
const GATHERED_BYTES: usize = 256 * 1024;

/// What was met while the documents were written.
#[derive(Debug)]
pub(crate) struct Documents {
    /// An example of each reason.
    pub(crate) examples: FailureExamples,
    /// What the page draws.
    pub(crate) charts: Charts,
    /// Where lists disagree with the ledger.
    pub(crate) contradictions: Vec<String>,
}

/// A shard in `shards.json`.
#[derive(Serialize)]
struct ShardLine<'a> {
    shard_id: &'a ShardId,
    work: ShardWork,
    state: ShardState,
    round: u32,
    attempts: u32,
    planned: Count,
    #[serde(flatten)]
    tally: &'a Tally,
    begun_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Failure>,
}

/// Both documents on their way.
struct Pens<W> {
    failures_csv: Pen<W>,
    shards_json: Pen<W>,
    has_shards: bool,
}

impl Documents {
    /// Writes those of a run of which nothing, or too little, is in the ledger.
    pub(crate) async fn write_empty<C: ControlStore>(
        control: &C,
        run_id: &RunId,
        charts: Charts,
    ) -> Result<Self, Failure> {
        Pens::open(control, run_id)?.finish().await?;
        Ok(Self::new(charts))
    }

    /// Writes those of a settled run. Objects without an outcome are listed under `unfinished`. What is in memory at
    /// a time does not depend on the number of shards or failures.
    ///
    /// # Errors
    /// What keeps them from being written. A list that disagrees with the ledger is no error here: it is noted, and the
    /// documents hold all else.
    pub(crate) async fn write<L: Ledger, C: ControlStore>(
        ledger: &L,
        control: &C,
        run: &RunRecord,
        unfinished: FailureCode,
        charts: Charts,
    ) -> Result<Self, Failure> {
        let mut pens = Pens::open(control, &run.run_id)?;
        let mut documents = Self::new(charts);
        let written = documents
            .write_shards(ledger, control, run, unfinished, &mut pens)
            .await;
        match written {
            Ok(()) => pens.finish().await?,
            Err(failure) => {
                pens.abandon().await;
                return Err(failure);
            }
        }
        Ok(documents)
    }

    fn new(charts: Charts) -> Self {
        Self {
            examples: FailureExamples::new(),
            charts,
            contradictions: Vec::new(),
        }
    }

    async fn write_shards<L: Ledger, C: ControlStore>(
        &mut self,
        ledger: &L,
        control: &C,
        run: &RunRecord,
        unfinished: FailureCode,
        pens: &mut Pens<C::Writer>,
    ) -> Result<(), Failure> {
        let shards = settle::shards(ledger, &run.run_id)
            .map_ok(|shard| async move {
                let packed = failed_objects::fetch(control, &shard).await;
                Ok((shard, packed))
            })
            .try_buffered(LISTS_AT_ONCE);
        let mut shards = pin!(shards);
        while let Some((shard, packed)) = shards.try_next().await? {
            self.charts.add(&shard);
            pens.add_shard(&shard)?;
            let listed = match packed {
                Ok(packed) => self.list(&shard, &packed, unfinished, pens),
                Err(failure) => Err(failure),
            };
            match listed {
                Err(failure) if failure.code == FailureCode::InvariantViolated => {
                    self.contradictions
                        .push(format!("shard {}: {}", shard.shard_id, failure.detail));
                }
                other => other?,
            }
            pens.hand_on().await?;
        }
        Ok(())
    }

    fn list<W>(
        &mut self,
        shard: &ShardRecord,
        packed: &FailureDocuments<Vec<u8>>,
        unfinished: FailureCode,
        pens: &mut Pens<W>,
    ) -> Result<(), Failure> {
        if settlement::is_held_back(shard) {
            return Ok(());
        }
        let code = shard
            .problem
            .as_ref()
            .map_or(unfinished, |problem| problem.code);
        packed.unpack(shard, code, |object| {
            csv_row::write(&mut pens.failures_csv.gathered, &object, &shard.shard_id)?;
            let failure = Failure::new(object.code, object.detail);
            note_example(&mut self.examples, &object.key, &failure);
            Ok(())
        })
    }
}

impl<W: ControlWriter> Pens<W> {
    fn open<C: ControlStore<Writer = W>>(control: &C, run_id: &RunId) -> Result<Self, Failure> {
        let open = |name: &str, content_type: &str| {
            let key = control_key::report_document(run_id, name);
            Pen::new(control.open(&key, content_type), key)
        };
        let mut pens = Self {
            failures_csv: open("failures.csv", "text/csv; charset=utf-8"),
            shards_json: open("shards.json", "application/json"),
            has_shards: false,
        };
        csv_row::write_header(&mut pens.failures_csv.gathered)?;
        pens.shards_json.gathered.push(b'[');
        Ok(pens)
    }

    fn add_shard(&mut self, shard: &ShardRecord) -> Result<(), Failure> {
        let line = ShardLine {
            shard_id: &shard.shard_id,
            work: shard.work,
            state: shard.state,
            round: shard.round,
            attempts: shard.attempts,
            planned: shard.planned,
            tally: &shard.outcome.tally,
            begun_at: shard.begun_at,
            ended_at: shard.ended_at,
            problem: shard.problem.as_ref(),
        };
        let separator: &[u8] = if self.has_shards { b",\n" } else { b"\n" };
        self.has_shards = true;
        self.shards_json.gathered.extend_from_slice(separator);
        serde_json::to_writer(&mut self.shards_json.gathered, &line)
            .map_err(|error| Failure::invariant(format!("a shard is no JSON: {error}")))
    }

    async fn hand_on(&mut self) -> Result<(), Failure> {
        self.failures_csv.hand_on(GATHERED_BYTES).await?;
        self.shards_json.hand_on(GATHERED_BYTES).await
    }

    async fn finish(mut self) -> Result<(), Failure> {
        self.shards_json.gathered.extend_from_slice(b"\n]\n");
        self.failures_csv.finish().await?;
        self.shards_json.finish().await
    }

    /// Frees what was sent. That this may fail too changes nothing: the bucket's lifecycle rule removes it in the end.
    async fn abandon(self) {
        for pen in [self.failures_csv, self.shards_json] {
            if let Err(fault) = pen.writer.abandon().await {
                tracing::warn!(
                    { field::ERROR_DETAIL } = %fault,
                    document = pen.key,
                    "an unfinished document was left behind"
                );
            }
        }
    }
}

/// Gathers small pieces, so that each is not a call of its own.
struct Pen<W> {
    writer: W,
    key: String,
    gathered: Vec<u8>,
}

impl<W: ControlWriter> Pen<W> {
    fn new(writer: W, key: String) -> Self {
        Self {
            writer,
            key,
            gathered: Vec::new(),
        }
    }

    async fn hand_on(&mut self, above_bytes: usize) -> Result<(), Failure> {
        if self.gathered.len() > above_bytes {
            let written = self.writer.write(&self.gathered).await;
            written
                .map_err(|fault| fault.into_failure().within(format!("writing {}", self.key)))?;
            self.gathered.clear();
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Failure> {
        self.hand_on(0).await?;
        let finished = self.writer.finish().await;
        finished.map_err(|fault| fault.into_failure().within(format!("writing {}", self.key)))
    }
}
