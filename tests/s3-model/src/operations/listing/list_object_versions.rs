//! ListObjectVersions.

use std::borrow::Cow;
use std::ops::Bound;

use super::entry_xml::{write_checksum_kind, write_date_and_etag, write_owner};
use super::page::{ENTRY_BYTES, Entries, PAGE_KEYS_MAX, Page, encoding, finish_page};
use super::start::Start;
use crate::access::principal::canonical_id;
use crate::date::iso;
use crate::lock::read;
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::lookup::parse_version;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::bucket::Bucket;
use crate::storage::object::VersionId;
use crate::storage::version::Version;

/// One version in a listing.
struct ListedVersion<'a> {
    key: Cow<'a, [u8]>,
    is_latest: bool,
    version: Cow<'a, Version>,
}

/// ListObjectVersions, with the newest version of each key first.
pub(crate) fn list_object_versions(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:ListBucketVersions")?;
    let query = request.query;
    if state.space.is_some() && !state.slots.is_empty() {
        return Err(not_implemented(
            "The S3 model lists the versions of a key space only as long as nobody wrote over it.",
        ));
    }
    let prefix = query.text("prefix")?;
    let (marker, version_marker) = (query.text("key-marker")?, query.text("version-id-marker")?);
    if marker.is_empty() && !version_marker.is_empty() {
        return Err(S3Error::invalid_argument(
            "version-id-marker",
            &version_marker,
            "A version-id marker cannot be specified without a key marker.",
        ));
    }
    let version = match &*version_marker {
        "" => None,
        id => Some(parse_version(id)?),
    };
    if !query.text("delimiter")?.is_empty() {
        return Err(not_implemented(
            "The S3 model lists versions without a delimiter only.",
        ));
    }
    let page = Page {
        prefix: prefix.as_bytes(),
        delimiter: b"",
        start: None,
        keys_max: query.page_size("max-keys", PAGE_KEYS_MAX)?,
        encoding: encoding(request)?,
        with_owner: true,
        with_restore_status: false,
    };
    let all = if state.space.is_some() {
        versions_of_space(&state, page.prefix, marker.as_bytes())
    } else {
        versions(&state, page.prefix, marker.as_bytes(), version)
    };
    let listed = &all[..all.len().min(page.keys_max as usize)];
    let is_truncated = all.len() > listed.len();
    let mut xml = Xml::result("ListVersionsResult", 1024 + ENTRY_BYTES * listed.len());
    xml.text("Name", request.bucket);
    xml.key("Prefix", page.prefix, page.encoding);
    xml.key("KeyMarker", marker.as_bytes(), page.encoding);
    xml.text("VersionIdMarker", &version_marker);
    if let (true, Some(last)) = (is_truncated, listed.last()) {
        xml.key("NextKeyMarker", &last.key, page.encoding);
        xml.text("NextVersionIdMarker", &last.version.id().to_string());
    }
    let entries = Entries {
        xml: entries(listed, &page, &canonical_id(&state.owner)),
        count: u32::try_from(listed.len()).unwrap_or(PAGE_KEYS_MAX),
        next: is_truncated.then(|| Start::AfterKey(Vec::new())),
    };
    Ok(finish_page(xml, &page, &entries, "ListVersionsResult"))
}

fn not_implemented(message: &'static str) -> S3Error {
    S3Error::new(ErrorCode::NotImplemented, message)
}

/// Returns the versions of a page and at least one more, if there are more. The page begins after
/// a key and one of its versions.
fn versions<'a>(
    bucket: &'a Bucket,
    prefix: &[u8],
    marker: &[u8],
    version_marker: Option<VersionId>,
) -> Vec<ListedVersion<'a>> {
    let first = Bound::Included(marker.max(prefix));
    let mut found = Vec::new();
    for (key, slot) in bucket.slots.range::<[u8], _>((first, Bound::Unbounded)) {
        if !key.starts_with(prefix) || found.len() > PAGE_KEYS_MAX as usize {
            break;
        }
        let mut listed: Vec<_> = slot
            .newest_first()
            .enumerate()
            .map(|(age, version)| ListedVersion {
                key: Cow::Borrowed(key),
                is_latest: age == 0,
                version: Cow::Borrowed(version),
            })
            .collect();
        if **key == *marker && !marker.is_empty() {
            match version_marker {
                None => listed.clear(),
                Some(id) => {
                    let at = listed.iter().position(|listed| listed.version.id() == id);
                    listed.drain(..at.map_or(0, |at| at + 1));
                }
            }
        }
        found.extend(listed);
    }
    found
}

/// Returns the versions of a page over a key space, of whose keys each has one, and at least one more, if there are more.
fn versions_of_space<'a>(bucket: &Bucket, prefix: &[u8], marker: &[u8]) -> Vec<ListedVersion<'a>> {
    let mut cursor = if marker >= prefix && !marker.is_empty() {
        bucket.cursor_after(marker)
    } else {
        bucket.cursor_from(prefix)
    };
    let mut found = Vec::new();
    while found.len() <= PAGE_KEYS_MAX as usize && cursor.advance().is_some() {
        let key = cursor.key();
        if !key.starts_with(prefix) {
            break;
        }
        found.extend(bucket.newest(key).map(|version| ListedVersion {
            key: Cow::Owned(key.to_vec()),
            is_latest: true,
            version: Cow::Owned(version),
        }));
    }
    found
}

fn entries(listed: &[ListedVersion<'_>], page: &Page<'_>, owner: &str) -> Vec<u8> {
    let mut xml = Xml::fragment(ENTRY_BYTES * listed.len());
    for entry in listed {
        write_version(&mut xml, entry, page, owner);
    }
    xml.into_bytes()
}

fn write_version(xml: &mut Xml, listed: &ListedVersion<'_>, page: &Page<'_>, owner: &str) {
    let element = match &*listed.version {
        Version::Object(_) => "Version",
        Version::DeleteMarker { .. } => "DeleteMarker",
    };
    xml.open(element);
    xml.key("Key", &listed.key, page.encoding);
    xml.text("VersionId", &listed.version.id().to_string());
    xml.boolean("IsLatest", listed.is_latest);
    match &*listed.version {
        Version::Object(object) => {
            write_date_and_etag(xml, object.modified_s, object.etag);
            write_checksum_kind(xml, object);
            xml.number("Size", object.size());
            xml.text("StorageClass", object.attributes.storage_class.name());
        }
        Version::DeleteMarker { modified_s, .. } => xml.text("LastModified", &iso(*modified_s)),
    }
    write_owner(xml, owner);
    xml.close(element);
}
