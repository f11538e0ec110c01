//! Multipart uploads: a copy in parts carries nothing of the source by itself, so everything is stated.

use std::{future::Future, time::Duration};

use aws_sdk_s3::{
    operation::{
        create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
        list_multipart_uploads::ListMultipartUploadsOutput,
    },
    types::{
        ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, EncodingType,
        ServerSideEncryption, StorageClass,
    },
};
use shardlift_core::{
    copy::part_layout::{Part, PartNumber},
    failure::fault::{CallFault, FaultKind},
    port::{CopyReceipt, CopySource, CreatedUpload, PartReceipt, UploadSpec},
    value::{
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
    },
};

use super::{
    answer_date::AnswerDate,
    checksums::{checksum_type, checksums_of, with_checksums},
    copy_source::copy_source,
    encryption::encryption,
    listing::{decoded_key, unquoted_etag},
    spoken_key::spoken,
    tagging::tagging_header,
    target_bucket::{AwsTargetBucket, quoted},
};
use crate::fault_mapping::{bad_answer, call_fault};

const CREATE: &str = "s3:CreateMultipartUpload";
const COPY_PART: &str = "s3:UploadPartCopy";
const LIST_PARTS: &str = "s3:ListParts";
const COMPLETE: &str = "s3:CompleteMultipartUpload";
const ABORT: &str = "s3:AbortMultipartUpload";
const LIST_UPLOADS: &str = "s3:ListMultipartUploads";

/// How often an upload is aborted before it is left to others.
const ABORTS_MAX: u32 = 5;
/// The pause before it is aborted for the second time; it doubles with each.
const ABORT_PAUSE: Duration = Duration::from_millis(200);

/// S3 combines the CRCs of parts into that of the object; what it cannot combine is left to its default
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
fn type_to_ask_for(algorithm: &str) -> Option<ChecksumType> {
    matches!(algorithm, "CRC32" | "CRC32C" | "CRC64NVME").then_some(ChecksumType::FullObject)
}

impl AwsTargetBucket {
    pub(super) async fn create(&self, upload: &UploadSpec) -> Result<CreatedUpload, CallFault> {
        let mut call = self
            .clients
            .copying
            .create_multipart_upload()
            .bucket(self.bucket.as_str())
            .key(spoken(&upload.target_key))
            .expected_bucket_owner(self.facts.owner.as_str())
            .set_metadata(Some(upload.metadata.clone().into_iter().collect()))
            .set_tagging(tagging_header(&upload.tags))
            .set_storage_class(
                upload
                    .storage_class
                    .map(|class| StorageClass::from(class.name())),
            )
            .set_checksum_algorithm(
                upload
                    .checksum_algorithm
                    .as_deref()
                    .map(ChecksumAlgorithm::from),
            )
            .set_checksum_type(
                upload
                    .checksum_algorithm
                    .as_deref()
                    .and_then(type_to_ask_for),
            );
        if let Some(key) = &upload.kms_key_arn {
            call = call
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key.as_str());
        }
        let call = with_headers(call, upload);
        // Expires is a free text at S3; the SDK's own setter takes dates only.
        let expires = upload.headers.get("expires").cloned();
        let date = AnswerDate::default();
        let sent = call
            .customize()
            .interceptor(date.clone())
            .mutate_request(move |request| {
                if let Some(expires) = &expires {
                    request.headers_mut().insert("expires", expires.clone());
                }
            })
            .send()
            .await;
        let answer = sent.map_err(|error| call_fault(CREATE, &error))?;
        let id = UploadId::new(answer.upload_id().unwrap_or_default())
            .map_err(|problem| bad_answer(CREATE, problem))?;
        Ok(CreatedUpload {
            id,
            encryption: encryption(answer.server_side_encryption()),
            created_at: date.told(),
        })
    }

    pub(super) async fn copy_one_part(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        part: &Part,
    ) -> Result<PartReceipt, CallFault> {
        let answer = self
            .clients
            .copying
            .upload_part_copy()
            .bucket(self.bucket.as_str())
            .key(spoken(target_key))
            .upload_id(upload_id.as_str())
            .part_number(sdk_number(part.number))
            .copy_source(copy_source(&self.source_bucket, &source.key))
            .copy_source_if_match(quoted(source.etag.as_str()))
            .set_copy_source_range(copy_source_range(source, part))
            .expected_bucket_owner(self.facts.owner.as_str())
            .expected_source_bucket_owner(self.source_facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(COPY_PART, &error))?;
        let result = answer
            .copy_part_result()
            .ok_or_else(|| bad_answer(COPY_PART, "the answer has no result"))?;
        Ok(PartReceipt {
            number: part.number,
            etag: unquoted_etag(COPY_PART, result.e_tag())?,
            size_bytes: None,
            checksums: checksums_of!(result),
        })
    }

    pub(super) async fn all_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        let mut parts: Vec<PartReceipt> = Vec::new();
        loop {
            let marker = parts.last().map(|part| part.number.get().to_string());
            let answer = self
                .clients
                .asking_target
                .list_parts()
                .bucket(self.bucket.as_str())
                .key(spoken(target_key))
                .upload_id(upload_id.as_str())
                .set_part_number_marker(marker)
                .expected_bucket_owner(self.facts.owner.as_str())
                .send()
                .await
                .map_err(|error| call_fault(LIST_PARTS, &error))?;
            let known = parts.len();
            for part in answer.parts() {
                let receipt = part_receipt(part)?;
                if parts
                    .last()
                    .is_some_and(|last| receipt.number <= last.number)
                {
                    return Err(bad_answer(LIST_PARTS, "the parts are out of order"));
                }
                parts.push(receipt);
            }
            if answer.is_truncated() != Some(true) {
                return Ok(parts);
            }
            if parts.len() == known {
                return Err(bad_answer(
                    LIST_PARTS,
                    "the page is empty and says that more follows",
                ));
            }
        }
    }

    pub(super) async fn complete(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> Result<CopyReceipt, CallFault> {
        let completed = parts.iter().map(|part| {
            let builder = CompletedPart::builder()
                .part_number(sdk_number(part.number))
                .e_tag(quoted(part.etag.as_str()));
            with_checksums(builder, &part.checksums).build()
        });
        let size_bytes = i64::try_from(size_bytes).map_err(|_| {
            CallFault::new(COMPLETE, FaultKind::Rejected, "the size exceeds 63 bits")
        })?;
        let answer = self
            .clients
            .copying
            .complete_multipart_upload()
            .bucket(self.bucket.as_str())
            .key(spoken(target_key))
            .upload_id(upload_id.as_str())
            .multipart_upload(
                CompletedMultipartUpload::builder()
                    .set_parts(Some(completed.collect()))
                    .build(),
            )
            .mpu_object_size(size_bytes)
            // S3 demands the type that the upload was created with.
            .set_checksum_type(
                parts
                    .first()
                    .and_then(|part| part.checksums.keys().find_map(|name| type_to_ask_for(name))),
            )
            .expected_bucket_owner(self.facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(COMPLETE, &error))?;
        Ok(CopyReceipt {
            etag: unquoted_etag(COMPLETE, answer.e_tag())?,
            version_id: answer.version_id().map(str::to_owned),
            checksums: checksums_of!(&answer),
            checksum_type: checksum_type(answer.checksum_type()),
        })
    }

    pub(super) async fn abort(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<(), CallFault> {
        end_upload(
            || self.abort_once(target_key, upload_id),
            || self.has_parts(target_key, upload_id),
        )
        .await
    }

    async fn abort_once(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<(), CallFault> {
        self.clients
            .asking_target
            .abort_multipart_upload()
            .bucket(self.bucket.as_str())
            .key(spoken(target_key))
            .upload_id(upload_id.as_str())
            .expected_bucket_owner(self.facts.owner.as_str())
            .send()
            .await
            .map(drop)
            .map_err(|error| call_fault(ABORT, &error))
    }

    async fn has_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<bool, CallFault> {
        let answer = self
            .clients
            .asking_target
            .list_parts()
            .bucket(self.bucket.as_str())
            .key(spoken(target_key))
            .upload_id(upload_id.as_str())
            .max_parts(1)
            .expected_bucket_owner(self.facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(LIST_PARTS, &error))?;
        Ok(!answer.parts().is_empty())
    }

    pub(super) async fn all_uploads(
        &self,
        prefix: &KeyPrefix,
    ) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
        let mut uploads = Vec::new();
        let mut marker: Option<(String, String)> = None;
        loop {
            let (key_marker, id_marker) = marker.clone().unzip();
            let answer = self
                .clients
                .asking_target
                .list_multipart_uploads()
                .bucket(self.bucket.as_str())
                .prefix(prefix.as_str())
                .encoding_type(EncodingType::Url)
                .set_key_marker(key_marker)
                .set_upload_id_marker(id_marker)
                .expected_bucket_owner(self.facts.owner.as_str())
                .send()
                .await
                .map_err(|error| call_fault(LIST_UPLOADS, &error))?;
            uploads.extend(uploads_of(&answer)?);
            if answer.is_truncated() != Some(true) {
                return Ok(uploads);
            }
            let next = next_marker(&answer)?;
            if marker.as_ref() == Some(&next) {
                return Err(bad_answer(LIST_UPLOADS, "the listing goes in circles"));
            }
            marker = Some(next);
        }
    }
}

/// Aborts an upload until it has no part any more. One that was on its way when the upload was aborted may have arrived
/// all the same, and is then kept and paid for (docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html).
async fn end_upload<A, L>(abort: impl Fn() -> A, has_parts: impl Fn() -> L) -> Result<(), CallFault>
where
    A: Future<Output = Result<(), CallFault>>,
    L: Future<Output = Result<bool, CallFault>>,
{
    for number in 0..ABORTS_MAX {
        if number > 0 {
            tokio::time::sleep(ABORT_PAUSE * 2_u32.pow(number - 1)).await;
        }
        match abort().await {
            Ok(()) => {}
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => return Ok(()),
            Err(fault) => return Err(fault),
        }
        match has_parts().await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // A role that may abort and not look gets no further than the trials before a run.
            Err(fault)
                if matches!(
                    fault.kind,
                    FaultKind::NoSuchUpload | FaultKind::AccessDenied
                ) =>
            {
                return Ok(());
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(CallFault::new(
        ABORT,
        FaultKind::ServiceError,
        format!("aborted {ABORTS_MAX} times, the upload still has parts"),
    ))
}

fn with_headers(
    call: CreateMultipartUploadFluentBuilder,
    upload: &UploadSpec,
) -> CreateMultipartUploadFluentBuilder {
    let header = |name: &str| upload.headers.get(name).cloned();
    call.set_cache_control(header("cache-control"))
        .set_content_disposition(header("content-disposition"))
        .set_content_encoding(header("content-encoding"))
        .set_content_language(header("content-language"))
        .set_content_type(header("content-type"))
        .set_website_redirect_location(header("x-amz-website-redirect-location"))
}

fn part_receipt(part: &aws_sdk_s3::types::Part) -> Result<PartReceipt, CallFault> {
    let number = part
        .part_number()
        .and_then(|number| u32::try_from(number).ok())
        .and_then(|number| PartNumber::new(number).ok())
        .ok_or_else(|| bad_answer(LIST_PARTS, "a part has no number from 1 to 10,000"))?;
    Ok(PartReceipt {
        number,
        etag: unquoted_etag(LIST_PARTS, part.e_tag())?,
        size_bytes: part.size().and_then(|size| u64::try_from(size).ok()),
        checksums: checksums_of!(part),
    })
}

fn uploads_of(
    answer: &ListMultipartUploadsOutput,
) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
    answer
        .uploads()
        .iter()
        .map(|upload| {
            let key = key_of(answer, upload.key().unwrap_or_default())?;
            let id = UploadId::new(upload.upload_id().unwrap_or_default())
                .map_err(|problem| bad_answer(LIST_UPLOADS, problem))?;
            Ok((key, id))
        })
        .collect()
}

fn next_marker(answer: &ListMultipartUploadsOutput) -> Result<(String, String), CallFault> {
    let (Some(key), Some(id)) = (answer.next_key_marker(), answer.next_upload_id_marker()) else {
        return Err(bad_answer(
            LIST_UPLOADS,
            "more follows, but the answer does not say where",
        ));
    };
    Ok((key_of(answer, key)?.into(), id.to_owned()))
}

fn key_of(answer: &ListMultipartUploadsOutput, text: &str) -> Result<ObjectKey, CallFault> {
    if answer.encoding_type() == Some(&EncodingType::Url) {
        decoded_key(LIST_UPLOADS, text)
    } else {
        ObjectKey::new(text).map_err(|problem| bad_answer(LIST_UPLOADS, problem))
    }
}

/// The bytes of a part. None for a whole object: S3 takes a range only of objects above 5 MB
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html, x-amz-copy-source-range).
fn copy_source_range(source: &CopySource, part: &Part) -> Option<String> {
    let (first, last) = (part.bytes.start(), part.bytes.end());
    let is_whole = *first == 0 && last + 1 == source.size_bytes;
    (!is_whole).then(|| format!("bytes={first}-{last}"))
}

/// 1 to 10,000 fits.
fn sdk_number(number: PartNumber) -> i32 {
    i32::try_from(number.get()).expect("a part number is at most 10,000")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Ends an upload to which so many parts are on their way; tells how often it was aborted.
    async fn aborts(late_parts: u32, gone: FaultKind) -> (Result<(), FaultKind>, u32) {
        let aborts = Cell::new(0);
        let abort = || async {
            aborts.set(aborts.get() + 1);
            Ok(())
        };
        let has_parts = || async {
            if aborts.get() <= late_parts {
                Ok(true)
            } else {
                Err(CallFault::new(LIST_PARTS, gone, ""))
            }
        };
        let ended = end_upload(abort, has_parts).await;
        (ended.map_err(|fault| fault.kind), aborts.get())
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_is_aborted_until_the_parts_on_their_way_are_gone_too() {
        let gone = FaultKind::NoSuchUpload;
        assert_eq!(aborts(0, gone).await, (Ok(()), 1));
        assert_eq!(aborts(3, gone).await, (Ok(()), 4));
        assert_eq!(
            aborts(100, gone).await,
            (Err(FaultKind::ServiceError), ABORTS_MAX)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_may_not_be_looked_at_counts_as_aborted_and_one_in_doubt_does_not() {
        assert_eq!(aborts(0, FaultKind::AccessDenied).await, (Ok(()), 1));
        let doubt = FaultKind::NoAnswer;
        assert_eq!(aborts(0, doubt).await, (Err(doubt), 1));
    }
}
