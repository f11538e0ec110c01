use std::future::Future;

use crate::{failure::fault::CallFault, value::bucket::BucketName};

/// The control bucket: manifests, indexes, failure lists, reports. Never object data of the pair.
pub trait ControlStore: Send + Sync {
    /// Writes an object piece by piece.
    type Writer: ControlWriter;

    /// The bucket's name, for the Map's index and the report.
    fn bucket(&self) -> &BucketName;

    /// Writes an object. Repeating it writes the same object again.
    fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Begins an object whose size is not known and may be larger than memory. Nothing is sent yet.
    fn open(&self, key: &str, content_type: &str) -> Self::Writer;

    /// Reads an object; nothing when it does not exist. Idempotent.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, CallFault>> + Send;
}

/// An object of the control bucket on its way. It appears, as a whole, when it is finished.
pub trait ControlWriter: Send {
    /// Adds bytes at the end. After a fault only [`abandon`](Self::abandon) makes sense.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Makes the object appear.
    fn finish(self) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Gives the object up and frees what was sent of it. Idempotent.
    fn abandon(self) -> impl Future<Output = Result<(), CallFault>> + Send;
}
