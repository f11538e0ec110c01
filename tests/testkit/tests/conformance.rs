//! The ports in memory keep the promises of the ports.

use shardlift_core::{
    port::{Accounts, SessionName, TagSet},
    run::pair::{Source, Target},
    value::{arn::RoleArn, bucket::BucketName, id::RunId, key::KeyPrefix},
};
use shardlift_testkit::{
    CallScript, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryLedger, MemoryListFiles,
    MemoryTarget,
    conformance::{
        ByteWorld, CopyWorld, SourceObject, bytes_keep_their_promises,
        control_store_keeps_its_promises, copying_keeps_its_promises, deleting_keeps_its_promises,
        ledger_keeps_its_promises, list_files_keep_their_promises, listing_keeps_its_promises,
        multipart_keeps_its_promises,
    },
};

const PAGE_OBJECTS: usize = 1_000;

struct MemoryWorld {
    buckets: MemoryBuckets,
    target: MemoryTarget,
}

impl CopyWorld for MemoryWorld {
    type Target = MemoryTarget;

    fn target(&self) -> &MemoryTarget {
        &self.target
    }

    fn put_source(&self, key: &str, object: &SourceObject) {
        let content = object.content.to_string();
        self.buckets.put("source", key, &content, object.size_bytes);
        self.buckets.change("source", key, |stored| {
            if let Some(content_type) = &object.content_type {
                let headers = &mut stored.attributes.headers;
                headers.insert("content-type".into(), content_type.as_str().into());
            }
            stored.attributes.metadata = object.stored_metadata();
            stored.tags = object.tags.clone();
        });
    }

    fn encrypt_target_under_kms(&self) {
        self.buckets.encrypt_under_kms("target");
    }

    fn target_tags(&self, target_key: &str) -> TagSet {
        let objects = self.buckets.objects("target");
        let found = objects
            .into_iter()
            .find(|(key, _)| key.as_str() == target_key);
        found.expect("the object exists").1.tags
    }

    fn is_same_content(&self, source_key: &str, target_key: &str) -> bool {
        let object = |bucket: &str, key: &str| {
            let objects = self.buckets.objects(bucket);
            let found = objects.iter().find(|(found, _)| found.as_str() == key);
            found.map(|(_, object)| (object.content.clone(), object.attributes.size_bytes))
        };
        let source = object("source", source_key);
        source.is_some() && source == object("target", target_key)
    }
}

impl ByteWorld for MemoryWorld {
    fn put_source_bytes(&self, key: &str, bytes: &[u8]) {
        self.buckets.put_bytes("source", key, bytes);
    }

    fn target_bytes(&self, target_key: &str) -> Vec<u8> {
        let bytes = self.buckets.bytes("target", target_key);
        bytes.expect("the object exists")
    }
}

async fn world() -> MemoryWorld {
    let buckets = MemoryBuckets::default()
        .with_bucket("source", "111111111111", "us-east-1")
        .with_bucket("target", "222222222222", "eu-central-1");
    let accounts = MemoryAccounts::new(
        buckets.clone(),
        "111111111111",
        PAGE_OBJECTS,
        CallScript::default(),
    );
    let target = Target {
        bucket: BucketName::new("target").expect("a bucket name"),
        prefix: KeyPrefix::default(),
        role_arn: RoleArn::new("arn:aws:iam::222222222222:role/Target").expect("a role"),
        external_id: None,
    };
    let source = Source {
        bucket: BucketName::new("source").expect("a bucket name"),
        prefix: KeyPrefix::default(),
        request_payer: false,
    };
    let session = SessionName::of_step("test", &RunId::new("run").expect("a run id"));
    let target = accounts
        .open_target(&target, &source, &session, None)
        .await
        .expect("the role is there");
    MemoryWorld { buckets, target }
}

#[tokio::test]
async fn the_ledger_in_memory() {
    ledger_keeps_its_promises(&MemoryLedger::default(), "run").await;
}

#[tokio::test]
async fn the_control_store_in_memory() {
    let bucket = BucketName::new("control").unwrap();
    let store = MemoryControlStore::new(bucket, CallScript::default());
    control_store_keeps_its_promises(&store, "runs/run/").await;
}

#[tokio::test]
async fn the_files_of_lists_in_memory() {
    let bucket = BucketName::new("control").unwrap();
    let files = MemoryListFiles::new(CallScript::default());
    let write = async |key: String, body: Vec<u8>| files.put("control", &key, body);
    list_files_keep_their_promises(&files, &bucket, write).await;
}

#[tokio::test]
async fn the_listing_in_memory() {
    let world = world().await;
    listing_keeps_its_promises(&world.target, |key, size| {
        world.buckets.put("target", key, "content", size);
    })
    .await;
}

#[tokio::test]
async fn copying_in_memory() {
    copying_keeps_its_promises(&world().await).await;
    multipart_keeps_its_promises(&world().await).await;
}

#[tokio::test]
async fn bytes_in_memory() {
    bytes_keep_their_promises(&world().await).await;
}

#[tokio::test]
async fn deleting_in_memory() {
    deleting_keeps_its_promises(&world().await).await;
}
