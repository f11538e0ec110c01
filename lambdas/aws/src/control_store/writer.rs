//! An object of the control bucket, written piece by piece.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use shardlift_core::{
    failure::fault::CallFault,
    port::{ControlStore, ControlWriter},
};

use super::{PUT_OBJECT, S3ControlStore};
use crate::fault_mapping::{bad_answer, call_fault};

/// The size of a part, in bytes: 10,000 of them (S3's limit) hold 78 GiB, and one is all that is in memory.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// IAM knows the calls of an upload as `s3:PutObject`, and its end as this.
const ABORT: &str = "s3:AbortMultipartUpload";

/// Sends one PutObject for a small object, a multipart upload for a large one.
#[derive(Debug)]
pub struct S3ControlWriter {
    store: S3ControlStore,
    key: String,
    content_type: String,
    buffer: Vec<u8>,
    upload_id: Option<String>,
    parts: Vec<CompletedPart>,
}

impl S3ControlWriter {
    pub(super) fn new(store: S3ControlStore, key: &str, content_type: &str) -> Self {
        Self {
            store,
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            buffer: Vec::new(),
            upload_id: None,
            parts: Vec::new(),
        }
    }

    async fn upload_id(&mut self) -> Result<String, CallFault> {
        if let Some(id) = &self.upload_id {
            return Ok(id.clone());
        }
        let created = self
            .store
            .client
            .create_multipart_upload()
            .bucket(self.store.bucket.as_str())
            .key(&self.key)
            .content_type(&self.content_type)
            .send()
            .await
            .map_err(|error| call_fault(PUT_OBJECT, &error))?;
        let id = created
            .upload_id
            .ok_or_else(|| bad_answer(PUT_OBJECT, "an upload without an id"))?;
        self.upload_id = Some(id.clone());
        Ok(id)
    }

    /// Sends what the buffer holds as the next part.
    async fn send_part(&mut self) -> Result<(), CallFault> {
        let upload_id = self.upload_id().await?;
        let number = i32::try_from(self.parts.len() + 1)
            .map_err(|_| bad_answer(PUT_OBJECT, "more parts than a number counts"))?;
        let body = std::mem::take(&mut self.buffer);
        let sent = self
            .store
            .client
            .upload_part()
            .bucket(self.store.bucket.as_str())
            .key(&self.key)
            .upload_id(upload_id)
            .part_number(number)
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|error| call_fault(PUT_OBJECT, &error))?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32)
            .set_checksum_crc64_nvme(sent.checksum_crc64_nvme);
        self.parts.push(part.build());
        Ok(())
    }
}

impl ControlWriter for S3ControlWriter {
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), CallFault> {
        while self.buffer.len() + bytes.len() > PART_BYTES {
            let (now, later) = bytes.split_at(PART_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.send_part().await?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(mut self) -> Result<(), CallFault> {
        if self.upload_id.is_none() {
            return self
                .store
                .put(&self.key, &self.content_type, self.buffer)
                .await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts));
        self.store
            .client
            .complete_multipart_upload()
            .bucket(self.store.bucket.as_str())
            .key(&self.key)
            .set_upload_id(self.upload_id)
            .multipart_upload(parts.build())
            .send()
            .await
            .map(drop)
            .map_err(|error| call_fault(PUT_OBJECT, &error))
    }

    async fn abandon(self) -> Result<(), CallFault> {
        let Some(upload_id) = self.upload_id else {
            return Ok(());
        };
        self.store
            .client
            .abort_multipart_upload()
            .bucket(self.store.bucket.as_str())
            .key(&self.key)
            .upload_id(upload_id)
            .send()
            .await
            .map(drop)
            .map_err(|error| call_fault(ABORT, &error))
    }
}
