//! HeadObject, as a copy needs it.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    Client,
    operation::head_object::HeadObjectOutput,
    types::{ChecksumMode, StorageClass},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::ObjectAttributes,
    value::{arn::AccountId, bucket::BucketName, key::ObjectKey, time::Timestamp},
};

use super::{
    answer_date::{AnswerDate, timestamp},
    checksums::{checksum_type, checksums_of},
    encryption::encryption,
    listing::unquoted_etag,
    spoken_key::spoken,
};
use crate::fault_mapping::{bad_answer, call_fault};

const HEAD_OBJECT: &str = "s3:HeadObject";

/// Reads the attributes of an object, its checksums included.
pub(crate) async fn head_object(
    client: &Client,
    bucket: &BucketName,
    owner: &AccountId,
    key: &ObjectKey,
) -> Result<ObjectAttributes, CallFault> {
    let date = AnswerDate::default();
    let answer = client
        .head_object()
        .bucket(bucket.as_str())
        .key(spoken(key))
        .expected_bucket_owner(owner.as_str())
        .checksum_mode(ChecksumMode::Enabled)
        .customize()
        .interceptor(date.clone())
        .send()
        .await
        .map_err(|error| call_fault(HEAD_OBJECT, &error))?;
    attributes(&answer, date.told())
}

fn attributes(
    answer: &HeadObjectOutput,
    response_date: Option<Timestamp>,
) -> Result<ObjectAttributes, CallFault> {
    if let Some(missing) = answer.missing_meta().filter(|&missing| missing > 0) {
        return Err(CallFault::new(
            HEAD_OBJECT,
            FaultKind::Rejected,
            format!("S3 withholds {missing} metadata entries that no HTTP header can carry"),
        ));
    }
    let size_bytes = answer
        .content_length()
        .and_then(|length| u64::try_from(length).ok())
        .ok_or_else(|| bad_answer(HEAD_OBJECT, "the answer has no length"))?;
    let tag_count = answer.tag_count().unwrap_or(0);
    let modified_at = answer
        .last_modified()
        .and_then(timestamp)
        .ok_or_else(|| bad_answer(HEAD_OBJECT, "the answer has no Last-Modified"))?;
    Ok(ObjectAttributes {
        size_bytes,
        etag: unquoted_etag(HEAD_OBJECT, answer.e_tag())?,
        headers: headers(answer),
        metadata: answer
            .metadata()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        // S3 names every class but the standard one.
        storage_class: answer
            .storage_class()
            .unwrap_or(&StorageClass::Standard)
            .as_str()
            .to_owned(),
        tag_count: u32::try_from(tag_count)
            .map_err(|_| bad_answer(HEAD_OBJECT, "a negative number of tags"))?,
        checksums: checksums_of!(answer),
        checksum_type: checksum_type(answer.checksum_type()),
        encryption: encryption(answer.server_side_encryption()),
        kms_key_arn: answer.ssekms_key_id().map(str::to_owned),
        modified_at,
        response_date,
    })
}

fn headers(answer: &HeadObjectOutput) -> BTreeMap<String, String> {
    [
        ("cache-control", answer.cache_control()),
        ("content-disposition", answer.content_disposition()),
        ("content-encoding", answer.content_encoding()),
        ("content-language", answer.content_language()),
        ("content-type", answer.content_type()),
        ("expires", answer.expires_string()),
        (
            "x-amz-website-redirect-location",
            answer.website_redirect_location(),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
    .collect()
}
