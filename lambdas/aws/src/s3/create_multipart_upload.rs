//! CreateMultipartUpload begins a copy in parts. S3 takes nothing from the source object, so the request states
//! everything that the copy needs.

use aws_sdk_s3::{
    Client,
    operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
    types::{ChecksumAlgorithm, StorageClass},
};
use shardlift_core::{
    failure::fault::CallFault,
    port::{CreatedUpload, UploadSpec},
    value::id::UploadId,
};

use super::{
    owned_bucket::OwnedBucket,
    wire::{
        checksums::requested_checksum_type,
        encryption::encryption,
        escaped_key::escape,
        response_date::ResponseDate,
        stored_headers::StatedHeaders,
        tagging_header::tagging_header,
        write_settings::{requested_acl, requested_encryption},
    },
};
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:CreateMultipartUpload";

/// Creates an upload.
pub(super) async fn create_multipart_upload(
    client: &Client,
    bucket: &OwnedBucket,
    upload: &UploadSpec,
) -> Result<CreatedUpload, CallFault> {
    let request = client
        .create_multipart_upload()
        .bucket(bucket.name())
        .key(escape(&upload.target_key))
        .expected_bucket_owner(bucket.owner());
    let stated = StatedHeaders::new(OPERATION, &upload.headers, &upload.metadata)?;
    let date = ResponseDate::default();
    let response = with_attributes(request, upload)
        .customize()
        .interceptor(date.clone())
        .interceptor(stated)
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let id = UploadId::new(response.upload_id().unwrap_or_default())
        .map_err(|problem| malformed_response(OPERATION, problem))?;
    Ok(CreatedUpload {
        id,
        encryption: encryption(response.server_side_encryption()),
        created_at: date.get(),
    })
}

fn with_attributes(
    request: CreateMultipartUploadFluentBuilder,
    upload: &UploadSpec,
) -> CreateMultipartUploadFluentBuilder {
    let algorithm = upload.checksum_algorithm.as_deref();
    let request = request
        .set_tagging(tagging_header(&upload.tags))
        .set_storage_class(
            upload
                .storage_class
                .map(|class| StorageClass::from(class.name())),
        )
        .set_checksum_algorithm(algorithm.map(ChecksumAlgorithm::from))
        .set_checksum_type(algorithm.and_then(requested_checksum_type));
    let key = upload.kms_key_arn.as_ref();
    request
        .set_acl(requested_acl(upload.acl))
        .set_server_side_encryption(requested_encryption(key, upload.sse))
        .set_ssekms_key_id(key.map(ToString::to_string))
}
