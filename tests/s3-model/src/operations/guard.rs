//! What every handler checks first: the bucket exists, the Region and the owner are the expected
//! ones, and the policies allow the action.

use super::request::Request;
use crate::access::authorization::refusal;
use crate::access::principal::Caller;
use crate::lock::read;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::state::{ServerState, SharedBucket};
use crate::storage::attributes::Attributes;
use crate::storage::bucket::Bucket;

/// Returns the bucket of a request, after checking its Region and the expected owner.
pub(super) fn addressed_bucket(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<SharedBucket, S3Error> {
    let bucket = server.require_bucket(request.bucket)?;
    {
        let state = read(&bucket);
        check_region(&state, &request.caller, request.bucket)?;
        check_owner(&state, request.header("x-amz-expected-bucket-owner")?)?;
    }
    Ok(bucket)
}

/// Refuses a request for another Region. One endpoint serves all Regions, and the signature says
/// which one the client means.
fn check_region(bucket: &Bucket, caller: &Caller, name: &str) -> Result<(), S3Error> {
    match &caller.region {
        Some(region) if *region != bucket.region => Err(S3Error::new(
            ErrorCode::PermanentRedirect,
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        )
        .detail("Bucket", name)
        .detail("Endpoint", format!("s3.{}.amazonaws.com", bucket.region))
        .header("x-amz-bucket-region", bucket.region.as_str())),
        _ => Ok(()),
    }
}

/// Refuses a request that expects another owner.
pub(super) fn check_owner(bucket: &Bucket, expected: Option<&str>) -> Result<(), S3Error> {
    match expected {
        Some(owner) if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(S3Error::new(
                ErrorCode::InvalidBucketOwnerAWSAccountID,
                "The value of the expected bucket owner parameter must be an AWS account ID",
            ))
        }
        Some(owner) if owner != bucket.owner => Err(S3Error::access_denied("Access Denied")),
        _ => Ok(()),
    }
}

/// Refuses an action on an object. The key is empty for an action on the bucket.
pub(super) fn authorize(
    bucket: &Bucket,
    caller: &Caller,
    action: &str,
    name: &str,
    key: &str,
) -> Result<(), S3Error> {
    let arn = || {
        if key.is_empty() {
            format!("arn:aws:s3:::{name}")
        } else {
            format!("arn:aws:s3:::{name}/{key}")
        }
    };
    refusal(bucket.owned(), caller, action, arn).map_or(Ok(()), Err)
}

/// Refuses an action on the object of the request.
pub(super) fn authorize_object(
    bucket: &Bucket,
    request: &Request<'_>,
    action: &str,
) -> Result<(), S3Error> {
    authorize(bucket, &request.caller, action, request.bucket, request.key)
}

/// Refuses an action on the bucket of the request.
pub(super) fn authorize_bucket(
    bucket: &Bucket,
    request: &Request<'_>,
    action: &str,
) -> Result<(), S3Error> {
    authorize(bucket, &request.caller, action, request.bucket, "")
}

/// Refuses a write of an object with these attributes. Tags, annotations and access control lists
/// need permissions of their own, and a KMS key must be usable.
pub(super) fn authorize_write(
    server: &ServerState,
    bucket: &Bucket,
    request: &Request<'_>,
    attributes: &Attributes,
) -> Result<(), S3Error> {
    authorize_object(bucket, request, "s3:PutObject")?;
    if request.header("x-amz-acl")?.is_some() {
        authorize_object(bucket, request, "s3:PutObjectAcl")?;
    }
    if !attributes.tags.is_empty() {
        authorize_object(bucket, request, "s3:PutObjectTagging")?;
    }
    if !attributes.annotations.is_empty() {
        authorize_object(bucket, request, "s3:PutObjectAnnotation")?;
    }
    server
        .kms_keys
        .check(&attributes.encryption, &bucket.region)
}
