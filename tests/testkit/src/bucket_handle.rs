//! An open bucket in memory.

use std::{
    ops::Bound,
    sync::{Arc, Mutex},
};

use shardlift_core::{
    failure::fault::CallFault,
    port::{ListRequest, ObjectPage, VersionPage, VersionRequest, Versioning},
    run::record::BucketFacts,
    value::{bucket::BucketName, key::ObjectKey, tally::RequestCounts},
};

use crate::{CallScript, MemoryBuckets, bucket::World, history::History};

/// What both sides have in common: the bucket, the script of its calls, the count of them.
#[derive(Debug, Clone)]
pub(crate) struct BucketHandle {
    pub(crate) buckets: MemoryBuckets,
    pub(crate) bucket: BucketName,
    pub(crate) facts: BucketFacts,
    pub(crate) page_objects: usize,
    pub(crate) script: CallScript,
    pub(crate) requests: Arc<Mutex<RequestCounts>>,
}

impl BucketHandle {
    /// Makes a call: counts it, and has its effect unless the script disturbs it.
    pub(crate) async fn call<T>(
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

    pub(crate) async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        const OPERATION: &str = "s3:ListObjectsV2";
        self.call(OPERATION, |world| {
            let after = request.after.as_ref();
            let after = after.map_or(Bound::Unbounded, Bound::Excluded);
            let mut matching = world
                .objects(&self.bucket, OPERATION)?
                .range::<ObjectKey, _>((after, Bound::Unbounded))
                .filter(|(key, _)| key.as_str().starts_with(request.prefix.as_str()));
            let objects = matching
                .by_ref()
                .take(self.page_objects)
                .map(|(key, object)| object.listed(key))
                .collect();
            let page = ObjectPage {
                listed_through: None,
                objects,
                is_truncated: matching.next().is_some(),
            };
            match world.distortions.get(self.bucket.as_str()) {
                Some(distortion) => distortion.of(request, page),
                None => Ok(page),
            }
        })
        .await
    }

    pub(crate) async fn versioning(&self) -> Result<Versioning, CallFault> {
        self.call("s3:GetBucketVersioning", |world| {
            let history = world.histories.get(self.bucket.as_str());
            Ok(history.map_or(Versioning::Never, History::versioning))
        })
        .await
    }

    pub(crate) async fn list_versions(
        &self,
        request: &VersionRequest,
    ) -> Result<VersionPage, CallFault> {
        const OPERATION: &str = "s3:ListObjectVersions";
        self.call(OPERATION, |world| {
            let objects = world.objects(&self.bucket, OPERATION)?;
            let page = match world.histories.get(self.bucket.as_str()) {
                Some(history) => history.page(request, self.page_objects),
                None => History::since(objects.clone()).page(request, self.page_objects),
            };
            match world.version_distortions.get(self.bucket.as_str()) {
                Some(distortion) => distortion.of(request, page),
                None => Ok(page),
            }
        })
        .await
    }

    pub(crate) fn requests(&self) -> RequestCounts {
        self.requests.lock().expect("not poisoned").clone()
    }
}
