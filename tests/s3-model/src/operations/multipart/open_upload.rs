//! The upload that a request names, and the parts that requests add to it.

use std::sync::RwLock;

use crate::content::checksum::{Checksum, ChecksumAlgorithm};
use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::lock::{read, write};
use crate::operations::guard::authorize_object;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::state::ServerState;
use crate::storage::bucket::Bucket;
use crate::storage::upload::{PARTS_MAX, Part, Upload};

/// The part that a request uploads or copies.
#[derive(Debug)]
pub(super) struct PartTarget {
    number: u16,
    upload_id: String,
    /// The checksum algorithm that the upload was created with.
    pub(super) algorithm: Option<ChecksumAlgorithm>,
}

impl PartTarget {
    /// Finds the upload of a request, and checks the permission to add parts to it.
    pub(super) fn find(
        server: &ServerState,
        bucket: &RwLock<Bucket>,
        request: &Request<'_>,
    ) -> Result<Self, S3Error> {
        let (number, upload_id) = (part_number(request)?, upload_id(request)?);
        let state = read(bucket);
        authorize_object(&state, request, "s3:PutObject")?;
        let upload = find(&state, request.key, &upload_id)?;
        server
            .kms_keys
            .check(&upload.attributes.encryption, &state.region)?;
        let algorithm = upload.algorithm;
        Ok(Self {
            number,
            upload_id,
            algorithm,
        })
    }

    /// Stores the part and returns its ETag. The checksum is kept only if the upload was created with
    /// an algorithm (fact 49).
    pub(super) fn store(
        self,
        server: &ServerState,
        bucket: &RwLock<Bucket>,
        request: &Request<'_>,
        rope: Rope,
        checksum: Option<Checksum>,
    ) -> Result<ETag, S3Error> {
        let mut etag = ETag::of_content(&rope);
        let mut state = write(bucket);
        let at = state
            .upload(request.key, &self.upload_id)
            .map(|(at, _)| at.clone());
        let upload = at
            .and_then(|at| state.uploads.get_mut(&at))
            .ok_or_else(|| no_such_upload(&self.upload_id))?;
        if upload.attributes.encryption.is_kms() {
            etag = etag.encrypted(server.next_number());
        }
        upload.parts.insert(
            self.number,
            Part {
                rope,
                etag,
                checksum: checksum.filter(|_| upload.algorithm.is_some()),
                modified_s: server.clock.now_s(),
            },
        );
        Ok(etag)
    }
}

pub(super) fn no_such_upload(id: &str) -> S3Error {
    S3Error::new(
        ErrorCode::NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
    .detail("UploadId", id)
}

/// Returns the upload id of a request.
pub(super) fn upload_id(request: &Request<'_>) -> Result<String, S3Error> {
    Ok(request.query.text("uploadId")?.into_owned())
}

/// Finds an open upload.
pub(super) fn find<'a>(bucket: &'a Bucket, key: &str, id: &str) -> Result<&'a Upload, S3Error> {
    bucket
        .upload(key, id)
        .map(|(_, upload)| upload)
        .ok_or_else(|| no_such_upload(id))
}

fn part_number(request: &Request<'_>) -> Result<u16, S3Error> {
    let text = request.query.text("partNumber")?;
    text.parse::<u16>()
        .ok()
        .filter(|number| (1..=PARTS_MAX).contains(number))
        .ok_or_else(|| {
            S3Error::invalid_argument(
                "partNumber",
                &text,
                format!("Part number must be an integer between 1 and {PARTS_MAX}, inclusive"),
            )
        })
}
