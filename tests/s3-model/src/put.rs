//! PutObject, and what every upload may say about the object it makes.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use base64::Engine as _;
use hyper::header::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::access::authorize;
use crate::bucket::{Bucket, Versioning};
use crate::conditions::check_write;
use crate::digest::{ChecksumAlgorithm, ETag};
use crate::error::{ErrorCode, S3Error};
use crate::get::{checksum_headers, encryption_headers};
use crate::lock::{read, write};
use crate::model::Inner;
use crate::object::{
    Attributes, Checksum, Encryption, Object, PLAIN_ATTRIBUTES, StorageClass, VersionId,
};
use crate::reply::Reply;
use crate::request::Call;
use crate::rope::Rope;
use crate::tagging::parse_tag_header;

/// A single PUT, and a single part, take at most 5 GiB.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 5 << 30;
/// User metadata: 2 KB of names and values.
const METADATA_BYTES_MAX: usize = 2048;

/// The headers that S3 stores with an object as they are.
const SYSTEM_HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];

/// Refuses a caller who may not write the object, or not give it the tags and annotations that it is to have.
pub(crate) fn authorize_write(
    state: &Bucket,
    call: &Call<'_>,
    attributes: &Attributes,
) -> Result<(), S3Error> {
    let may = |action| authorize(state, &call.caller, action, call.bucket, call.key);
    may("s3:PutObject")?;
    if !attributes.tags.is_empty() {
        may("s3:PutObjectTagging")?;
    }
    if !attributes.annotations.is_empty() {
        may("s3:PutObjectAnnotation")?;
    }
    Ok(())
}

/// PutObject.
pub(crate) fn put_object(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let attributes = attributes(&bucket, call)?;
    let rope = Rope::literal(call.body.clone());
    let checksum = verify_body(call, None)?;
    let mut state = write(&bucket);
    authorize_write(&state, call, &attributes)?;
    check_write(call, state.current(call.key.as_bytes()).as_deref())?;
    let attributes = share(Attributes {
        checksum,
        ..attributes
    });
    let object = object(model, rope, attributes);
    let mut reply = Reply::empty(200);
    reply.text("etag", &object.etag.quoted());
    encryption_headers(&mut reply, &object.attributes.encryption);
    checksum_headers(&mut reply, &object.checksum());
    let version = state.put(call.key, object);
    if state.versioning != Versioning::Off {
        reply.text("x-amz-version-id", &version.to_string());
    }
    Ok(reply)
}

/// An object as it is about to be stored, written at once.
pub(crate) fn object(model: &Inner, rope: Rope, attributes: Arc<Attributes>) -> Object {
    let mut etag = ETag::of_content(&rope);
    if matches!(attributes.encryption, Encryption::Kms { .. }) {
        etag = etag.encrypted(model.next_number());
    }
    Object {
        rope,
        etag,
        modified_s: model.clock.now_s(),
        version: VersionId::NULL,
        attributes,
    }
}

/// One shared value for the many objects that have no attributes of their own.
pub(crate) fn share(attributes: Attributes) -> Arc<Attributes> {
    let plain = attributes.system.is_empty()
        && attributes.metadata.is_empty()
        && attributes.tags.is_empty()
        && attributes.annotations.is_empty()
        && attributes.storage_class == StorageClass::Standard
        && attributes.encryption == Encryption::S3Managed
        && attributes.checksum.is_none()
        && attributes.parts.is_none();
    if plain {
        PLAIN_ATTRIBUTES.clone()
    } else {
        Arc::new(attributes)
    }
}

/// What the headers of an upload say about the object.
pub(crate) fn attributes(bucket: &RwLock<Bucket>, call: &Call<'_>) -> Result<Attributes, S3Error> {
    check_acl(call)?;
    Ok(Attributes {
        system: system_headers(call)?,
        metadata: metadata(call.headers)?,
        tags: parse_tag_header(call.header("x-amz-tagging")?.unwrap_or(""))?,
        storage_class: storage_class(call)?,
        encryption: match encryption(call)? {
            Some(asked) => asked,
            None => read(bucket).default_encryption.clone(),
        },
        ..Attributes::default()
    })
}

/// Buckets are owner-enforced, as new ones are: no ACL but the owner's is taken.
fn check_acl(call: &Call<'_>) -> Result<(), S3Error> {
    let grants = call
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("x-amz-grant-"));
    let canned = call
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

pub(crate) fn system_headers(call: &Call<'_>) -> Result<BTreeMap<&'static str, String>, S3Error> {
    let mut system = BTreeMap::new();
    for name in SYSTEM_HEADERS {
        let Some(value) = call.header(name)? else {
            continue;
        };
        let value = if name == "content-encoding" {
            without_chunking(value)
        } else {
            value.to_owned()
        };
        if !value.is_empty() {
            system.insert(name, value);
        }
    }
    Ok(system)
}

/// `aws-chunked` says how the request was sent, not how the object is encoded.
fn without_chunking(encoding: &str) -> String {
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty() && *token != "aws-chunked")
        .collect();
    kept.join(",")
}

pub(crate) fn metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>, S3Error> {
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
        joined.push_str(value);
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

pub(crate) fn storage_class(call: &Call<'_>) -> Result<StorageClass, S3Error> {
    call.header("x-amz-storage-class")?
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

/// The encryption that a request asks for.
fn encryption(call: &Call<'_>) -> Result<Option<Encryption>, S3Error> {
    if call
        .headers
        .contains_key("x-amz-server-side-encryption-customer-algorithm")
    {
        return Err(S3Error::access_denied(
            "The bucket does not allow server-side encryption with customer keys",
        ));
    }
    match call.header("x-amz-server-side-encryption")? {
        None => Ok(None),
        Some("AES256") => Ok(Some(Encryption::S3Managed)),
        Some("aws:kms") => Ok(Some(Encryption::Kms {
            key_id: call
                .header("x-amz-server-side-encryption-aws-kms-key-id")?
                .unwrap_or("arn:aws:kms:us-east-1:111111111111:alias/aws/s3")
                .to_owned(),
            bucket_key: call.header("x-amz-server-side-encryption-bucket-key-enabled")?
                == Some("true"),
        })),
        Some(other) => Err(S3Error::invalid_argument(
            "x-amz-server-side-encryption",
            other,
            "The encryption method specified is not supported",
        )),
    }
}

/// Verifies every digest that came with the body and gives the checksum to store: the one that
/// was sent, or one of `algorithm` where an upload asks for it.
pub(crate) fn verify_body(
    call: &Call<'_>,
    algorithm: Option<ChecksumAlgorithm>,
) -> Result<Option<Checksum>, S3Error> {
    verify_md5(call)?;
    verify_payload_hash(call)?;
    let mut sent = None;
    for candidate in ChecksumAlgorithm::ALL {
        let Some(value) = call.header_or_trailer(candidate.header())? else {
            continue;
        };
        if sent.replace((candidate, value)).is_some() {
            return Err(S3Error::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
    }
    if let (Some((found, _)), Some(wanted)) = (sent, algorithm)
        && found != wanted
    {
        return Err(S3Error::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            wanted.name().to_lowercase(),
            found.name().to_lowercase()
        )));
    }
    let Some((found, value)) = sent else {
        let rope = Rope::literal(call.body.clone());
        return Ok(algorithm.map(|algorithm| Checksum::full(algorithm, &rope)));
    };
    let checksum = Checksum {
        algorithm: found,
        kind: crate::digest::ChecksumKind::FullObject,
        value: found.of_bytes(&call.body),
        parts: 0,
    };
    if checksum.text() != value {
        return Err(S3Error::new(
            ErrorCode::BadDigest,
            format!(
                "The {} you specified did not match the calculated checksum.",
                found.name()
            ),
        ));
    }
    Ok(Some(checksum))
}

fn verify_md5(call: &Call<'_>) -> Result<(), S3Error> {
    let Some(sent) = call.header("content-md5")? else {
        return Ok(());
    };
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(sent)
        .ok()
        .filter(|bytes| bytes.len() == 16);
    let Some(decoded) = decoded else {
        return Err(S3Error::new(
            ErrorCode::InvalidDigest,
            "The Content-MD5 you specified was invalid.",
        ));
    };
    if decoded != ETag::of_content(&Rope::literal(call.body.clone())).digest() {
        return Err(S3Error::new(
            ErrorCode::BadDigest,
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    Ok(())
}

fn verify_payload_hash(call: &Call<'_>) -> Result<(), S3Error> {
    let Some(sent) = call.header("x-amz-content-sha256")? else {
        return Ok(());
    };
    if sent.starts_with("UNSIGNED-") || sent.starts_with("STREAMING-") {
        return Ok(());
    }
    let computed = Sha256::digest(&call.body);
    let text: String = computed.iter().map(|byte| format!("{byte:02x}")).collect();
    if sent != text {
        return Err(S3Error::new(
            ErrorCode::XAmzContentSHA256Mismatch,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
        .detail("ClientComputedContentSHA256", sent)
        .detail("S3ComputedContentSHA256", text));
    }
    Ok(())
}
