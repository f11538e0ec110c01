//! The operations on buckets themselves.

use std::sync::{Arc, RwLock};

use hyper::header::HeaderValue;
use serde::Deserialize;

use crate::access::authorize;
use crate::bucket::{Bucket, Versioning};
use crate::clock::iso;
use crate::error::{ErrorCode, S3Error};
use crate::lock::{read, write};
use crate::model::Inner;
use crate::operation::Operation;
use crate::policy::PolicyDocument;
use crate::reply::{Content, Reply};
use crate::request::Call;
use crate::xml::Xml;

/// The Region of a bucket that was created without one.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

#[derive(Debug, Deserialize, Default)]
struct CreateConfiguration {
    #[serde(rename = "LocationConstraint")]
    region: Option<String>,
}

#[derive(Debug, Deserialize)]
struct VersioningConfiguration {
    #[serde(rename = "Status")]
    status: Option<String>,
}

fn body_text<'a>(call: &'a Call<'_>) -> Result<&'a str, S3Error> {
    std::str::from_utf8(&call.body).map_err(|_| S3Error::malformed_xml())
}

/// Whether S3 would take the name: 3 to 63 characters, and not a directory bucket's.
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

/// CreateBucket: the caller's account becomes the owner.
pub(crate) fn create_bucket(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    check_name(call.bucket)?;
    let Some(principal) = &call.caller.principal else {
        return Err(S3Error::access_denied("Access Denied"));
    };
    let configuration: CreateConfiguration = match body_text(call)? {
        "" => CreateConfiguration::default(),
        text => quick_xml::de::from_str(text).map_err(|_| S3Error::malformed_xml())?,
    };
    let region = configuration
        .region
        .unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let mut buckets = write(&model.buckets);
    if let Some(existing) = buckets.get(call.bucket) {
        let owned = read(existing).owner == principal.account;
        return Err(if owned {
            S3Error::new(
                ErrorCode::BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        } else {
            S3Error::new(ErrorCode::BucketAlreadyExists, "The requested bucket name is not available.")
        }
        .detail("BucketName", call.bucket));
    }
    let bucket = Bucket::new(principal.account.clone(), region, model.clock.now_s());
    buckets.insert(call.bucket.to_owned(), Arc::new(RwLock::new(bucket)));
    let mut reply = Reply::empty(200);
    reply.text("location", &format!("/{}", call.bucket));
    Ok(reply)
}

/// DeleteBucket.
pub(crate) fn delete_bucket(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(&state, &call.caller, "s3:DeleteBucket", call.bucket, "")?;
    if !state.is_empty() {
        return Err(S3Error::new(
            ErrorCode::BucketNotEmpty,
            "The bucket you tried to delete is not empty",
        )
        .detail("BucketName", call.bucket));
    }
    drop(state);
    write(&model.buckets).remove(call.bucket);
    Ok(Reply::empty(204))
}

/// HeadBucket. Its Region is told even to whom the rest is refused.
pub(crate) fn head_bucket(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let found = model.find_bucket(call.bucket)?;
    let region = read(&found).region.clone();
    let told = |error: S3Error| error.header("x-amz-bucket-region", region.as_str());
    let bucket = model.bucket(call).map_err(|mut error| {
        error.headers.clear();
        told(error)
    })?;
    authorize(
        &read(&bucket),
        &call.caller,
        "s3:ListBucket",
        call.bucket,
        "",
    )
    .map_err(told)?;
    let mut reply = Reply::empty(200);
    reply.text("x-amz-bucket-region", &region);
    reply.set(
        "x-amz-access-point-alias",
        HeaderValue::from_static("false"),
    );
    Ok(reply)
}

/// ListBuckets: those of the caller's account.
pub(crate) fn list_buckets(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let Some(principal) = &call.caller.principal else {
        return Err(S3Error::access_denied("Access Denied"));
    };
    let mut xml = Xml::result("ListAllMyBucketsResult", 1024);
    xml.open("Owner");
    xml.text("ID", &principal.account);
    xml.close("Owner");
    xml.open("Buckets");
    for (name, bucket) in read(&model.buckets).iter() {
        let state = read(bucket);
        if state.owner == principal.account {
            xml.open("Bucket");
            xml.text("Name", name);
            xml.text("CreationDate", &iso(state.created_s));
            xml.text("BucketRegion", &state.region);
            xml.close("Bucket");
        }
    }
    xml.close("Buckets");
    Ok(Reply::xml(xml.finish("ListAllMyBucketsResult")))
}

/// GetBucketLocation: empty for us-east-1, as it always was.
pub(crate) fn get_bucket_location(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:GetBucketLocation",
        call.bucket,
        "",
    )?;
    let mut xml = Xml::result("LocationConstraint", 256);
    if state.region != DEFAULT_REGION {
        xml.escape(state.region.as_bytes());
    }
    Ok(Reply::xml(xml.finish("LocationConstraint")))
}

/// GetBucketVersioning and PutBucketVersioning.
pub(crate) fn bucket_versioning(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let mut state = write(&bucket);
    if call.operation == Operation::PutBucketVersioning {
        authorize(
            &state,
            &call.caller,
            "s3:PutBucketVersioning",
            call.bucket,
            "",
        )?;
        let configuration: VersioningConfiguration =
            quick_xml::de::from_str(body_text(call)?).map_err(|_| S3Error::malformed_xml())?;
        state.versioning = match configuration.status.as_deref() {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            _ => return Err(S3Error::malformed_xml()),
        };
        return Ok(Reply::empty(200));
    }
    authorize(
        &state,
        &call.caller,
        "s3:GetBucketVersioning",
        call.bucket,
        "",
    )?;
    let mut xml = Xml::result("VersioningConfiguration", 256);
    match state.versioning {
        Versioning::Off => {}
        Versioning::Enabled => xml.text("Status", "Enabled"),
        Versioning::Suspended => xml.text("Status", "Suspended"),
    }
    Ok(Reply::xml(xml.finish("VersioningConfiguration")))
}

/// GetBucketPolicy, PutBucketPolicy and DeleteBucketPolicy, which only the owner's account may.
pub(crate) fn bucket_policy(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let mut state = write(&bucket);
    let owner = call
        .caller
        .principal
        .as_ref()
        .is_some_and(|principal| principal.account == state.owner);
    if !owner {
        return Err(S3Error::new(
            ErrorCode::MethodNotAllowed,
            "The specified method is not allowed against this resource.",
        ));
    }
    let action = format!("s3:{}", call.operation.name());
    authorize(&state, &call.caller, &action, call.bucket, "")?;
    match call.operation {
        Operation::PutBucketPolicy => {
            let policy: PolicyDocument = serde_json::from_slice(&call.body).map_err(|error| {
                S3Error::new(
                    ErrorCode::MalformedPolicy,
                    format!(
                        "Policies must be valid JSON of the part that the model judges: {error}"
                    ),
                )
            })?;
            state.policy = Some(Arc::new(policy));
            Ok(Reply::empty(204))
        }
        Operation::DeleteBucketPolicy => {
            state.policy = None;
            Ok(Reply::empty(204))
        }
        _ => {
            let Some(policy) = &state.policy else {
                return Err(S3Error::new(
                    ErrorCode::NoSuchBucketPolicy,
                    "The bucket policy does not exist",
                )
                .detail("BucketName", call.bucket));
            };
            let json = serde_json::to_vec(&**policy).map_err(|_| S3Error::malformed_xml())?;
            let mut reply = Reply::empty(200);
            reply.content = Content::Bytes(json.into());
            reply.set("content-type", HeaderValue::from_static("application/json"));
            Ok(reply)
        }
    }
}

/// RestoreObject: the model restores at once.
pub(crate) fn restore_object(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let mut state = write(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:RestoreObject",
        call.bucket,
        call.key,
    )?;
    let object = crate::access::readable(&state, &call.caller, call.bucket, call.key, None)?;
    if !object.is_archived() && !object.attributes.restored {
        return Err(crate::get::archived(&object));
    }
    let again = object.attributes.restored;
    state.amend(call.key, object.version, |object| {
        Arc::make_mut(&mut object.attributes).restored = true;
    })?;
    Ok(Reply::empty(if again { 200 } else { 202 }))
}
