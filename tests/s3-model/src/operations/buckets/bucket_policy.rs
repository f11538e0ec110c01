//! GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy.

use std::sync::Arc;

use crate::access::policy::PolicyDocument;
use crate::lock::{read, write};
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response::Response;
use crate::state::ServerState;
use crate::storage::bucket::Bucket;

/// GetBucketPolicy.
pub(crate) fn get_bucket_policy(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    check_owner_account(&state, request)?;
    let Some(policy) = &state.policy else {
        return Err(S3Error::new(
            ErrorCode::NoSuchBucketPolicy,
            "The bucket policy does not exist",
        )
        .detail("BucketName", request.bucket));
    };
    let json = serde_json::to_vec(&**policy).map_err(|_| S3Error::malformed_xml())?;
    Ok(Response::empty(200).with_document("application/json", json))
}

/// PutBucketPolicy.
pub(crate) fn put_bucket_policy(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let mut state = write(&bucket);
    check_owner_account(&state, request)?;
    let policy: PolicyDocument = serde_json::from_slice(&request.body).map_err(|error| {
        S3Error::new(
            ErrorCode::MalformedPolicy,
            format!(
                "Policies must be valid JSON, and only use what the S3 model supports: {error}"
            ),
        )
    })?;
    state.policy = Some(Arc::new(policy));
    Ok(Response::empty(204))
}

/// DeleteBucketPolicy.
pub(crate) fn delete_bucket_policy(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let mut state = write(&bucket);
    check_owner_account(&state, request)?;
    state.policy = None;
    Ok(Response::empty(204))
}

/// Refuses callers of other accounts, and callers without the permission for the operation.
fn check_owner_account(bucket: &Bucket, request: &Request<'_>) -> Result<(), S3Error> {
    let is_owner = request
        .caller
        .principal
        .as_ref()
        .is_some_and(|principal| principal.account == bucket.owner);
    if !is_owner {
        return Err(S3Error::method_not_allowed());
    }
    let action = format!("s3:{}", request.operation.name());
    authorize_bucket(bucket, request, &action)
}
