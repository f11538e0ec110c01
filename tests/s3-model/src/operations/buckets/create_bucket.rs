//! CreateBucket.

use std::sync::{Arc, RwLock};

use serde::Deserialize;

use crate::lock::{read, write};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response::Response;
use crate::state::ServerState;
use crate::storage::bucket::Bucket;
use crate::storage::bucket_spec::BucketSpec;

#[derive(Debug, Deserialize, Default)]
struct CreateBucketConfiguration {
    #[serde(rename = "LocationConstraint")]
    region: Option<String>,
}

/// CreateBucket. The account of the caller becomes the owner.
pub(crate) fn create_bucket(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    check_name(request.bucket)?;
    let Some(principal) = &request.caller.principal else {
        return Err(S3Error::access_denied("Access Denied"));
    };
    let configuration = if request.body.is_empty() {
        CreateBucketConfiguration::default()
    } else {
        request.document()?
    };
    let mut spec = BucketSpec::new(request.bucket).owner(&principal.account);
    if let Some(region) = configuration.region {
        spec = spec.region(region);
    }
    let mut buckets = write(&server.buckets);
    if let Some(existing) = buckets.get(request.bucket) {
        let owned = read(existing).owner == principal.account;
        return Err(already_exists(request.bucket, owned));
    }
    let bucket = Bucket::new(spec, server.clock.now_s())
        .expect("a bucket without a key space is always valid");
    buckets.insert(request.bucket.to_owned(), Arc::new(RwLock::new(bucket)));
    let mut response = Response::empty(200);
    response.set("location", &format!("/{}", request.bucket));
    Ok(response)
}

fn already_exists(name: &str, owned: bool) -> S3Error {
    let error = if owned {
        S3Error::new(
            ErrorCode::BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
    } else {
        S3Error::new(
            ErrorCode::BucketAlreadyExists,
            "The requested bucket name is not available.",
        )
    };
    error.detail("BucketName", name)
}

/// Refuses a name that S3 would refuse: names have 3 to 63 characters, and those of directory
/// buckets are reserved.
fn check_name(name: &str) -> Result<(), S3Error> {
    let fits = (3..=63).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        })
        && !name.starts_with(['-', '.'])
        && !name.ends_with(['-', '.'])
        && !name.ends_with("--x-s3");
    if fits {
        return Ok(());
    }
    Err(S3Error::new(
        ErrorCode::InvalidBucketName,
        "The specified bucket is not valid.",
    )
    .detail("BucketName", name))
}
