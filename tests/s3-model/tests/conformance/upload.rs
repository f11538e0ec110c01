//! An open upload, for the cases about multipart uploads.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

/// An open upload of the key `t`.
pub(crate) struct Upload<'a> {
    pub(crate) client: &'a Client,
    pub(crate) bucket: &'a str,
    pub(crate) id: String,
    /// Whether it was created with a checksum algorithm. Only then a completion may have the
    /// checksums of the parts (fact 50).
    has_algorithm: bool,
}

/// Creates an upload.
pub(crate) async fn create<'a>(
    client: &'a Client,
    bucket: &'a str,
    with: impl FnOnce(CreateMultipartUploadFluentBuilder) -> CreateMultipartUploadFluentBuilder,
) -> Upload<'a> {
    let created = with(client.create_multipart_upload().bucket(bucket).key("t"))
        .send()
        .await
        .expect("an upload");
    Upload {
        client,
        bucket,
        id: created.upload_id().expect("an id").to_owned(),
        has_algorithm: created.checksum_algorithm().is_some(),
    }
}

impl Upload<'_> {
    /// Makes a request for a part.
    pub(crate) fn part(&self, number: i32, bytes: Vec<u8>) -> UploadPartFluentBuilder {
        let request = self
            .client
            .upload_part()
            .bucket(self.bucket)
            .key("t")
            .upload_id(&self.id);
        request.part_number(number).body(bytes.into())
    }

    /// Uploads a part of `size` bytes. Each byte is the number of the part.
    pub(crate) async fn put(&self, number: i32, size: u64) -> CompletedPart {
        let size = usize::try_from(size).expect("small");
        let bytes = vec![u8::try_from(number % 200).expect("small"); size];
        let response = self.part(number, bytes).send().await.expect("a part");
        let checksum = response.checksum_crc32().filter(|_| self.has_algorithm);
        CompletedPart::builder()
            .part_number(number)
            .set_e_tag(response.e_tag().map(str::to_owned))
            .set_checksum_crc32(checksum.map(str::to_owned))
            .build()
    }

    /// Makes a request for the completion.
    pub(crate) fn complete(
        &self,
        parts: Vec<CompletedPart>,
    ) -> CompleteMultipartUploadFluentBuilder {
        let upload = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key("t")
            .upload_id(&self.id);
        request.multipart_upload(upload)
    }
}
