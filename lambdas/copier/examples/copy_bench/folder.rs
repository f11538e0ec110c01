//! A control bucket in a folder, and with it a run's records: what is measured of the process that copies is then the
//! copier, neither its plan nor its storage.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{ControlStore, Ledger, PutOutcome},
    run::record::RunRecord,
    shard::ShardRecord,
    value::bucket::BucketName,
};
use shardlift_testkit::{CallScript, MemoryControlStore, MemoryControlWriter, MemoryLedger};

/// The folder. Objects lie in it under their keys, with every slash a dot.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    /// For what is written piece by piece, which a copier does not do.
    pieces: MemoryControlStore,
}

impl Folder {
    pub(crate) fn new(path: &str) -> Self {
        let bucket = BucketName::new("control-bucket").unwrap();
        Self {
            path: path.into(),
            pieces: MemoryControlStore::new(bucket, CallScript::default()),
        }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.path.join(key.replace('/', "."))
    }

    /// Keeps the records of a plan for [`Self::ledger`].
    pub(crate) fn write_records(&self, run: &RunRecord, shards: &[ShardRecord]) {
        write_json(&self.path.join("run.json"), run);
        write_json(&self.path.join("shards.json"), shards);
    }

    /// A ledger with these records, some hundred bytes a shard, in memory.
    pub(crate) async fn ledger(&self) -> (MemoryLedger, Vec<ShardRecord>) {
        let run: RunRecord = read_json(&self.path.join("run.json"));
        let shards: Vec<ShardRecord> = read_json(&self.path.join("shards.json"));
        let ledger = MemoryLedger::new(CallScript::default());
        assert_eq!(ledger.create_run(&run).await.unwrap(), PutOutcome::Written);
        ledger.hold_lock_for(&run);
        for shard in &shards {
            let written = ledger.create_shard(shard).await.unwrap();
            assert_eq!(written, PutOutcome::Written);
        }
        (ledger, shards)
    }
}

fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) {
    fs::write(path, serde_json::to_vec(value).unwrap()).unwrap();
}

fn read_json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn fault(operation: &'static str) -> impl Fn(std::io::Error) -> CallFault {
    move |error| CallFault::new(operation, FaultKind::ServiceError, error.to_string())
}

impl ControlStore for Folder {
    type Writer = MemoryControlWriter;

    fn bucket(&self) -> &BucketName {
        self.pieces.bucket()
    }

    async fn put(&self, key: &str, _content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        fs::write(self.file(key), body).map_err(fault("s3:PutObject"))
    }

    fn open(&self, key: &str, content_type: &str) -> MemoryControlWriter {
        self.pieces.open(key, content_type)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        match fs::read(self.file(key)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(fault("s3:GetObject")),
        }
    }
}
