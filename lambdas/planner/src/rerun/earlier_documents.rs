//! What an earlier run left undone, read from its ledger and its documents.

use std::collections::BTreeSet;

use shardlift_core::{
    documents::{DocumentError, RunDocuments},
    failure::{Failure, FailureCode},
    plan::rerun,
    port::{ControlStore, Ledger},
    run::rerun::Rerun,
    shard::{ShardRecord, ShardWork},
    value::id::ShardId,
};

use super::{position::Position, undone_object::UndoneObject};

/// Reads the earlier run of a rerun.
pub(super) struct EarlierDocuments<'a, L, C> {
    pub(super) ledger: &'a L,
    pub(super) control: &'a C,
    pub(super) rerun: &'a Rerun,
}

/// A shard of the earlier run with something undone.
pub(super) struct UndoneShard {
    pub(super) work: ShardWork,
    /// Its undone objects in the order of its manifest.
    pub(super) objects: Vec<UndoneObject>,
    /// How many documents were read for it.
    pub(super) documents_read: u64,
}

impl<L: Ledger, C: ControlStore> EarlierDocuments<'_, L, C> {
    /// The chosen shards with something undone, in the order of their ids.
    pub(super) async fn undone_shards(&self) -> Result<BTreeSet<ShardId>, Failure> {
        let chosen = self.rerun.shards.as_ref();
        let chosen: Option<BTreeSet<ShardId>> =
            chosen.map(|ids| ids.iter().map(rerun::whole_of).collect());
        let is_chosen = |shard: &ShardRecord| {
            chosen
                .as_ref()
                .is_none_or(|ids| ids.contains(&shard.shard_id))
        };
        let mut found = BTreeSet::new();
        let mut shards = self.ledger.shards(&self.rerun.of);
        while let Some(shard) = shards.next().await? {
            if is_chosen(&shard) && rerun::undone(&shard).objects > 0 {
                found.insert(shard.shard_id);
            }
        }
        Ok(found)
    }

    /// The undone objects of a shard.
    ///
    /// # Errors
    /// `InvalidRun` when a record or a document of it is no longer kept.
    pub(super) async fn read(&self, shard_id: &ShardId) -> Result<UndoneShard, Failure> {
        let earlier = &self.rerun.of;
        let shard = self.ledger.read_shard(earlier, shard_id).await?;
        let shard =
            shard.ok_or_else(|| self.forgotten(&format!("the record of shard {shard_id}")))?;
        let documents = RunDocuments::new(self.control, earlier);
        let documents = documents.failures(&shard).await;
        let documents = documents.map_err(|error| match error {
            DocumentError::Missing { key } => self.forgotten(&key),
            error => error.into(),
        })?;
        let mut objects = Vec::new();
        documents.unpack(&shard, FailureCode::ServiceFault, |object| {
            objects.push(UndoneObject {
                position: Position {
                    shard_id: shard_id.clone(),
                    index: object.index,
                },
                key: object.key,
                version_id: object.version_id,
                size_bytes: object.size,
            });
            Ok(())
        })?;
        objects.sort_unstable_by(|one, other| one.position.cmp(&other.position));
        let read = [&documents.list, &documents.manifest];
        Ok(UndoneShard {
            work: shard.work,
            objects,
            documents_read: read.into_iter().flatten().count() as u64,
        })
    }

    fn forgotten(&self, what: &str) -> Failure {
        rerun::forgotten(&self.rerun.of, &format!("{what} is no longer kept"))
    }
}
