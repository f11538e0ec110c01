//! An open bucket in memory.

use std::{
    ops::Bound,
    sync::{Arc, Mutex},
};

use shardlift_core::{
    failure::fault::CallFault,
    port::{ListRequest, ObjectPage},
    run::record::BucketFacts,
    value::{bucket::BucketName, key::ObjectKey, tally::RequestCounts},
};

use crate::{CallScript, MemoryBuckets, bucket::World};

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

    pub(crate) fn requests(&self) -> RequestCounts {
        self.requests.lock().expect("not poisoned").clone()
    }
}
