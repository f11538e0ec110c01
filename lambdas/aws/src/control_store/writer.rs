//! Writes an object of the control bucket in pieces.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use shardlift_core::{failure::fault::CallFault, port::ControlWriter};

use super::control_bucket::{ControlBucket, PUT_OBJECT};
use crate::fault_mapping::malformed_response;

/// The size of a part in bytes. S3's limit of 10,000 parts allows 78 GiB, and only one part is in memory at a time.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// The checksum of an upload: named when it is created, sent with each part and repeated on completion, as
/// docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html requires. The SDK sends a CRC32
/// with every part by default. S3 refuses such checksums on completion if the upload was created without an algorithm.
const CHECKSUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

/// The only request of an upload that needs another permission than `s3:PutObject`.
const ABORT: &str = "s3:AbortMultipartUpload";

/// Writes a small object with one PutObject, and a large one with a multipart upload.
#[derive(Debug)]
pub struct S3ControlWriter {
    bucket: ControlBucket,
    key: String,
    content_type: String,
    buffer: Vec<u8>,
    upload_id: Option<String>,
    parts: Vec<CompletedPart>,
}

impl S3ControlWriter {
    pub(super) fn new(bucket: ControlBucket, key: &str, content_type: &str) -> Self {
        Self {
            bucket,
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
            .bucket
            .client
            .create_multipart_upload()
            .bucket(self.bucket.name.as_str())
            .expected_bucket_owner(self.bucket.owner.as_str())
            .key(&self.key)
            .content_type(&self.content_type)
            .checksum_algorithm(CHECKSUM)
            .send()
            .await
            .map_err(|error| self.bucket.fault(PUT_OBJECT, &error))?;
        let id = created
            .upload_id
            .ok_or_else(|| malformed_response(PUT_OBJECT, "the upload has no id"))?;
        self.upload_id = Some(id.clone());
        Ok(id)
    }

    /// Uploads the buffer as the next part.
    async fn flush_part(&mut self) -> Result<(), CallFault> {
        let upload_id = self.upload_id().await?;
        let number = i32::try_from(self.parts.len() + 1)
            .map_err(|_| malformed_response(PUT_OBJECT, "the part number exceeds 31 bits"))?;
        let body = std::mem::take(&mut self.buffer);
        let sent = self
            .bucket
            .client
            .upload_part()
            .bucket(self.bucket.name.as_str())
            .expected_bucket_owner(self.bucket.owner.as_str())
            .key(&self.key)
            .upload_id(upload_id)
            .part_number(number)
            .checksum_algorithm(CHECKSUM)
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|error| self.bucket.fault(PUT_OBJECT, &error))?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32);
        self.parts.push(part.build());
        Ok(())
    }
}

impl ControlWriter for S3ControlWriter {
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), CallFault> {
        while self.buffer.len() + bytes.len() > PART_BYTES {
            let (now, later) = bytes.split_at(PART_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.flush_part().await?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(mut self) -> Result<(), CallFault> {
        if self.upload_id.is_none() {
            return self
                .bucket
                .put(&self.key, &self.content_type, self.buffer)
                .await;
        }
        if !self.buffer.is_empty() {
            self.flush_part().await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts));
        self.bucket
            .client
            .complete_multipart_upload()
            .bucket(self.bucket.name.as_str())
            .expected_bucket_owner(self.bucket.owner.as_str())
            .key(&self.key)
            .set_upload_id(self.upload_id)
            .multipart_upload(parts.build())
            .send()
            .await
            .map(drop)
            .map_err(|error| self.bucket.fault(PUT_OBJECT, &error))
    }

    async fn abandon(self) -> Result<(), CallFault> {
        let Some(upload_id) = self.upload_id else {
            return Ok(());
        };
        self.bucket
            .client
            .abort_multipart_upload()
            .bucket(self.bucket.name.as_str())
            .expected_bucket_owner(self.bucket.owner.as_str())
            .key(&self.key)
            .upload_id(upload_id)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.bucket.fault(ABORT, &error))
    }
}
