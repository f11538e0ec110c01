//! CopyObject, and finding the source of a copy.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::access::{authorize, check_owner, readable};
use crate::annotation::Annotations;
use crate::bucket::Versioning;
use crate::conditions::{check_copy_source, check_write};
use crate::digest::{ChecksumAlgorithm, ChecksumKind};
use crate::error::S3Error;
use crate::get::{archived, encryption_headers, modified_text};
use crate::lock::{read, write};
use crate::model::Inner;
use crate::object::{Attributes, Checksum, Encryption, Object};
use crate::put::{
    UPLOAD_BYTES_MAX, authorize_write, metadata, object, share, storage_class, system_headers,
};
use crate::reply::Reply;
use crate::request::{Call, check_key};
use crate::tagging::parse_tag_header;
use crate::xml::Xml;

/// What a copy reads.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) object: Arc<Object>,
    pub(crate) region: String,
    /// The id of the version, where the source bucket has versions.
    pub(crate) version: Option<String>,
    /// Whether the request named a version.
    pub(crate) named_version: bool,
}

/// The three parts of a decoded `x-amz-copy-source`.
#[derive(Debug, PartialEq, Eq)]
struct SourceName {
    bucket: String,
    key: String,
    version: Option<String>,
}

fn invalid_source(header: &str, message: &'static str) -> S3Error {
    S3Error::invalid_argument("x-amz-copy-source", header, message)
}

/// Reads the header, which must be URL-encoded: S3 decodes it, `+` to a space included, so a raw
/// key with such characters names another object or none.
fn parse_source(header: &str) -> Result<SourceName, S3Error> {
    const ENCODING: &str = "Invalid copy source encoding.";
    let bytes = header.as_bytes();
    let raw = bytes.iter().any(|byte| !byte.is_ascii_graphic());
    let cut_escape = header
        .split('%')
        .skip(1)
        .any(|rest| rest.len() < 2 || !rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit));
    if raw || cut_escape {
        return Err(invalid_source(header, ENCODING));
    }
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_owned())),
        None => (header, None),
    };
    let spaced = path.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| invalid_source(header, ENCODING))?;
    let decoded = decoded.strip_prefix('/').unwrap_or(&decoded);
    match decoded.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            check_key(key)?;
            Ok(SourceName {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                version,
            })
        }
        _ => Err(invalid_source(
            header,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )),
    }
}

/// Finds what a copy reads, and refuses what may not or cannot be copied.
pub(crate) fn source(model: &Inner, call: &Call<'_>) -> Result<Source, S3Error> {
    let header = call.header("x-amz-copy-source")?.unwrap_or("");
    let name = parse_source(header)?;
    let bucket = model.find_bucket(&name.bucket)?;
    let state = read(&bucket);
    check_owner(&state, call.header("x-amz-source-expected-bucket-owner")?)?;
    let action = if name.version.is_some() {
        "s3:GetObjectVersion"
    } else {
        "s3:GetObject"
    };
    authorize(&state, &call.caller, action, &name.bucket, &name.key)?;
    let object = readable(
        &state,
        &call.caller,
        &name.bucket,
        &name.key,
        name.version.as_deref(),
    )?;
    check_copy_source(call, &object)?;
    if object.is_archived() {
        return Err(archived(&object));
    }
    let version = (state.versioning != Versioning::Off).then(|| object.version.to_string());
    let named_version = name.version.is_some();
    Ok(Source {
        bucket: name.bucket,
        key: name.key,
        object,
        region: state.region.clone(),
        version,
        named_version,
    })
}

impl Source {
    /// Refuses who may not do this with the source object.
    fn authorize(&self, model: &Inner, call: &Call<'_>, action: &str) -> Result<(), S3Error> {
        let bucket = model.find_bucket(&self.bucket)?;
        authorize(
            &read(&bucket),
            &call.caller,
            action,
            &self.bucket,
            &self.key,
        )
    }

    /// Refuses a source that is too large to be copied at once.
    pub(crate) fn check_size(&self) -> Result<(), S3Error> {
        if self.object.size() > UPLOAD_BYTES_MAX {
            return Err(S3Error::invalid_request(format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {UPLOAD_BYTES_MAX}"
            )));
        }
        Ok(())
    }
}

/// CopyObject.
pub(crate) fn copy_object(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let source = source(model, call)?;
    source.check_size()?;
    let attributes = copied_attributes(model, call, &source)?;
    let mut state = write(&bucket);
    authorize_write(&state, call, &attributes)?;
    check_write(call, state.current(call.key.as_bytes()).as_deref())?;
    let copy = copied_object(model, &source, share(attributes));
    let mut xml = Xml::result("CopyObjectResult", 512);
    xml.text("ETag", &copy.etag.quoted());
    xml.text("LastModified", &modified_text(&copy));
    let checksum = copy.checksum();
    xml.text("ChecksumType", checksum.kind.name());
    xml.text(checksum.algorithm.element(), &checksum.text());
    let mut reply = Reply::xml(xml.finish("CopyObjectResult"));
    encryption_headers(&mut reply, &copy.attributes.encryption);
    reply.copied_bytes = copy.size();
    reply.crossed_bytes = if source.region == state.region {
        0
    } else {
        copy.size()
    };
    if let Some(version) = &source.version {
        reply.text("x-amz-copy-source-version-id", version);
    }
    let version = state.put(call.key, copy);
    if state.versioning != Versioning::Off {
        reply.text("x-amz-version-id", &version.to_string());
    }
    Ok(reply)
}

/// The copy before it is stored. Its tag is taken over where S3 would compute the same one.
fn copied_object(model: &Inner, source: &Source, attributes: Arc<Attributes>) -> Object {
    let original = &source.object;
    let same_tag = original.attributes.parts.is_none()
        && original.attributes.encryption == Encryption::S3Managed
        && attributes.encryption == Encryption::S3Managed;
    if same_tag {
        return Object {
            etag: original.etag,
            modified_s: model.clock.now_s(),
            attributes,
            rope: original.rope.clone(),
            version: original.version,
        };
    }
    object(model, original.rope.clone(), attributes)
}

/// A directive header: COPY unless it says REPLACE.
fn replaces(call: &Call<'_>, name: &'static str) -> Result<bool, S3Error> {
    match call.header(name)? {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::invalid_argument(name, other, "Unknown directive.")),
    }
}

/// What the copy gets: metadata and tags of the source by default, storage class and encryption
/// never, the checksum's algorithm unless another is asked for.
fn copied_attributes(
    model: &Inner,
    call: &Call<'_>,
    source: &Source,
) -> Result<Attributes, S3Error> {
    let original = &source.object.attributes;
    let replaces_metadata = replaces(call, "x-amz-metadata-directive")?;
    let replaces_tags = replaces(call, "x-amz-tagging-directive")?;
    let takes_annotations = takes_annotations(call)? && !original.annotations.is_empty();
    check_changes_itself(call, source, replaces_metadata)?;
    // The headers of the request are read for their refusals even where the source's count.
    let sent = crate::put::attributes(&*model.bucket(call)?, call)?;
    if !replaces_tags && !original.tags.is_empty() {
        let action = if source.named_version {
            "s3:GetObjectVersionTagging"
        } else {
            "s3:GetObjectTagging"
        };
        source.authorize(model, call, action)?;
    }
    if takes_annotations {
        source.authorize(model, call, "s3:GetObjectAnnotation")?;
    }
    let (system, metadata) = if replaces_metadata {
        (system_headers(call)?, metadata(call.headers)?)
    } else {
        let mut system = original.system.clone();
        // S3 does not take the redirect along.
        system.remove("x-amz-website-redirect-location");
        (system, original.metadata.clone())
    };
    let tags = if replaces_tags {
        parse_tag_header(call.header("x-amz-tagging")?.unwrap_or(""))?
    } else {
        original.tags.clone()
    };
    Ok(Attributes {
        system,
        metadata,
        tags,
        annotations: if takes_annotations {
            original.annotations.clone()
        } else {
            Annotations::new()
        },
        storage_class: sent.storage_class,
        encryption: sent.encryption,
        checksum: copied_checksum(call, &source.object)?,
        ..Attributes::default()
    })
}

/// Annotations are taken along unless the request says otherwise.
fn takes_annotations(call: &Call<'_>) -> Result<bool, S3Error> {
    const NAME: &str = "x-amz-object-annotation-directive";
    match call.header(NAME)? {
        None | Some("COPY") => Ok(true),
        Some("EXCLUDE") => Ok(false),
        Some(other) => Err(S3Error::invalid_argument(NAME, other, "Unknown directive.")),
    }
}

fn check_changes_itself(
    call: &Call<'_>,
    source: &Source,
    replaces_metadata: bool,
) -> Result<(), S3Error> {
    let itself = source.bucket == call.bucket && source.key == call.key && !source.named_version;
    let changes = replaces_metadata
        || storage_class(call)? != source.object.attributes.storage_class
        || call.headers.contains_key("x-amz-server-side-encryption")
        || call.headers.contains_key("x-amz-website-redirect-location");
    if itself && !changes {
        return Err(S3Error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(())
}

/// The checksum of the copy, always of the whole content: of the algorithm that is asked for, or
/// of the source's. `None` stands for the CRC64NVME that S3 adds by itself.
fn copied_checksum(call: &Call<'_>, original: &Object) -> Result<Option<Checksum>, S3Error> {
    let asked = call.header("x-amz-checksum-algorithm")?.map(|name| {
        ChecksumAlgorithm::parse(name)
            .ok_or_else(|| S3Error::invalid_request("Checksum algorithm provided is unsupported."))
    });
    let stored = original.attributes.checksum.as_ref();
    match (asked.transpose()?, stored) {
        (None, None) => Ok(None),
        (None, Some(stored)) if stored.kind == ChecksumKind::FullObject => Ok(Some(stored.clone())),
        (None, Some(stored)) => Ok(Some(Checksum::full(stored.algorithm, &original.rope))),
        (Some(algorithm), _) => Ok(Some(Checksum::full(algorithm, &original.rope))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_source_is_decoded_and_must_have_been_encoded() {
        let parsed = parse_source("/b/a%20b%2Bc+d%C3%A9/e?versionId=null").expect("well-formed");
        let expected = SourceName {
            bucket: "b".into(),
            key: "a b+c dé/e".into(),
            version: Some("null".into()),
        };
        assert_eq!(parsed, expected);
        for refused in ["b/a b", "b/é", "b/100%", "b/%zz", "b", "b/", "/b", "b/%ff"] {
            assert!(parse_source(refused).is_err(), "{refused} was accepted");
        }
    }
}
