use std::future::Future;

use crate::{bucket::BucketName, fault::CallFault};

/// The control bucket: manifests, indexes, failure lists, reports. Never object data of the pair.
pub trait ControlStore: Send + Sync {
    /// The bucket's name, for the Map's index and the report.
    fn bucket(&self) -> &BucketName;

    /// Writes an object. Repeating it writes the same object again.
    fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Reads an object; nothing when it does not exist. Idempotent.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, CallFault>> + Send;
}
