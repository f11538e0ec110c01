//! The target bucket in memory, as strict as S3.

use std::collections::BTreeMap;

use shardlift_core::{
    copy::{
        part_layout::{Part, SINGLE_COPY_BYTES_MAX},
        stated_tags::header_bytes,
    },
    failure::fault::{CallFault, FaultKind},
    port::{
        BucketListing, ChecksumType, CopyOptions, CopyReceipt, CopySource, CreatedUpload,
        DELETE_OBJECTS_MAX, ListRequest, ObjectAttributes, ObjectPage, ObjectRef, ObjectToDelete,
        PartReceipt, Probe, TagSet, TargetBucket, UploadSpec,
    },
    run::record::BucketFacts,
    value::{
        bucket::BucketName,
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        object::{ETag, Encryption},
        tally::RequestCounts,
    },
};

use crate::{
    bucket::World,
    bucket_handle::BucketHandle,
    stored_object::{fingerprint, whole_seconds},
    upload::{Upload, UploadedPart},
};

const REDIRECT_HEADER: &str = "x-amz-website-redirect-location";
/// S3's limit on the headers of a request.
pub(crate) const HEADERS_BYTES_MAX: usize = 8_192;

/// The target bucket in memory, and the source's objects.
#[derive(Debug, Clone)]
pub struct MemoryTarget {
    pub(crate) handle: BucketHandle,
    pub(crate) source: BucketName,
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
                let key = options.kms_key_arn.as_ref();
                object.attributes.encryption = self.encryption(world, key, options.sse).0;
                if let Some(tags) = &options.tags {
                    object.tags.clone_from(tags);
                    object.has_annotations = false;
                }
                if object.attributes.checksum_type == Some(ChecksumType::Composite) {
                    object.attributes.checksum_type = Some(ChecksumType::FullObject);
                    for (algorithm, value) in &mut object.attributes.checksums {
                        *value = format!("{algorithm} of {}", object.content);
                    }
                }
                object.is_restored = false;
                // A redirect stays behind, unless the copy states one.
                let headers = &mut object.attributes.headers;
                headers.remove(REDIRECT_HEADER);
                let redirect = options.redirect.as_deref();
                headers.extend(redirect.map(|value| (REDIRECT_HEADER.to_owned(), value.into())));
                self.encrypt(world, &mut object, options);
                object.modified_at = world.now();
                Ok(self.write(world, target_key, object))
            })
            .await
    }

    async fn head_source(&self, object: ObjectRef<'_>) -> Result<ObjectAttributes, CallFault> {
        const OPERATION: &str = "s3:HeadObject";
        self.handle
            .call(OPERATION, |world| {
                Ok(world
                    .object_of(&self.source, object, OPERATION)?
                    .attributes_at(world.now()))
            })
            .await
    }

    async fn source_tags(&self, object: ObjectRef<'_>) -> Result<TagSet, CallFault> {
        const OPERATION: &str = "s3:GetObjectTagging";
        self.handle
            .call(OPERATION, |world| {
                Ok(world
                    .object_of(&self.source, object, OPERATION)?
                    .tags
                    .clone())
            })
            .await
    }

    async fn has_annotations(&self, object: ObjectRef<'_>) -> Result<bool, CallFault> {
        const OPERATION: &str = "s3:ListObjectAnnotations";
        self.handle
            .call(OPERATION, |world| {
                Ok(world
                    .object_of(&self.source, object, OPERATION)?
                    .has_annotations)
            })
            .await
    }

    async fn head_target(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        const OPERATION: &str = "s3:HeadObject";
        self.handle
            .call(OPERATION, |world| {
                let object = world.object(&self.handle.bucket, key, OPERATION)?;
                Ok(ObjectAttributes {
                    // Shown only to those who may read tags: the role may not at the target.
                    tag_count: 0,
                    ..object.attributes_at(world.now())
                })
            })
            .await
    }

    async fn probe(&self, probe: Probe<'_>) -> Result<(), CallFault> {
        let operation = match probe {
            Probe::ReadSource(_) => "s3:GetObject",
            Probe::DeleteTarget(_) => "s3:DeleteObject",
        };
        let asked = |world: &mut World| world.probe(&self.source, probe, operation);
        self.handle.call(operation, asked).await
    }

    async fn put_target_tags(&self, key: &ObjectKey, tags: &TagSet) -> Result<(), CallFault> {
        const OPERATION: &str = "s3:PutObjectTagging";
        self.handle
            .call(OPERATION, |world| {
                world.object(&self.handle.bucket, key, OPERATION)?;
                if let Some((_, objects)) = world.buckets.get_mut(&self.handle.bucket)
                    && let Some(object) = objects.get_mut(key)
                {
                    object.attributes.tag_count = u32::try_from(tags.len()).expect("ten at most");
                    object.tags.clone_from(tags);
                }
                Ok(())
            })
            .await
    }

    async fn delete_objects(
        &self,
        objects: &[ObjectToDelete],
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
                    .map(|deleted| {
                        let key = deleted.key.as_str();
                        if let Some(fault) = self.handle.script.fault_of_key(OPERATION, key) {
                            return Err(fault);
                        }
                        if let Some(object) = stored.get(&deleted.key)
                            && object.attributes.etag != deleted.etag
                        {
                            let kind = FaultKind::ConditionFailed;
                            return Err(CallFault::new(OPERATION, kind, "PreconditionFailed"));
                        }
                        stored.remove(&deleted.key);
                        Ok(())
                    })
                    .collect())
            })
            .await
    }

    async fn create_upload(&self, spec: &UploadSpec) -> Result<CreatedUpload, CallFault> {
        const OPERATION: &str = "s3:CreateMultipartUpload";
        self.handle
            .call(OPERATION, |world| {
                if header_bytes(&spec.tags) > HEADERS_BYTES_MAX {
                    let kind = FaultKind::Rejected;
                    return Err(CallFault::new(
                        OPERATION,
                        kind,
                        "RequestHeaderSectionTooLarge",
                    ));
                }
                world.uploads_created += 1;
                let id = UploadId::new(format!("upload-{}", world.uploads_created))
                    .expect("an upload id");
                let (encryption, kms_key_arn) =
                    self.encryption(world, spec.kms_key_arn.as_ref(), spec.sse);
                let upload = Upload {
                    bucket: self.handle.bucket.clone(),
                    spec: spec.clone(),
                    encryption,
                    kms_key_arn,
                    begun_at: world.now(),
                    parts: BTreeMap::new(),
                };
                world.uploads.insert(id.clone(), upload);
                Ok(CreatedUpload {
                    id,
                    encryption,
                    created_at: Some(whole_seconds(world.now())),
                })
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
                let size_bytes = part.bytes.end() - part.bytes.start() + 1;
                let place = *part.bytes.start() ^ size_bytes.rotate_left(32);
                let salted = world.salted_etag(&object.content, place);
                let upload = world.upload(&self.handle.bucket, target_key, upload_id, OPERATION)?;
                let etag = if upload.encryption == Encryption::Kms {
                    salted
                } else {
                    let print = fingerprint(&object.content, place);
                    ETag::new(format!("{print:032x}")).expect("an ETag")
                };
                let receipt = PartReceipt {
                    number: part.number,
                    etag,
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
                let upload = world.upload(&self.handle.bucket, target_key, upload_id, OPERATION)?;
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
                let upload = world.upload(&self.handle.bucket, target_key, upload_id, OPERATION)?;
                let object = upload
                    .assemble(parts, size_bytes)
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
