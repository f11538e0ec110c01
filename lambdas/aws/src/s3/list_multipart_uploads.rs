//! ListMultipartUploads lists the uploads that are neither completed nor aborted.

use aws_sdk_s3::{
    Client, operation::list_multipart_uploads::ListMultipartUploadsOutput, types::EncodingType,
};
use shardlift_core::{
    failure::fault::CallFault,
    value::{
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
    },
};

use super::{owned_bucket::OwnedBucket, wire::url_encoded_key::decode_key};
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:ListMultipartUploads";

/// Lists every open upload under a prefix.
pub(super) async fn list_multipart_uploads(
    client: &Client,
    bucket: &OwnedBucket,
    prefix: &KeyPrefix,
) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
    let mut uploads = Vec::new();
    let mut marker: Option<(String, String)> = None;
    loop {
        let (key_marker, id_marker) = marker.clone().unzip();
        let response = client
            .list_multipart_uploads()
            .bucket(bucket.name())
            .prefix(prefix.as_str())
            .encoding_type(EncodingType::Url)
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker)
            .expected_bucket_owner(bucket.owner())
            .send()
            .await
            .map_err(|error| call_fault(OPERATION, &error))?;
        uploads.extend(uploads_of(&response)?);
        if response.is_truncated() != Some(true) {
            return Ok(uploads);
        }
        let next = next_marker(&response)?;
        if marker.as_ref() == Some(&next) {
            let problem = "the page ends where the previous one ended";
            return Err(malformed_response(OPERATION, problem));
        }
        marker = Some(next);
    }
}

fn uploads_of(
    response: &ListMultipartUploadsOutput,
) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
    response
        .uploads()
        .iter()
        .map(|upload| {
            let key = key_of(response, upload.key().unwrap_or_default())?;
            let id = UploadId::new(upload.upload_id().unwrap_or_default())
                .map_err(|problem| malformed_response(OPERATION, problem))?;
            Ok((key, id))
        })
        .collect()
}

fn next_marker(response: &ListMultipartUploadsOutput) -> Result<(String, String), CallFault> {
    let (Some(key), Some(id)) = (response.next_key_marker(), response.next_upload_id_marker())
    else {
        let problem = "the page is truncated but has no marker for the next one";
        return Err(malformed_response(OPERATION, problem));
    };
    Ok((key_of(response, key)?.into(), id.to_owned()))
}

fn key_of(response: &ListMultipartUploadsOutput, text: &str) -> Result<ObjectKey, CallFault> {
    if response.encoding_type() == Some(&EncodingType::Url) {
        decode_key(text).map_err(|problem| malformed_response(OPERATION, problem))
    } else {
        ObjectKey::new(text).map_err(|problem| malformed_response(OPERATION, problem))
    }
}
