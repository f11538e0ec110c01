//! Walks the shards of a run for the documents and the charts.

use std::pin::pin;

use futures::TryStreamExt;
use shardlift_core::{
    documents::{RunDocuments, failed_objects::FailureDocuments},
    failure::{Failure, FailureCode},
    port::ControlWriter,
    report::{
        FailedWork, FailureExamples, note_example,
        settlement::{self, Settlement},
    },
    run::{pair::Pair, record::RunRecord},
    shard::{ShardRecord, ShardWork},
    value::id::ShardId,
};

use super::detail_writer::DetailWriter;
use crate::{
    invocation::Invocation,
    page::{Charts, FailedObjects},
    ports::Ports,
    receipts,
};

/// How many packed failure lists are fetched ahead.
const LISTS_AT_ONCE: usize = 8;

/// What was met while the documents were written.
#[derive(Debug)]
pub(crate) struct Details {
    /// An example of each reason.
    pub(crate) examples: FailureExamples,
    /// What the page lists and counts.
    pub(crate) failed: FailedObjects,
    /// What the page draws.
    pub(crate) charts: Charts,
    /// The sums of the shards as they were met.
    pub(crate) sums: Settlement,
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
        writer.finish(false).await?;
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
        run: &RunRecord,
        unfinished: FailureCode,
        charts: Charts,
    ) -> Result<Self, Failure> {
        let mut writer = DetailWriter::open(invocation.documents())?;
        let mut details = Self::new(charts);
        let written = async {
            details.index_earlier(invocation, run, &mut writer).await?;
            details
                .write_shards(invocation, (&run.spec.pair, unfinished), &mut writer)
                .await
        };
        if let Err(failure) = written.await {
            writer.abandon().await;
            return Err(failure);
        }
        writer.finish(run.spec.is_light()).await?;
        Ok(details)
    }

    fn new(charts: Charts) -> Self {
        Self {
            examples: FailureExamples::new(),
            failed: FailedObjects::default(),
            charts,
            sums: Settlement::default(),
            contradictions: Vec::new(),
        }
    }

    /// Adds the lists of receipts to the index that are older than the shards of the run: those of the runs that it goes back
    /// to, and of what its plan left as it stood.
    async fn index_earlier<P: Ports, W: ControlWriter>(
        &mut self,
        invocation: &Invocation<'_, P>,
        run: &RunRecord,
        writer: &mut DetailWriter<W>,
    ) -> Result<(), Failure> {
        for run_id in receipts::earlier_runs(run) {
            for key in receipts::kept_keys(invocation, run_id).await? {
                writer.add_receipts(&key);
            }
            let documents = RunDocuments::new(invocation.control, run_id);
            let keys = invocation
                .shards_of(run_id)
                .map_ok(|shard| async move {
                    let key = receipts::counted_key(documents, &shard).await;
                    Ok((shard.shard_id, key))
                })
                .try_buffered(LISTS_AT_ONCE);
            let mut keys = pin!(keys);
            while let Some((shard_id, key)) = keys.try_next().await? {
                if let Some(key) = self.agreed(&shard_id, key)?.flatten() {
                    writer.add_receipts(&key);
                }
                writer.flush_if_large().await?;
            }
        }
        if run.keeps_nothing() {
            return Ok(());
        }
        for key in receipts::kept_keys(invocation, &run.run_id).await? {
            writer.add_receipts(&key);
        }
        writer.flush_if_large().await
    }

    async fn write_shards<P: Ports, W: ControlWriter>(
        &mut self,
        invocation: &Invocation<'_, P>,
        (pair, unfinished): (&Pair, FailureCode),
        writer: &mut DetailWriter<W>,
    ) -> Result<(), Failure> {
        let documents = invocation.documents();
        let shards = invocation
            .shards()
            .map_ok(|shard| async move {
                let packed = documents.failures(&shard).await;
                let receipts = receipts::counted_key(documents, &shard).await;
                Ok((shard, packed.map_err(Failure::from), receipts))
            })
            .try_buffered(LISTS_AT_ONCE);
        let mut shards = pin!(shards);
        while let Some((shard, packed, receipts)) = shards.try_next().await? {
            self.charts.add(&shard);
            self.sums.add(&shard);
            writer.add_shard(&shard)?;
            if let Some(key) = self.agreed(&shard.shard_id, receipts)?.flatten() {
                writer.add_receipts(&key);
            }
            let listed =
                packed.and_then(|packed| self.list(&shard, &packed, (pair, unfinished), writer));
            self.agreed(&shard.shard_id, listed)?;
            writer.flush_if_large().await?;
        }
        Ok(())
    }

    /// What was read of a shard's lists; nothing, and a note, where they disagree with the ledger.
    fn agreed<T>(
        &mut self,
        shard_id: &ShardId,
        read: Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        match read {
            Err(failure) if failure.code == FailureCode::InvariantViolated => {
                self.contradictions
                    .push(format!("shard {shard_id}: {}", failure.detail));
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    fn list<W: ControlWriter>(
        &mut self,
        shard: &ShardRecord,
        packed: &FailureDocuments<Vec<u8>>,
        (pair, unfinished): (&Pair, FailureCode),
        writer: &mut DetailWriter<W>,
    ) -> Result<(), Failure> {
        if settlement::is_held_back(shard) {
            return Ok(());
        }
        let (work, prefix) = match shard.work {
            ShardWork::DeleteObjects => (FailedWork::Delete, &pair.target.prefix),
            _ => (FailedWork::Copy, &pair.source.prefix),
        };
        let problem = shard.problem.as_ref();
        let code = problem.map_or(unfinished, |problem| problem.code);
        packed.unpack(shard, code, |object| {
            writer.add_failed(&object, &shard.shard_id)?;
            self.failed.add(&object, &shard.shard_id, prefix);
            let failure = Failure::new(object.code, object.detail);
            note_example(&mut self.examples, work, &object.key, &failure);
            Ok(())
        })
    }
}
