//! The attributes that the headers of an upload ask for.

use std::collections::BTreeMap;
use std::sync::RwLock;

use hyper::header::HeaderMap;

use super::request::Request;
use super::tagging::tag_set;
use crate::lock::read;
use crate::protocol::encoded_word::decoded;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::storage::attributes::Attributes;
use crate::storage::bucket::Bucket;
use crate::storage::encryption::Encryption;
use crate::storage::storage_class::StorageClass;

/// User metadata: 2 KB of names and values.
const METADATA_BYTES_MAX: usize = 2048;

/// The headers that S3 stores with an object.
const SYSTEM_HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];

/// The name of a header that S3 stores with an object.
pub(crate) fn stored_header(name: &str) -> Option<&'static str> {
    SYSTEM_HEADERS.into_iter().find(|known| *known == name)
}

/// Reads the attributes of an object from the headers of its upload.
pub(super) fn attributes(
    bucket: &RwLock<Bucket>,
    request: &Request<'_>,
) -> Result<Attributes, S3Error> {
    check_acl(request)?;
    check_object_lock(request)?;
    Ok(Attributes {
        system: system_headers(request),
        metadata: metadata(request.headers)?,
        tags: tag_set::from_header(request.header("x-amz-tagging")?.unwrap_or(""))?,
        storage_class: storage_class(request)?,
        encryption: match encryption(request)? {
            Some(requested) => requested,
            None => read(bucket).default_encryption.clone(),
        },
        ..Attributes::default()
    })
}

/// Refuses ACLs. The model's buckets are owner-enforced, like new buckets on AWS.
fn check_acl(request: &Request<'_>) -> Result<(), S3Error> {
    let grants = request
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("x-amz-grant-"));
    let canned = request
        .header("x-amz-acl")?
        .is_some_and(|acl| acl != "bucket-owner-full-control");
    if grants || canned {
        return Err(S3Error::new(
            ErrorCode::AccessControlListNotSupported,
            "The bucket does not allow ACLs",
        ));
    }
    Ok(())
}

/// Refuses Object Lock. The model's buckets are created without it, like new buckets on AWS.
fn check_object_lock(request: &Request<'_>) -> Result<(), S3Error> {
    let mut names = request.headers.keys();
    if names.any(|name| name.as_str().starts_with("x-amz-object-lock-")) {
        return Err(S3Error::invalid_request(
            "Bucket is missing Object Lock Configuration",
        ));
    }
    Ok(())
}

/// Refuses to read with a key of the customer: the model holds no object under SSE-C. `prefix` is
/// that of the source's headers in a copy.
pub(super) fn refuse_customer_key(request: &Request<'_>, prefix: &str) -> Result<(), S3Error> {
    let rest = match prefix {
        "" => "x-amz-server-side-encryption-customer-algorithm",
        _ => "server-side-encryption-customer-algorithm",
    };
    if request.headers.contains_key(format!("{prefix}{rest}")) {
        return Err(S3Error::invalid_request(
            "The encryption parameters are not applicable to this object.",
        ));
    }
    Ok(())
}

/// Returns the headers that S3 stores with an object. It keeps and answers them as bytes (fact 77),
/// which need not be UTF-8: what a POST form sets comes back in ISO-8859-1 (fact 78). That a
/// request may send such bytes too is not recorded.
pub(super) fn system_headers(request: &Request<'_>) -> BTreeMap<&'static str, Vec<u8>> {
    let mut system = BTreeMap::new();
    for name in SYSTEM_HEADERS {
        let Some(value) = request.headers.get(name) else {
            continue;
        };
        let value = match std::str::from_utf8(value.as_bytes()) {
            Ok(value) if name == "content-encoding" => without_chunking(value).into_bytes(),
            _ => value.as_bytes().to_vec(),
        };
        if !value.is_empty() {
            system.insert(name, value);
        }
    }
    system
}

/// Removes `aws-chunked`, which is about the request and not about the object.
fn without_chunking(encoding: &str) -> String {
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty() && *token != "aws-chunked")
        .collect();
    kept.join(",")
}

/// Returns the user metadata, with RFC 2047's encoded words decoded (fact 74).
pub(super) fn metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>, S3Error> {
    let mut metadata: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("x-amz-meta-") else {
            continue;
        };
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| {
            S3Error::invalid_argument(name, "", "Metadata values must be valid UTF-8")
        })?;
        let joined = metadata.entry(name.to_owned()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&decoded(value));
    }
    let size: usize = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > METADATA_BYTES_MAX {
        return Err(S3Error::new(
            ErrorCode::MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size",
        )
        .detail("Size", size.to_string())
        .detail("MaxSizeAllowed", METADATA_BYTES_MAX.to_string()));
    }
    Ok(metadata)
}

/// Returns the storage class that a request asks for.
pub(super) fn storage_class(request: &Request<'_>) -> Result<StorageClass, S3Error> {
    request
        .header("x-amz-storage-class")?
        .map_or(Ok(StorageClass::Standard), |name| {
            StorageClass::parse(name).ok_or_else(|| {
                S3Error::new(
                    ErrorCode::InvalidStorageClass,
                    "The storage class you specified is not valid",
                )
                .detail("StorageClassRequested", name)
            })
        })
}

/// Returns the encryption that a request asks for.
fn encryption(request: &Request<'_>) -> Result<Option<Encryption>, S3Error> {
    if request
        .headers
        .contains_key("x-amz-server-side-encryption-customer-algorithm")
    {
        return Err(S3Error::access_denied(
            "The bucket does not allow server-side encryption with customer keys",
        ));
    }
    match request.header("x-amz-server-side-encryption")? {
        None => Ok(None),
        Some("AES256") => Ok(Some(Encryption::S3Managed)),
        Some("aws:kms") => Ok(Some(Encryption::Kms {
            key_id: request
                .header("x-amz-server-side-encryption-aws-kms-key-id")?
                .unwrap_or("arn:aws:kms:us-east-1:111111111111:alias/aws/s3")
                .to_owned(),
            bucket_key: request.header("x-amz-server-side-encryption-bucket-key-enabled")?
                == Some("true"),
        })),
        Some(other) => Err(S3Error::invalid_argument(
            "x-amz-server-side-encryption",
            other,
            "The encryption method specified is not supported",
        )),
    }
}
