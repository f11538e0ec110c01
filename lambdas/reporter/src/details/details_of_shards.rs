//! Walks the shards of a run for the documents and the charts.

use std::pin::pin;

use futures::TryStreamExt;
use shardlift_core::{
    documents::failed_objects::FailureDocuments,
    failure::{Failure, FailureCode},
    port::ControlWriter,
    report::{FailedWork, FailureExamples, note_example, settlement},
    shard::{ShardRecord, ShardWork},
};

use super::detail_writer::DetailWriter;
use crate::{invocation::Invocation, page::Charts, ports::Ports};

/// How many packed failure lists are fetched ahead.
const LISTS_AT_ONCE: usize = 8;

/// What was met while the documents were written.
#[derive(Debug)]
pub(crate) struct Details {
    /// An example of each reason.
    pub(crate) examples: FailureExamples,
    /// What the page draws.
    pub(crate) charts: Charts,
    /// Where lists disagree with the ledger.
    pub(crate) contradictions: Vec<String>,
}

impl Details {
    /// Writes those of a run of which nothing, or too little, is in the ledger.
    ///
    /// # Errors
    /// What keeps them from being written.
    pub(crate) async fn write_empty<P: Ports>(
        invocation: &Invocation<'_, P>,
        charts: Charts,
    ) -> Result<Self, Failure> {
        let writer = DetailWriter::open(invocation.documents())?;
        writer.finish().await?;
        Ok(Self::new(charts))
    }

    /// Writes those of a settled run. Objects without an outcome are listed under `unfinished`. Memory does not grow with
    /// the number of shards or failures.
    ///
    /// # Errors
    /// What keeps them from being written. A list that disagrees with the ledger is no error here: it is noted, and the
    /// documents hold everything else.
    pub(crate) async fn write<P: Ports>(
        invocation: &Invocation<'_, P>,
        unfinished: FailureCode,
        charts: Charts,
    ) -> Result<Self, Failure> {
        let mut writer = DetailWriter::open(invocation.documents())?;
        let mut details = Self::new(charts);
        let written = details.write_shards(invocation, unfinished, &mut writer);
        if let Err(failure) = written.await {
            writer.abandon().await;
            return Err(failure);
        }
        writer.finish().await?;
        Ok(details)
    }

    fn new(charts: Charts) -> Self {
        Self {
            examples: FailureExamples::new(),
            charts,
            contradictions: Vec::new(),
        }
    }

    async fn write_shards<P: Ports, W: ControlWriter>(
        &mut self,
        invocation: &Invocation<'_, P>,
        unfinished: FailureCode,
        writer: &mut DetailWriter<W>,
    ) -> Result<(), Failure> {
        let documents = invocation.documents();
        let shards = invocation
            .shards()
            .map_ok(|shard| async move {
                let packed = documents.failures(&shard).await;
                Ok((shard, packed.map_err(Failure::from)))
            })
            .try_buffered(LISTS_AT_ONCE);
        let mut shards = pin!(shards);
        while let Some((shard, packed)) = shards.try_next().await? {
            self.charts.add(&shard);
            writer.add_shard(&shard)?;
            let listed = packed.and_then(|packed| self.list(&shard, &packed, unfinished, writer));
            match listed {
                Err(failure) if failure.code == FailureCode::InvariantViolated => {
                    self.contradictions
                        .push(format!("shard {}: {}", shard.shard_id, failure.detail));
                }
                other => other?,
            }
            writer.flush_if_large().await?;
        }
        Ok(())
    }

    fn list<W: ControlWriter>(
        &mut self,
        shard: &ShardRecord,
        packed: &FailureDocuments<Vec<u8>>,
        unfinished: FailureCode,
        writer: &mut DetailWriter<W>,
    ) -> Result<(), Failure> {
        if settlement::is_held_back(shard) {
            return Ok(());
        }
        let work = match shard.work {
            ShardWork::DeleteObjects => FailedWork::Delete,
            _ => FailedWork::Copy,
        };
        let problem = shard.problem.as_ref();
        let code = problem.map_or(unfinished, |problem| problem.code);
        packed.unpack(shard, code, |object| {
            writer.add_failed(&object, &shard.shard_id)?;
            let failure = Failure::new(object.code, object.detail);
            note_example(&mut self.examples, work, &object.key, &failure);
            Ok(())
        })
    }
}
