//! The two sides with a fault.

use shardlift_core::{
    copy::part_layout::Part,
    failure::fault::{CallFault, Effect, FaultKind},
    port::{
        Accounts, BucketListing, CopyOptions, CopyReceipt, CopySource, CreatedUpload, ListRequest,
        NewObject, ObjectAttributes, ObjectBytes, ObjectPage, ObjectRef, ObjectToDelete,
        PartReceipt, Probe, SessionName, SourceBucket, TagSet, TargetBucket, UploadSpec,
        VersionPage, VersionRequest, Versioning,
    },
    run::{
        pair::{Source, Target},
        record::{BucketFacts, RunRecord},
    },
    value::{
        arn::Arn,
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        tally::RequestCounts,
    },
};
use shardlift_testkit::{MemoryAccounts, MemoryBuckets, MemorySource, MemoryTarget};

use super::planted::PortFault;
use crate::story::{SOURCE, TARGET};

/// The pages after which a cut-off listing ends.
const PAGES: usize = 3;

/// Opens the two sides, with a fault.
#[derive(Debug, Clone)]
pub struct PlantedAccounts {
    /// Without it.
    pub inner: MemoryAccounts,
    /// What the buckets hold.
    pub buckets: MemoryBuckets,
    /// The fault.
    pub fault: Option<PortFault>,
}

/// The source, with a fault.
#[derive(Debug)]
pub struct PlantedSource {
    inner: MemorySource,
    pages: CutOff,
}

/// The target, with a fault.
#[derive(Debug)]
pub struct PlantedTarget {
    inner: MemoryTarget,
    buckets: MemoryBuckets,
    fault: Option<PortFault>,
    pages: CutOff,
}

/// Cuts a listing off.
#[derive(Debug)]
struct CutOff {
    is_planted: bool,
    listed: std::sync::atomic::AtomicUsize,
}

impl CutOff {
    fn new(is_planted: bool) -> Self {
        Self {
            is_planted,
            listed: 0.into(),
        }
    }

    fn cut(&self, mut page: ObjectPage) -> ObjectPage {
        let before = self
            .listed
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        page.is_truncated &= !self.is_planted || before + 1 < PAGES;
        page
    }
}

impl PlantedAccounts {
    fn target(&self, inner: MemoryTarget) -> PlantedTarget {
        PlantedTarget {
            inner,
            buckets: self.buckets.clone(),
            fault: self.fault,
            pages: CutOff::new(self.fault == Some(PortFault::CutOffTarget)),
        }
    }
}

impl Accounts for PlantedAccounts {
    type Source = PlantedSource;
    type Target = PlantedTarget;

    async fn own_principal(&self) -> Result<Arn, CallFault> {
        self.inner.own_principal().await
    }

    async fn open_source(&self, source: &Source) -> Result<PlantedSource, CallFault> {
        Ok(PlantedSource {
            inner: self.inner.open_source(source).await?,
            pages: CutOff::new(self.fault == Some(PortFault::CutOffSource)),
        })
    }

    async fn open_target(
        &self,
        target: &Target,
        source: &Source,
        session: &SessionName,
        policy: Option<&str>,
    ) -> Result<PlantedTarget, CallFault> {
        let opened = self.inner.open_target(target, source, session, policy);
        Ok(self.target(opened.await?))
    }

    async fn reopen_target(
        &self,
        run: &RunRecord,
        session: &SessionName,
        policy: &str,
    ) -> Result<PlantedTarget, CallFault> {
        let opened = self.inner.reopen_target(run, session, policy).await?;
        Ok(self.target(opened))
    }
}

impl ObjectBytes for PlantedTarget {
    async fn read_source(&self, source: &CopySource, bytes_max: u64) -> Result<Vec<u8>, CallFault> {
        let asked = match self.fault {
            Some(PortFault::ReadWithoutIfMatch) => self.any_version(source),
            _ => source.clone(),
        };
        self.inner.read_source(&asked, bytes_max).await
    }

    async fn put_object(&self, object: &NewObject, bytes: &[u8]) -> Result<CopyReceipt, CallFault> {
        self.inner.put_object(object, bytes).await
    }
}

impl BucketListing for PlantedSource {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        Ok(self.pages.cut(self.inner.list_page(request).await?))
    }
}

impl SourceBucket for PlantedSource {
    fn facts(&self) -> &BucketFacts {
        self.inner.facts()
    }

    fn requests(&self) -> RequestCounts {
        self.inner.requests()
    }

    async fn versioning(&self) -> Result<Versioning, CallFault> {
        self.inner.versioning().await
    }

    async fn list_versions(&self, request: &VersionRequest) -> Result<VersionPage, CallFault> {
        self.inner.list_versions(request).await
    }
}

impl BucketListing for PlantedTarget {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        Ok(self.pages.cut(self.inner.list_page(request).await?))
    }
}

impl PlantedTarget {
    /// The version that the source has now, instead of the one that was asked for.
    fn any_version(&self, source: &CopySource) -> CopySource {
        let objects = self.buckets.objects(SOURCE);
        let now = objects.get(&source.key);
        now.map_or_else(
            || source.clone(),
            |now| CopySource {
                etag: now.attributes.etag.clone(),
                ..source.clone()
            },
        )
    }

    fn key(&self, key: &ObjectKey) -> ObjectKey {
        if self.fault != Some(PortFault::KeyNormalized) {
            return key.clone();
        }
        let normalized = key.as_str().replace("//", "/");
        ObjectKey::new(normalized.trim_end_matches('/')).unwrap_or_else(|_| key.clone())
    }

    fn after_copy(&self, source: &CopySource, key: &ObjectKey) {
        match self.fault {
            Some(PortFault::StrayWrite) => {
                if let Some(object) = self.buckets.objects(TARGET).get(key) {
                    let stray = ObjectKey::new(format!("stray-{}", key.as_str().len()));
                    self.buckets
                        .install(TARGET, &stray.expect("a key"), object.clone());
                }
            }
            Some(PortFault::SourceCleaned) => self.buckets.remove(SOURCE, source.key.as_str()),
            _ => {}
        }
    }
}

impl TargetBucket for PlantedTarget {
    fn facts(&self) -> &BucketFacts {
        self.inner.facts()
    }

    fn requests(&self) -> RequestCounts {
        self.inner.requests()
    }

    async fn copy_object(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        options: &CopyOptions,
    ) -> Result<CopyReceipt, CallFault> {
        let asked = match self.fault {
            Some(PortFault::CopyWithoutIfMatch) => self.any_version(source),
            _ => source.clone(),
        };
        let mut options = options.clone();
        if self.fault == Some(PortFault::TagsLeftOut) {
            options.tags = Some(TagSet::new());
        }
        let key = self.key(target_key);
        let copied = self.inner.copy_object(&asked, &key, &options).await;
        self.after_copy(source, &key);
        match copied {
            Err(fault)
                if self.fault == Some(PortFault::SwallowedCopyError)
                    && fault.effect == Effect::Unknown =>
            {
                Ok(CopyReceipt {
                    etag: source.etag.clone(),
                    version_id: None,
                    checksums: [].into(),
                    checksum_type: None,
                })
            }
            copied => copied,
        }
    }

    async fn head_source(&self, object: ObjectRef<'_>) -> Result<ObjectAttributes, CallFault> {
        let found = self.inner.head_source(object).await;
        if self.fault == Some(PortFault::BlindSource) && found.is_ok() {
            let kind = FaultKind::NoSuchKey;
            return Err(CallFault::new("s3:HeadObject", kind, "planted"));
        }
        found
    }

    async fn source_tags(&self, object: ObjectRef<'_>) -> Result<TagSet, CallFault> {
        self.inner.source_tags(object).await
    }

    async fn has_annotations(&self, object: ObjectRef<'_>) -> Result<bool, CallFault> {
        self.inner.has_annotations(object).await
    }

    async fn head_target(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        self.inner.head_target(key).await
    }

    async fn probe(&self, probe: Probe<'_>) -> Result<(), CallFault> {
        self.inner.probe(probe).await
    }

    async fn put_target_tags(&self, key: &ObjectKey, tags: &TagSet) -> Result<(), CallFault> {
        self.inner.put_target_tags(key, tags).await
    }

    async fn delete_objects(
        &self,
        objects: &[ObjectToDelete],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
        if self.fault != Some(PortFault::DeleteWithoutIfMatch) {
            return self.inner.delete_objects(objects).await;
        }
        let stored = self.buckets.objects(TARGET);
        let mut any_version = objects.to_vec();
        for object in &mut any_version {
            if let Some(now) = stored.get(&object.key) {
                object.etag = now.attributes.etag.clone();
            }
        }
        self.inner.delete_objects(&any_version).await
    }

    async fn create_upload(&self, upload: &UploadSpec) -> Result<CreatedUpload, CallFault> {
        let mut upload = upload.clone();
        if self.fault == Some(PortFault::TagsLeftOut) {
            upload.tags.clear();
        }
        self.inner.create_upload(&upload).await
    }

    async fn copy_part(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        part: &Part,
    ) -> Result<PartReceipt, CallFault> {
        let asked = match self.fault {
            Some(PortFault::PartWithoutIfMatch) => self.any_version(source),
            _ => source.clone(),
        };
        let copied = self
            .inner
            .copy_part(&asked, target_key, upload_id, part)
            .await;
        match copied {
            Err(fault)
                if self.fault == Some(PortFault::SwallowedPartError)
                    && fault.effect == Effect::Unknown =>
            {
                Ok(PartReceipt {
                    number: part.number,
                    etag: source.etag.clone(),
                    size_bytes: None,
                    checksums: [].into(),
                })
            }
            copied => copied,
        }
    }

    async fn list_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        self.inner.list_parts(target_key, upload_id).await
    }

    async fn complete_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> Result<CopyReceipt, CallFault> {
        self.inner
            .complete_upload(target_key, upload_id, parts, size_bytes)
            .await
    }

    async fn abort_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<(), CallFault> {
        if self.fault == Some(PortFault::LostAbort) {
            return Ok(());
        }
        self.inner.abort_upload(target_key, upload_id).await
    }

    async fn list_uploads(
        &self,
        prefix: &KeyPrefix,
    ) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
        let found = self.inner.list_uploads(prefix).await?;
        let is_blind = self.fault == Some(PortFault::NoUploadsListed);
        Ok(if is_blind { Vec::new() } else { found })
    }
}
