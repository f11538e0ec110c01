//! The attributes of a copy.

use super::copy_source::CopySource;
use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::lock::read;
use crate::operations::guard::addressed_bucket;
use crate::operations::request::Request;
use crate::operations::tagging::tag_set;
use crate::operations::written_attributes::{self, metadata, system_headers};
use crate::protocol::error::S3Error;
use crate::state::ServerState;
use crate::storage::attributes::{Annotations, Attributes};
use crate::storage::object::Object;

const REDIRECT_HEADER: &str = "x-amz-website-redirect-location";

/// Whether a copy keeps something of its source or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Copy,
    /// `REPLACE`, or `EXCLUDE` for annotations.
    Replace,
}

impl Directive {
    /// Reads a directive header. The default is `COPY`, and `other` is the alternative.
    fn read(request: &Request<'_>, name: &'static str, other: &str) -> Result<Self, S3Error> {
        match request.header(name)? {
            None | Some("COPY") => Ok(Self::Copy),
            Some(value) if value == other => Ok(Self::Replace),
            Some(value) => Err(S3Error::invalid_argument(name, value, "Unknown directive.")),
        }
    }
}

/// The directives of a copy.
struct Directives {
    metadata: Directive,
    tags: Directive,
    annotations: Directive,
}

/// Determines the attributes of a copy. By default it keeps the metadata, tags and annotations of
/// its source and the algorithm of the checksum, but never the storage class or the encryption.
pub(super) fn copied_attributes(
    server: &ServerState,
    request: &Request<'_>,
    source: &CopySource,
) -> Result<Attributes, S3Error> {
    let original = &source.object.attributes;
    let mut directives = Directives {
        metadata: Directive::read(request, "x-amz-metadata-directive", "REPLACE")?,
        tags: Directive::read(request, "x-amz-tagging-directive", "REPLACE")?,
        annotations: Directive::read(request, "x-amz-object-annotation-directive", "EXCLUDE")?,
    };
    if original.annotations.is_empty() {
        directives.annotations = Directive::Replace;
    }
    let bucket = addressed_bucket(server, request)?;
    let is_default_kms = read(&bucket).default_encryption.is_kms();
    check_changes_itself(request, source, directives.metadata, is_default_kms)?;
    // Invalid headers are refused even if the source's attributes replace them.
    let sent = written_attributes::attributes(&bucket, request)?;
    authorize_source(server, request, source, &directives)?;
    let (system, metadata) = match directives.metadata {
        Directive::Replace => (system_headers(request), metadata(request.headers)?),
        Directive::Copy => {
            let mut system = original.system.clone();
            // S3 does not copy the redirect, and takes the one that the request states.
            system.remove(REDIRECT_HEADER);
            let stated = system_headers(request).remove_entry(REDIRECT_HEADER);
            system.extend(stated);
            (system, original.metadata.clone())
        }
    };
    let tags = match directives.tags {
        Directive::Replace => tag_set::from_header(request.header("x-amz-tagging")?.unwrap_or(""))?,
        Directive::Copy => original.tags.clone(),
    };
    Ok(Attributes {
        system,
        metadata,
        tags,
        annotations: match directives.annotations {
            Directive::Replace => Annotations::new(),
            Directive::Copy => original.annotations.clone(),
        },
        storage_class: sent.storage_class,
        encryption: sent.encryption,
        checksum: copied_checksum(request, &source.object)?,
        ..Attributes::default()
    })
}

/// Refuses a copy of tags or annotations that the caller may not read.
fn authorize_source(
    server: &ServerState,
    request: &Request<'_>,
    source: &CopySource,
    directives: &Directives,
) -> Result<(), S3Error> {
    let has_tags = !source.object.attributes.tags.is_empty();
    if directives.tags == Directive::Copy && has_tags {
        let action = if source.named_version {
            "s3:GetObjectVersionTagging"
        } else {
            "s3:GetObjectTagging"
        };
        source.authorize(server, request, action)?;
    }
    if directives.annotations == Directive::Copy {
        source.authorize(server, request, "s3:GetObjectAnnotation")?;
    }
    Ok(())
}

/// Refuses a copy of an object onto itself that changes nothing. What counts is that a header is
/// there, not that its value differs (facts 7 to 10). A bucket with a default encryption of its own
/// takes the copy without any (fact 11).
fn check_changes_itself(
    request: &Request<'_>,
    source: &CopySource,
    metadata: Directive,
    is_default_kms: bool,
) -> Result<(), S3Error> {
    let itself =
        source.bucket == request.bucket && source.key == request.key && !source.named_version;
    let changes = metadata == Directive::Replace
        || is_default_kms
        || [
            "x-amz-storage-class",
            "x-amz-server-side-encryption",
            REDIRECT_HEADER,
        ]
        .iter()
        .any(|name| request.headers.contains_key(*name));
    if itself && !changes {
        return Err(S3Error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(())
}

/// Determines the checksum of a copy. It covers the whole content, with the requested algorithm or
/// that of the source. `None` stands for the CRC64NVME that S3 adds.
fn copied_checksum(request: &Request<'_>, original: &Object) -> Result<Option<Checksum>, S3Error> {
    let requested = request.header("x-amz-checksum-algorithm")?.map(|name| {
        ChecksumAlgorithm::parse(name)
            .ok_or_else(|| S3Error::invalid_request("Checksum algorithm provided is unsupported."))
    });
    let stored = original.attributes.checksum.as_ref();
    match (requested.transpose()?, stored) {
        (None, None) => Ok(None),
        (None, Some(stored)) if stored.kind == ChecksumKind::FullObject => Ok(Some(stored.clone())),
        (None, Some(stored)) => Ok(Some(Checksum::full(stored.algorithm, &original.rope))),
        (Some(algorithm), _) => Ok(Some(Checksum::full(algorithm, &original.rope))),
    }
}
