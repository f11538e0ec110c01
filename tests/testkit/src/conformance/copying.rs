use std::{collections::BTreeMap, future::Future};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{CopyOptions, CopySource, Probe, TagSet, TargetBucket},
    run::option::{AclChoice, SseChoice},
    value::{
        arn::KmsKeyArn,
        header::HeaderBytes,
        key::ObjectKey,
        object::{ETag, Encryption},
        storage::StorageClass,
    },
};

use super::{HOSTILE_KEYS, keys_under};

/// An object that a test wants at the source.
#[derive(Debug, Clone, Default)]
pub struct SourceObject {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// What distinguishes its content from that of another object of the same size.
    pub content: u64,
    /// Its Content-Type; the backend's default when absent.
    pub content_type: Option<String>,
    /// Its user metadata.
    pub metadata: BTreeMap<String, String>,
    /// Its tags.
    pub tags: TagSet,
}

impl SourceObject {
    /// Its user metadata as a HEAD returns it.
    #[must_use]
    pub fn stored_metadata(&self) -> BTreeMap<String, HeaderBytes> {
        let values = self.metadata.iter();
        values
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect()
    }

    /// An object of this size without anything else.
    #[must_use]
    pub fn of(size_bytes: u64) -> Self {
        Self {
            size_bytes,
            ..Self::default()
        }
    }
}

/// A source bucket that tests write into, and the target handle that copies from it into an empty bucket.
pub trait CopyWorld {
    /// The handle.
    type Target: TargetBucket;
    /// The handle.
    fn target(&self) -> &Self::Target;
    /// Writes an object at the source.
    fn put_source(&self, key: &str, object: &SourceObject);
    /// From now on the target bucket encrypts by default under a KMS key.
    fn encrypt_target_under_kms(&self);
    /// The tags of the target's object, which the role itself may not read.
    fn target_tags(&self, target_key: &str) -> TagSet;
    /// Whether the target's object holds the very bytes of the source's object.
    fn is_same_content(&self, source_key: &str, target_key: &str) -> bool;
}

/// What every target does about copies in one call.
pub async fn copying_keeps_its_promises(world: &impl CopyWorld) {
    hostile_keys_are_copied_byte_for_byte(world).await;
    a_copy_carries_metadata_and_tags(world).await;
    options_are_obeyed(world).await;
    a_copy_tells_how_it_is_encrypted(world, Encryption::S3Managed).await;
    a_source_that_changed_is_not_copied(world).await;
    a_source_that_is_gone_is_reported(world).await;
    a_probe_changes_nothing(world).await;
    world.encrypt_target_under_kms();
    a_copy_tells_how_it_is_encrypted(world, Encryption::Kms).await;
    assert!(world.target().requests()["s3:CopyObject"] > 0);
}

/// The object at the source as a plan would name it.
pub(super) async fn planned(world: &impl CopyWorld, key: &str) -> CopySource {
    let key = ObjectKey::new(key).expect("a key");
    let attributes = world
        .target()
        .head_source((&key).into())
        .await
        .expect("the source");
    CopySource {
        version_id: None,
        key,
        etag: attributes.etag,
        size_bytes: attributes.size_bytes,
    }
}

pub(super) async fn refused<T: std::fmt::Debug>(
    call: impl Future<Output = Result<T, CallFault>>,
) -> FaultKind {
    call.await.expect_err("the call is refused").kind
}

pub(super) fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).expect("a key")
}

pub(super) fn kms_key() -> KmsKeyArn {
    KmsKeyArn::new("arn:aws:kms:eu-central-1:222222222222:key/0a1b").expect("a key")
}

async fn hostile_keys_are_copied_byte_for_byte(world: &impl CopyWorld) {
    for (size, name) in (1..).zip(HOSTILE_KEYS) {
        world.put_source(
            name,
            &SourceObject {
                content: size,
                ..SourceObject::of(size)
            },
        );
        let source = planned(world, name).await;
        assert_eq!(source.size_bytes, size, "{name:?}");
        let target_key = key(&format!("copied/{name}"));
        let receipt = world
            .target()
            .copy_object(&source, &target_key, &CopyOptions::default())
            .await
            .unwrap_or_else(|fault| panic!("{name:?}: {fault}"));
        let written = world
            .target()
            .head_target(&target_key)
            .await
            .expect("written");
        assert_eq!((written.size_bytes, written.etag), (size, receipt.etag));
        assert!(world.is_same_content(name, target_key.as_str()), "{name:?}");
    }
    let expected: Vec<String> = HOSTILE_KEYS
        .iter()
        .map(|name| format!("copied/{name}"))
        .collect();
    assert_eq!(keys_under(world.target(), "copied/").await, expected);
}

fn described() -> SourceObject {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    SourceObject {
        content_type: Some("text/csv; charset=utf-8".into()),
        metadata: BTreeMap::from([pair("owner", "data team"), pair("x", "a=b&c")]),
        tags: TagSet::from([pair("team", "a b+c"), pair("cost:center", "")]),
        ..SourceObject::of(10)
    }
}

async fn a_copy_carries_metadata_and_tags(world: &impl CopyWorld) {
    let object = described();
    world.put_source("described", &object);
    let source = planned(world, "described").await;
    let target = world.target();
    let tags = target.source_tags((&source.key).into()).await;
    assert_eq!(tags.as_ref(), Ok(&object.tags));
    let copied = target
        .copy_object(&source, &key("described"), &CopyOptions::default())
        .await;
    assert!(copied.is_ok(), "{copied:?}");
    let written = target
        .head_target(&key("described"))
        .await
        .expect("written");
    assert_eq!(written.metadata, object.stored_metadata());
    let content_type = object.content_type.as_deref().map(HeaderBytes::from);
    assert_eq!(written.headers.get("content-type"), content_type.as_ref());
    assert_eq!(world.target_tags("described"), object.tags);
    assert_eq!(written.storage_class, "STANDARD");
}

async fn options_are_obeyed(world: &impl CopyWorld) {
    world.put_source("options", &described());
    let source = planned(world, "options").await;
    let one = TagSet::from([("only".to_owned(), "this + that = @".to_owned())]);
    for (name, tags) in [("one-tag", one), ("no-tags", TagSet::new())] {
        let options = CopyOptions {
            storage_class: Some(StorageClass::GlacierIr),
            kms_key_arn: None,
            sse: None,
            acl: Some(AclChoice::BucketOwnerFullControl),
            tags: Some(tags.clone()),
            redirect: Some("/elsewhere".into()),
        };
        let copied = world
            .target()
            .copy_object(&source, &key(name), &options)
            .await;
        assert!(copied.is_ok(), "{copied:?}");
        let written = world
            .target()
            .head_target(&key(name))
            .await
            .expect("written");
        assert_eq!(written.storage_class, "GLACIER_IR");
        let redirect = written.headers.get("x-amz-website-redirect-location");
        assert_eq!(redirect, Some(&"/elsewhere".into()));
        assert_eq!(world.target_tags(name), tags, "{name}");
        assert_eq!(written.metadata, described().stored_metadata());
    }
}

/// `by_default`: what the target bucket does to a copy that names no key.
async fn a_copy_tells_how_it_is_encrypted(world: &impl CopyWorld, by_default: Encryption) {
    world.put_source("encrypted", &SourceObject::of(9));
    let source = planned(world, "encrypted").await;
    for (kms_key_arn, sse, expected) in [
        (Some(kms_key()), None, Encryption::Kms),
        (None, Some(SseChoice::Aes256), Encryption::S3Managed),
        (None, None, by_default),
    ] {
        let options = CopyOptions {
            kms_key_arn: kms_key_arn.clone(),
            sse,
            ..CopyOptions::default()
        };
        let (target, target_key) = (world.target(), key("encrypted"));
        let copied = target.copy_object(&source, &target_key, &options).await;
        copied.expect("a copy");
        let written = target.head_target(&target_key).await;
        let encryption = written.expect("the copy").encryption;
        assert_eq!(encryption, expected, "{kms_key_arn:?} {sse:?}");
    }
}

async fn a_source_that_changed_is_not_copied(world: &impl CopyWorld) {
    world.put_source("changing", &SourceObject::of(5));
    let mut source = planned(world, "changing").await;
    source.etag = ETag::new("00000000000000000000000000000000").expect("an ETag");
    let copy = |source: CopySource| async move {
        let options = CopyOptions::default();
        refused(
            world
                .target()
                .copy_object(&source, &key("changing"), &options),
        )
        .await
    };
    assert_eq!(copy(source).await, FaultKind::ConditionFailed);
    let absent = refused(world.target().head_target(&key("changing"))).await;
    assert_eq!(absent, FaultKind::NoSuchKey, "nothing was written");
}

async fn a_source_that_is_gone_is_reported(world: &impl CopyWorld) {
    let gone = CopySource {
        version_id: None,
        key: key("gone"),
        etag: ETag::new("00000000000000000000000000000000").expect("an ETag"),
        size_bytes: 1,
    };
    let target = world.target();
    let options = CopyOptions::default();
    let copied = refused(target.copy_object(&gone, &key("gone"), &options)).await;
    assert_eq!(copied, FaultKind::NoSuchKey);
    assert_eq!(
        refused(target.head_source((&gone.key).into())).await,
        FaultKind::NoSuchKey
    );
    assert_eq!(
        refused(target.source_tags((&gone.key).into())).await,
        FaultKind::NoSuchKey
    );
    assert_eq!(
        refused(target.head_target(&gone.key)).await,
        FaultKind::NoSuchKey
    );
}

async fn a_probe_changes_nothing(world: &impl CopyWorld) {
    let target = world.target();
    world.put_source("probed", &SourceObject::of(7));
    let source = planned(world, "probed").await;
    let options = CopyOptions::default();
    let copied = target.copy_object(&source, &key("probed"), &options).await;
    copied.expect("a copy");
    for name in ["probed", "absent from both sides"] {
        let asked = key(name);
        for probe in [
            Probe::ReadSource((&asked).into()),
            Probe::DeleteTarget(&asked),
        ] {
            target.probe(probe).await.expect("what may be done");
        }
    }
    let left = target.head_target(&key("probed")).await;
    assert_eq!(left.expect("the copy").size_bytes, 7);
}
