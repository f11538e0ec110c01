//! Blocks of sorted runs on their way from and to the control bucket.

use std::collections::BTreeMap;

use futures::{StreamExt, future::BoxFuture, future::FutureExt, stream::FuturesUnordered};
use shardlift_core::{
    documents::RunDocuments, failure::Failure, port::ControlStore, value::id::RunId,
};
use shardlift_lists::{OpenBlock, SortedBlock};

use super::list_sort::SortedRun;
use crate::run::RequestMeter;

/// How many blocks are written at once.
const WRITES_MAX: usize = 8;

/// A block: the name of its run, and its place in it.
type BlockName = (String, usize);

/// A call that has ended.
enum Ended {
    Read(BlockName, OpenBlock),
    Written,
}

/// Reads blocks ahead, and writes several at once.
pub(super) struct BlockTraffic<'a, C> {
    control: &'a C,
    run_id: &'a RunId,
    in_flight: FuturesUnordered<BoxFuture<'a, Result<Ended, Failure>>>,
    /// What was asked for; nothing while it is on its way.
    asked: BTreeMap<BlockName, Option<OpenBlock>>,
    writes_in_flight: usize,
    reads: u64,
    writes: u64,
}

impl<'a, C: ControlStore> BlockTraffic<'a, C> {
    pub(super) fn new(control: &'a C, run_id: &'a RunId) -> Self {
        Self {
            control,
            run_id,
            in_flight: FuturesUnordered::new(),
            asked: BTreeMap::new(),
            writes_in_flight: 0,
            reads: 0,
            writes: 0,
        }
    }

    /// Asks for a block that is needed later, unless the run has none there.
    pub(super) fn ask(&mut self, run: &SortedRun, block: usize) {
        let name = (run.name.clone(), block);
        if block >= run.lasts.len() || self.asked.contains_key(&name) {
            return;
        }
        self.asked.insert(name.clone(), None);
        self.reads += 1;
        let (control, run_id) = (self.control, self.run_id);
        let call = async move {
            let block = read_block(control, run_id, &name.0, name.1).await?;
            Ok(Ended::Read(name, block))
        };
        self.in_flight.push(call.boxed());
    }

    /// A block, and asks for the one behind it; nothing where the run has none there.
    pub(super) async fn read(
        &mut self,
        run: &SortedRun,
        block: usize,
    ) -> Result<Option<OpenBlock>, Failure> {
        if block >= run.lasts.len() {
            return Ok(None);
        }
        self.ask(run, block);
        self.ask(run, block + 1);
        let name = (run.name.clone(), block);
        loop {
            // Whatever has arrived, so that no call waits for this one.
            while let Some(Some(ended)) = self.in_flight.next().now_or_never() {
                self.note(ended?);
            }
            if let Some(arrived) = self.asked.get_mut(&name).and_then(Option::take) {
                self.asked.remove(&name);
                return Ok(Some(arrived));
            }
            self.wait().await?;
        }
    }

    /// Writes the next block of a run, as soon as not too many are being written.
    pub(super) async fn write(
        &mut self,
        run: &mut SortedRun,
        block: SortedBlock,
    ) -> Result<(), Failure> {
        while self.writes_in_flight >= WRITES_MAX {
            self.wait().await?;
        }
        let (name, number) = (run.name.clone(), run.lasts.len());
        run.lasts.push(block.last.clone());
        self.writes += 1;
        self.writes_in_flight += 1;
        let (control, run_id) = (self.control, self.run_id);
        let call = async move {
            let encoded = tokio::task::spawn_blocking(move || block.encode());
            let encoded = encoded.await.map_err(|_| gone())??;
            let documents = RunDocuments::new(control, run_id);
            documents.write_list_block(&name, number, encoded).await?;
            Ok(Ended::Written)
        };
        self.in_flight.push(call.boxed());
        Ok(())
    }

    /// Waits until everything is written.
    pub(super) async fn drain(&mut self) -> Result<(), Failure> {
        while self.writes_in_flight > 0 {
            self.wait().await?;
        }
        Ok(())
    }

    /// Counts what was sent.
    pub(super) fn count_in(&self, meter: &mut RequestMeter) {
        meter.add("s3:GetObject", self.reads);
        meter.add("s3:PutObject", self.writes);
    }

    async fn wait(&mut self) -> Result<(), Failure> {
        let ended = self.in_flight.next().await;
        self.note(ended.ok_or_else(gone)??);
        Ok(())
    }

    fn note(&mut self, ended: Ended) {
        match ended {
            Ended::Read(name, block) => {
                self.asked.insert(name, Some(block));
            }
            Ended::Written => self.writes_in_flight -= 1,
        }
    }
}

/// Reads a block, and decodes it beside this thread.
pub(super) async fn read_block<C: ControlStore>(
    control: &C,
    run_id: &RunId,
    run: &str,
    block: usize,
) -> Result<OpenBlock, Failure> {
    let encoded = RunDocuments::new(control, run_id)
        .list_block(run, block)
        .await?;
    let decoded = tokio::task::spawn_blocking(move || OpenBlock::decode(&encoded));
    decoded.await.map_err(|_| gone())?
}

fn gone() -> Failure {
    Failure::invariant("a block of the sorted list has gone")
}
