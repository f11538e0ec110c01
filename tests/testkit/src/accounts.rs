//! The two sides of a pair in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use md5::{Digest, Md5};
use shardlift_core::{
    arn::AccountId,
    bucket::BucketName,
    fault::{CallFault, FaultKind},
    id::UploadId,
    key::{KeyPrefix, ObjectKey},
    object::ETag,
    pair::{Source, Target},
    part_layout::{PART_BYTES_MIN, Part, SINGLE_COPY_BYTES_MAX},
    port::{
        Accounts, BucketListing, CopyOptions, CopyReceipt, CopySource, DELETE_OBJECTS_MAX,
        DoomedObject, ListRequest, ObjectAttributes, ObjectPage, PartReceipt, SessionName,
        SourceBucket, TagSet, TargetBucket, UploadSpec,
    },
    run::BucketFacts,
    tally::RequestCounts,
};

use crate::{
    CallScript, MemoryBuckets,
    bucket::{StoredObject, Upload, UploadedPart, World, fingerprint},
};

/// Opens buckets of a [`MemoryBuckets`].
#[derive(Debug, Clone)]
pub struct MemoryAccounts {
    buckets: MemoryBuckets,
    own_account: AccountId,
    page_objects: usize,
    script: CallScript,
    sessions: Arc<Mutex<Vec<String>>>,
}

impl MemoryAccounts {
    /// Accounts over these buckets; the functions run in `own_account`, pages hold `page_objects`.
    #[must_use]
    pub fn new(
        buckets: MemoryBuckets,
        own_account: &str,
        page_objects: usize,
        script: CallScript,
    ) -> Self {
        let own_account = AccountId::new(own_account).expect("an account id");
        Self {
            buckets,
            own_account,
            page_objects,
            script,
            sessions: Arc::default(),
        }
    }

    /// The names of the role sessions that were opened.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        self.sessions.lock().expect("not poisoned").clone()
    }

    async fn handle(&self, bucket: &BucketName, owner: &AccountId) -> Result<Handle, CallFault> {
        const OPERATION: &str = "s3:HeadBucket";
        let facts = self
            .script
            .call(OPERATION, || {
                let world = self.buckets.lock();
                let (facts, _) = world.buckets.get(bucket).ok_or_else(|| {
                    CallFault::new(OPERATION, FaultKind::NoSuchBucket, bucket.to_string())
                })?;
                if facts.owner == *owner {
                    Ok(facts.clone())
                } else {
                    Err(CallFault::new(
                        OPERATION,
                        FaultKind::WrongOwner,
                        format!("{bucket} is owned by {}", facts.owner),
                    ))
                }
            })
            .await?;
        Ok(self.handle_with(bucket, facts))
    }

    fn handle_with(&self, bucket: &BucketName, facts: BucketFacts) -> Handle {
        Handle {
            buckets: self.buckets.clone(),
            bucket: bucket.clone(),
            facts,
            page_objects: self.page_objects,
            script: self.script.clone(),
            requests: Arc::default(),
        }
    }

    async fn assume(&self, session: &SessionName) -> Result<(), CallFault> {
        self.script
            .call("sts:AssumeRole", || {
                self.sessions
                    .lock()
                    .expect("not poisoned")
                    .push(session.as_str().to_owned());
                Ok(())
            })
            .await
            .map_err(|fault| match fault.kind {
                FaultKind::AccessDenied => {
                    CallFault::new(fault.operation, FaultKind::RoleRefused, fault.message)
                }
                _ => fault,
            })
    }
}

impl Accounts for MemoryAccounts {
    type Source = MemorySource;
    type Target = MemoryTarget;

    async fn own_principal(&self) -> Result<String, CallFault> {
        Ok(format!(
            "arn:aws:sts::{}:assumed-role/function/memory",
            self.own_account
        ))
    }

    async fn open_source(&self, source: &Source) -> Result<MemorySource, CallFault> {
        Ok(MemorySource(
            self.handle(&source.bucket, &self.own_account).await?,
        ))
    }

    async fn open_target(
        &self,
        target: &Target,
        source: &Source,
        session: &SessionName,
    ) -> Result<MemoryTarget, CallFault> {
        self.assume(session).await?;
        let handle = self
            .handle(&target.bucket, &target.role_arn.account())
            .await?;
        Ok(MemoryTarget {
            handle,
            source: source.bucket.clone(),
        })
    }

    async fn reopen_target(
        &self,
        target: &Target,
        target_facts: &BucketFacts,
        source: &Source,
        _source_facts: &BucketFacts,
        session: &SessionName,
        _policy: Option<&str>,
    ) -> Result<MemoryTarget, CallFault> {
        self.assume(session).await?;
        let handle = self.handle_with(&target.bucket, target_facts.clone());
        Ok(MemoryTarget {
            handle,
            source: source.bucket.clone(),
        })
    }
}

#[derive(Debug, Clone)]
struct Handle {
    buckets: MemoryBuckets,
    bucket: BucketName,
    facts: BucketFacts,
    page_objects: usize,
    script: CallScript,
    requests: Arc<Mutex<RequestCounts>>,
}

impl Handle {
    async fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut World) -> Result<T, CallFault>,
    ) -> Result<T, CallFault> {
        *self
            .requests
            .lock()
            .expect("not poisoned")
            .entry(operation.to_owned())
            .or_default() += 1;
        self.script
            .call(operation, || effect(&mut self.buckets.lock()))
            .await
    }

    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        const OPERATION: &str = "s3:ListObjectsV2";
        self.call(OPERATION, |world| {
            let mut matching =
                objects(world, &self.bucket, OPERATION)?
                    .iter()
                    .filter(|(key, _)| {
                        key.as_str().starts_with(request.prefix.as_str())
                            && request.after.as_ref().is_none_or(|after| *key > after)
                    });
            let objects = matching
                .by_ref()
                .take(self.page_objects)
                .map(|(key, object)| object.listed(key))
                .collect();
            Ok(ObjectPage {
                objects,
                is_truncated: matching.next().is_some(),
            })
        })
        .await
    }

    fn requests(&self) -> RequestCounts {
        self.requests.lock().expect("not poisoned").clone()
    }
}

fn objects<'a>(
    world: &'a World,
    bucket: &BucketName,
    operation: &'static str,
) -> Result<&'a BTreeMap<ObjectKey, StoredObject>, CallFault> {
    world
        .buckets
        .get(bucket)
        .map(|(_, objects)| objects)
        .ok_or_else(|| CallFault::new(operation, FaultKind::NoSuchBucket, bucket.to_string()))
}

fn find<'a>(
    world: &'a World,
    bucket: &BucketName,
    key: &ObjectKey,
    operation: &'static str,
) -> Result<&'a StoredObject, CallFault> {
    objects(world, bucket, operation)?
        .get(key)
        .ok_or_else(|| CallFault::new(operation, FaultKind::NoSuchKey, key.to_string()))
}

/// The source bucket in memory.
#[derive(Debug, Clone)]
pub struct MemorySource(Handle);

impl BucketListing for MemorySource {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        self.0.list_page(request).await
    }
}

impl SourceBucket for MemorySource {
    fn facts(&self) -> &BucketFacts {
        &self.0.facts
    }

    fn requests(&self) -> RequestCounts {
        self.0.requests()
    }
}

/// The target bucket in memory, and the source's objects.
#[derive(Debug, Clone)]
pub struct MemoryTarget {
    handle: Handle,
    source: BucketName,
}

impl MemoryTarget {
    /// The planned version of the source object, or the fault of reading another one.
    fn planned(
        &self,
        world: &World,
        source: &CopySource,
        operation: &'static str,
    ) -> Result<StoredObject, CallFault> {
        let object = find(world, &self.source, &source.key, operation)?;
        if object.attributes.etag != source.etag {
            return Err(CallFault::new(
                operation,
                FaultKind::ConditionFailed,
                "copy-source-if-match",
            ));
        }
        if matches!(
            object.attributes.storage_class.as_str(),
            "GLACIER" | "DEEP_ARCHIVE"
        ) {
            return Err(CallFault::new(
                operation,
                FaultKind::Archived,
                "InvalidObjectState",
            ));
        }
        Ok(object.clone())
    }

    fn write(&self, world: &mut World, key: &ObjectKey, mut object: StoredObject) -> CopyReceipt {
        object.modified_at = world.now;
        object.attributes.tag_count = u32::try_from(object.tags.len()).expect("S3 allows ten tags");
        let etag = object.attributes.etag.clone();
        let checksums = object.attributes.checksums.clone();
        if let Some((_, objects)) = world.buckets.get_mut(&self.handle.bucket) {
            objects.insert(key.clone(), object);
        }
        CopyReceipt {
            etag,
            version_id: None,
            checksums,
        }
    }
}

fn upload<'a>(
    world: &'a mut World,
    bucket: &BucketName,
    key: &ObjectKey,
    id: &UploadId,
    operation: &'static str,
) -> Result<&'a mut Upload, CallFault> {
    world
        .uploads
        .get_mut(id)
        .filter(|upload| upload.spec.target_key == *key && upload.bucket == *bucket)
        .ok_or_else(|| CallFault::new(operation, FaultKind::NoSuchUpload, id.to_string()))
}

/// Puts parts together: they must be those of one content, in order, without a gap.
fn assemble(
    upload: &Upload,
    parts: &[PartReceipt],
    size_bytes: u64,
) -> Result<StoredObject, &'static str> {
    let mut next_byte = 0;
    let mut content: Option<&str> = None;
    for (index, receipt) in parts.iter().enumerate() {
        let part = upload
            .parts
            .get(&receipt.number.get())
            .filter(|part| part.receipt.etag == receipt.etag)
            .ok_or("InvalidPart")?;
        if index > 0 && receipt.number <= parts[index - 1].number {
            return Err("InvalidPartOrder");
        }
        if part.size_bytes < PART_BYTES_MIN && index + 1 != parts.len() {
            return Err("EntityTooSmall");
        }
        if part.first_byte != next_byte || content.is_some_and(|content| content != part.content) {
            return Err("the parts are not one content in order");
        }
        next_byte += part.size_bytes;
        content = Some(&part.content);
    }
    if next_byte != size_bytes {
        return Err("the size is not x-amz-mp-object-size");
    }
    let content = content.ok_or("an upload has at least one part")?;
    let spec = &upload.spec;
    Ok(StoredObject {
        content: content.to_owned(),
        attributes: ObjectAttributes {
            size_bytes,
            etag: assembled_etag(parts),
            headers: spec.headers.clone(),
            metadata: spec.metadata.clone(),
            storage_class: spec
                .storage_class
                .map_or("STANDARD", |class| class.name())
                .to_owned(),
            tag_count: 0,
            // The names of checksums stand for their values, as contents' names stand for bytes.
            checksums: spec
                .checksum_algorithm
                .iter()
                .map(|algorithm| (algorithm.clone(), format!("{algorithm} of {content}")))
                .collect(),
            checksum_type: spec
                .checksum_algorithm
                .as_ref()
                .map(|_| "FULL_OBJECT".to_owned()),
        },
        tags: spec.tags.clone(),
        modified_at: shardlift_core::time::Timestamp::default(),
    })
}

/// As S3 makes it: the MD5 over the parts' MD5s, and their number.
fn assembled_etag(parts: &[PartReceipt]) -> ETag {
    let mut digest = Md5::new();
    for part in parts {
        let number =
            u128::from_str_radix(part.etag.as_str(), 16).expect("a part's ETag is hexadecimal");
        digest.update(number.to_be_bytes());
    }
    let hex: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ETag::new(format!("{hex}-{}", parts.len())).expect("an ETag")
}

impl BucketListing for MemoryTarget {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        self.handle.list_page(request).await
    }
}

impl TargetBucket for MemoryTarget {
    fn facts(&self) -> &BucketFacts {
        &self.handle.facts
    }

    fn requests(&self) -> RequestCounts {
        self.handle.requests()
    }

    async fn copy_object(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        options: &CopyOptions,
    ) -> Result<CopyReceipt, CallFault> {
        const OPERATION: &str = "s3:CopyObject";
        self.handle
            .call(OPERATION, |world| {
                let mut object = self.planned(world, source, OPERATION)?;
                if object.attributes.size_bytes > SINGLE_COPY_BYTES_MAX {
                    return Err(CallFault::new(
                        OPERATION,
                        FaultKind::Rejected,
                        "the copy source is larger than 5 GiB",
                    ));
                }
                object.attributes.storage_class = options
                    .storage_class
                    .map_or("STANDARD", |class| class.name())
                    .to_owned();
                if let Some(tags) = &options.tags {
                    object.tags.clone_from(tags);
                }
                Ok(self.write(world, target_key, object))
            })
            .await
    }

    async fn head_source(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        const OPERATION: &str = "s3:HeadObject";
        self.handle
            .call(OPERATION, |world| {
                Ok(find(world, &self.source, key, OPERATION)?
                    .attributes
                    .clone())
            })
            .await
    }

    async fn source_tags(&self, key: &ObjectKey) -> Result<TagSet, CallFault> {
        const OPERATION: &str = "s3:GetObjectTagging";
        self.handle
            .call(OPERATION, |world| {
                Ok(find(world, &self.source, key, OPERATION)?.tags.clone())
            })
            .await
    }

    async fn head_target(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        const OPERATION: &str = "s3:HeadObject";
        self.handle
            .call(OPERATION, |world| {
                Ok(find(world, &self.handle.bucket, key, OPERATION)?
                    .attributes
                    .clone())
            })
            .await
    }

    async fn delete_objects(
        &self,
        objects: &[DoomedObject],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
        const OPERATION: &str = "s3:DeleteObject";
        if objects.len() > DELETE_OBJECTS_MAX {
            return Err(CallFault::new(
                OPERATION,
                FaultKind::Rejected,
                "MalformedXML",
            ));
        }
        self.handle
            .call(OPERATION, |world| {
                let Some((_, stored)) = world.buckets.get_mut(&self.handle.bucket) else {
                    return Err(CallFault::new(OPERATION, FaultKind::NoSuchBucket, ""));
                };
                Ok(objects
                    .iter()
                    .map(|doomed| match stored.get(&doomed.key) {
                        Some(object) if object.attributes.etag != doomed.etag => {
                            let kind = FaultKind::ConditionFailed;
                            Err(CallFault::new(OPERATION, kind, "PreconditionFailed"))
                        }
                        _ => {
                            stored.remove(&doomed.key);
                            Ok(())
                        }
                    })
                    .collect())
            })
            .await
    }

    async fn create_upload(&self, spec: &UploadSpec) -> Result<UploadId, CallFault> {
        self.handle
            .call("s3:CreateMultipartUpload", |world| {
                world.uploads_created += 1;
                let id = UploadId::new(format!("upload-{}", world.uploads_created))
                    .expect("an upload id");
                let upload = Upload {
                    bucket: self.handle.bucket.clone(),
                    spec: spec.clone(),
                    parts: BTreeMap::new(),
                };
                world.uploads.insert(id.clone(), upload);
                Ok(id)
            })
            .await
    }

    async fn copy_part(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        part: &Part,
    ) -> Result<PartReceipt, CallFault> {
        const OPERATION: &str = "s3:UploadPartCopy";
        self.handle
            .call(OPERATION, |world| {
                let object = self.planned(world, source, OPERATION)?;
                if *part.bytes.end() >= object.attributes.size_bytes {
                    return Err(CallFault::new(
                        OPERATION,
                        FaultKind::Rejected,
                        "InvalidRange",
                    ));
                }
                let upload = upload(world, &self.handle.bucket, target_key, upload_id, OPERATION)?;
                let size_bytes = part.bytes.end() - part.bytes.start() + 1;
                let print = fingerprint(
                    &object.content,
                    *part.bytes.start() ^ size_bytes.rotate_left(32),
                );
                let receipt = PartReceipt {
                    number: part.number,
                    etag: ETag::new(format!("{print:032x}")).expect("an ETag"),
                    size_bytes: Some(size_bytes),
                    checksums: BTreeMap::new(),
                };
                let uploaded = UploadedPart {
                    receipt: receipt.clone(),
                    content: object.content,
                    first_byte: *part.bytes.start(),
                    size_bytes,
                };
                upload.parts.insert(part.number.get(), uploaded);
                Ok(receipt)
            })
            .await
    }

    async fn list_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        const OPERATION: &str = "s3:ListParts";
        self.handle
            .call(OPERATION, |world| {
                let upload = upload(world, &self.handle.bucket, target_key, upload_id, OPERATION)?;
                Ok(upload
                    .parts
                    .values()
                    .map(|part| part.receipt.clone())
                    .collect())
            })
            .await
    }

    async fn complete_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> Result<CopyReceipt, CallFault> {
        const OPERATION: &str = "s3:CompleteMultipartUpload";
        self.handle
            .call(OPERATION, |world| {
                let upload = upload(world, &self.handle.bucket, target_key, upload_id, OPERATION)?;
                let object = assemble(upload, parts, size_bytes)
                    .map_err(|problem| CallFault::new(OPERATION, FaultKind::Rejected, problem))?;
                world.uploads.remove(upload_id);
                Ok(self.write(world, target_key, object))
            })
            .await
    }

    async fn abort_upload(
        &self,
        _target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<(), CallFault> {
        self.handle
            .call("s3:AbortMultipartUpload", |world| {
                world.uploads.remove(upload_id);
                Ok(())
            })
            .await
    }

    async fn list_uploads(
        &self,
        prefix: &KeyPrefix,
    ) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
        self.handle
            .call("s3:ListMultipartUploads", |world| {
                Ok(world
                    .uploads
                    .iter()
                    .filter(|(_, upload)| {
                        upload.bucket == self.handle.bucket
                            && upload.spec.target_key.as_str().starts_with(prefix.as_str())
                    })
                    .map(|(id, upload)| (upload.spec.target_key.clone(), id.clone()))
                    .collect())
            })
            .await
    }
}
