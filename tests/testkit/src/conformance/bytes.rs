use std::collections::BTreeMap;

use shardlift_core::{
    failure::fault::FaultKind,
    port::{CopySource, NewObject, ObjectBytes, TagSet, TargetBucket},
    run::option::{AclChoice, SseChoice},
    value::{header::HeaderBytes, object::Encryption, storage::StorageClass},
};

use super::{
    HOSTILE_KEYS,
    copying::{CopyWorld, key, kms_key, planned, refused},
    keys_under,
};

/// More than one chunk of a response.
const LARGE_BYTES: u64 = 3 << 20;

/// Two buckets whose objects have bytes that a test chose.
pub trait ByteWorld: CopyWorld<Target: ObjectBytes> {
    /// Writes an object at the source.
    fn put_source_bytes(&self, key: &str, bytes: &[u8]);
    /// The bytes of the target's object, which the role itself may not read.
    fn target_bytes(&self, target_key: &str) -> Vec<u8>;
}

/// What every target does about bytes that a function reads and writes.
pub async fn bytes_keep_their_promises(world: &impl ByteWorld) {
    hostile_keys_are_read_and_written_byte_for_byte(world).await;
    an_object_is_read_from_its_beginning_up_to_the_limit(world).await;
    another_version_and_none_are_not_read(world).await;
    what_is_written_is_described_as_asked(world).await;
    repeating_a_write_writes_the_same_object(world).await;
    a_new_object_is_encrypted_as_asked(world, Encryption::S3Managed).await;
    world.encrypt_target_under_kms();
    a_new_object_is_encrypted_as_asked(world, Encryption::Kms).await;
    let requests = world.target().requests();
    for operation in ["s3:GetObject", "s3:PutObject"] {
        assert!(requests[operation] > 0, "{operation} in {requests:?}");
    }
}

fn new_object(target_key: &str) -> NewObject {
    NewObject {
        target_key: key(target_key),
        content_type: "image/webp".to_owned(),
        metadata: BTreeMap::new(),
        tags: TagSet::new(),
        storage_class: None,
        kms_key_arn: None,
        sse: None,
        acl: None,
    }
}

fn bytes_of(seed: u64, size: u64) -> Vec<u8> {
    (0..size)
        .map(|at| u8::try_from((at * 31 + at / 251 + seed) % 256).expect("a byte"))
        .collect()
}

async fn hostile_keys_are_read_and_written_byte_for_byte(world: &impl ByteWorld) {
    let target = world.target();
    for (seed, name) in (1..).zip(HOSTILE_KEYS) {
        let bytes = bytes_of(seed, 100 + seed);
        world.put_source_bytes(name, &bytes);
        let source = planned(world, name).await;
        let read = target.read_source(&source, LARGE_BYTES).await;
        assert_eq!(read.as_ref(), Ok(&bytes), "{name:?}");
        let target_key = format!("made/{name}");
        let receipt = target
            .put_object(&new_object(&target_key), &bytes)
            .await
            .unwrap_or_else(|fault| panic!("{name:?}: {fault}"));
        let written = target.head_target(&key(&target_key)).await;
        assert_eq!(written.expect("written").etag, receipt.etag, "{name:?}");
        assert_eq!(world.target_bytes(&target_key), bytes, "{name:?}");
    }
    let expected: Vec<String> = HOSTILE_KEYS
        .iter()
        .map(|name| format!("made/{name}"))
        .collect();
    assert_eq!(keys_under(target, "made/").await, expected);
}

async fn an_object_is_read_from_its_beginning_up_to_the_limit(world: &impl ByteWorld) {
    let bytes = bytes_of(7, LARGE_BYTES);
    world.put_source_bytes("large", &bytes);
    let source = planned(world, "large").await;
    for limit in [1, 4_096, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1] {
        let read = world.target().read_source(&source, limit).await;
        let expected = usize::try_from(limit.min(LARGE_BYTES)).expect("a length");
        let read = read.unwrap_or_else(|fault| panic!("{limit}: {fault}"));
        assert!(read == bytes[..expected], "{limit}: {} bytes", read.len());
    }
    world.put_source_bytes("empty", &[]);
    let empty = planned(world, "empty").await;
    let read = world.target().read_source(&empty, LARGE_BYTES).await;
    assert_eq!(read, Ok(Vec::new()));
}

async fn another_version_and_none_are_not_read(world: &impl ByteWorld) {
    let target = world.target();
    world.put_source_bytes("changing", &bytes_of(1, 5_000));
    let source = planned(world, "changing").await;
    // Of the same size, so that only the ETag tells.
    world.put_source_bytes("changing", &bytes_of(2, 5_000));
    for limit in [10, 5_000] {
        let kind = refused(target.read_source(&source, limit)).await;
        assert_eq!(kind, FaultKind::ConditionFailed, "{limit}");
    }
    let gone = CopySource {
        key: key("never-there"),
        ..source
    };
    let kind = refused(target.read_source(&gone, 10)).await;
    assert_eq!(kind, FaultKind::NoSuchKey);
}

async fn what_is_written_is_described_as_asked(world: &impl ByteWorld) {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let metadata = BTreeMap::from([
        pair("made-with", "thumbnail:64,format=webp"),
        pair("x", "="),
    ]);
    let tags = TagSet::from([pair("team", "a b+c"), pair("cost:center", "")]);
    for (class, name) in [
        (None, "STANDARD"),
        (Some(StorageClass::GlacierIr), "GLACIER_IR"),
    ] {
        let object = NewObject {
            metadata: metadata.clone(),
            tags: tags.clone(),
            storage_class: class,
            acl: Some(AclChoice::BucketOwnerFullControl),
            ..new_object("described.jpg")
        };
        let put = world.target().put_object(&object, b"a picture").await;
        assert!(put.is_ok(), "{put:?}");
        let written = world.target().head_target(&object.target_key).await;
        let written = written.expect("written");
        let content_type = HeaderBytes::from("image/webp");
        assert_eq!(written.headers.get("content-type"), Some(&content_type));
        let found: BTreeMap<_, _> = metadata
            .iter()
            .map(|(name, value)| (name.clone(), HeaderBytes::from(value.as_str())))
            .collect();
        assert_eq!(written.metadata, found);
        assert_eq!(
            (written.storage_class.as_str(), written.size_bytes),
            (name, 9)
        );
        assert_eq!(world.target_tags("described.jpg"), tags);
    }
    // What is written anew keeps nothing of what stood there.
    let plain = new_object("described.jpg");
    let put = world.target().put_object(&plain, b"plain").await;
    put.expect("a write");
    let written = world.target().head_target(&key("described.jpg")).await;
    assert_eq!(written.expect("written").metadata, BTreeMap::new());
    assert_eq!(world.target_tags("described.jpg"), TagSet::new());
}

async fn repeating_a_write_writes_the_same_object(world: &impl ByteWorld) {
    let object = new_object("repeated/once");
    let first = world.target().put_object(&object, b"the same").await;
    let second = world.target().put_object(&object, b"the same").await;
    let etag = first.expect("a write").etag;
    assert_eq!(second.expect("a write").etag, etag);
    let other = world.target().put_object(&object, b"another").await;
    assert_ne!(other.expect("a write").etag, etag);
    assert_eq!(
        keys_under(world.target(), "repeated/").await,
        ["repeated/once"]
    );
    assert_eq!(world.target_bytes("repeated/once"), b"another");
}

/// `by_default`: what the target bucket does to an object that names no key.
async fn a_new_object_is_encrypted_as_asked(world: &impl ByteWorld, by_default: Encryption) {
    for (kms_key_arn, sse, expected) in [
        (Some(kms_key()), None, Encryption::Kms),
        (None, Some(SseChoice::Aes256), Encryption::S3Managed),
        (None, None, by_default),
    ] {
        let object = NewObject {
            kms_key_arn: kms_key_arn.clone(),
            sse,
            ..new_object("sealed")
        };
        let receipt = world.target().put_object(&object, b"sealed").await;
        let written = world.target().head_target(&object.target_key).await;
        let written = written.expect("written");
        assert_eq!(written.encryption, expected, "{kms_key_arn:?} {sse:?}");
        assert_eq!(written.etag, receipt.expect("a write").etag);
    }
}
