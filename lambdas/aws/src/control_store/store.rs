use aws_sdk_s3::{Client, types::Object};
use shardlift_core::{
    failure::fault::CallFault,
    port::ControlStore,
    value::{arn::AccountId, bucket::BucketName},
};

use super::{control_bucket::ControlBucket, writer::S3ControlWriter};

/// The control bucket.
#[derive(Debug, Clone)]
pub struct S3ControlStore(ControlBucket);

impl S3ControlStore {
    /// The control bucket `bucket`, which must belong to the account `owner`.
    #[must_use]
    pub fn new(client: Client, bucket: BucketName, owner: AccountId) -> Self {
        Self(ControlBucket {
            client,
            name: bucket,
            owner,
        })
    }

    /// The first thousand objects below `prefix`.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Object>, CallFault> {
        self.0.list(prefix).await
    }

    /// Deletes an object; it need not exist.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), CallFault> {
        self.0.remove(key).await
    }
}

impl ControlStore for S3ControlStore {
    type Writer = S3ControlWriter;

    fn open(&self, key: &str, content_type: &str) -> S3ControlWriter {
        S3ControlWriter::new(self.0.clone(), key, content_type)
    }

    fn bucket(&self) -> &BucketName {
        &self.0.name
    }

    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        self.0.put(key, content_type, body).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        self.0.get(key).await
    }
}
