//! Listing versions: ListObjectVersions.

use crate::access::authorize;
use crate::bucket::{Bucket, Version};
use crate::clock::iso;
use crate::error::{ErrorCode, S3Error};
use crate::listing::{
    ENTRY_BYTES, Entries, PAGE_KEYS_MAX, Page, Start, encoding, finish_page, write_checksum_kind,
    write_facts, write_owner,
};
use crate::lock::read;
use crate::model::Inner;
use crate::object::VersionId;
use crate::reply::Reply;
use crate::request::Call;
use crate::xml::Xml;

/// ListObjectVersions, newest version of each key first.
pub(crate) fn list_object_versions(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:ListBucketVersions",
        call.bucket,
        "",
    )?;
    if state.space.is_some() {
        return Err(S3Error::new(
            ErrorCode::NotImplemented,
            "The S3 model does not list versions over a key space.",
        ));
    }
    let text = |name: &str| call.query.get(name).map(Option::unwrap_or_default);
    let (prefix, marker, version_marker) = (
        text("prefix")?,
        text("key-marker")?,
        text("version-id-marker")?,
    );
    if !text("delimiter")?.is_empty() {
        return Err(S3Error::new(
            ErrorCode::NotImplemented,
            "The S3 model lists versions without a delimiter only.",
        ));
    }
    let keys_max = call
        .query
        .number("max-keys", i32::MAX.unsigned_abs())?
        .unwrap_or(PAGE_KEYS_MAX)
        .min(PAGE_KEYS_MAX);
    let page = Page {
        prefix: prefix.as_bytes(),
        delimiter: b"",
        start: None,
        keys_max,
        encoding: encoding(call)?,
        with_owner: true,
    };
    let all = versions(
        &state,
        page.prefix,
        marker.as_bytes(),
        VersionId::parse(&version_marker),
    );
    let (count, more) = (
        all.len().min(keys_max as usize),
        all.len() > keys_max as usize,
    );
    let mut xml = Xml::result("ListVersionsResult", 1024 + ENTRY_BYTES * count);
    xml.text("Name", call.bucket);
    xml.key("Prefix", page.prefix, page.encoding);
    xml.key("KeyMarker", marker.as_bytes(), page.encoding);
    xml.text("VersionIdMarker", &version_marker);
    if let (true, Some((key, _, version))) = (more, all[..count].last()) {
        xml.key("NextKeyMarker", key, page.encoding);
        xml.text("NextVersionIdMarker", &version.id().to_string());
    }
    let mut entries = Xml::result("x", ENTRY_BYTES * count);
    entries.buffer().clear();
    for (key, latest, version) in &all[..count] {
        write_version(&mut entries, key, *latest, version, &page, &state.owner);
    }
    let next = more.then(|| Start::AfterKey(Vec::new()));
    let count = u32::try_from(count).unwrap_or(PAGE_KEYS_MAX);
    finish_page(
        xml,
        &page,
        &Entries {
            xml: std::mem::take(entries.buffer()),
            count,
            next,
        },
        "ListVersionsResult",
    )
}

/// One page's worth of versions and one more, after a key and one of its versions.
fn versions<'a>(
    bucket: &'a Bucket,
    prefix: &[u8],
    marker: &[u8],
    version_marker: Option<VersionId>,
) -> Vec<(&'a [u8], bool, &'a Version)> {
    let first = marker.max(prefix);
    let mut found = Vec::new();
    for (key, slot) in bucket
        .slots
        .range::<[u8], _>((std::ops::Bound::Included(first), std::ops::Bound::Unbounded))
    {
        if !key.starts_with(prefix) || found.len() > PAGE_KEYS_MAX as usize {
            break;
        }
        let newest_first = slot.current.iter().chain(slot.older.iter().rev());
        let mut listed: Vec<_> = newest_first
            .enumerate()
            .map(|(age, version)| (&**key, age == 0, version))
            .collect();
        if **key == *marker && !marker.is_empty() {
            match version_marker {
                None => listed.clear(),
                Some(id) => {
                    let at = listed.iter().position(|(_, _, version)| version.id() == id);
                    listed.drain(..at.map_or(0, |at| at + 1));
                }
            }
        }
        found.extend(listed);
    }
    found
}

fn write_version(
    xml: &mut Xml,
    key: &[u8],
    latest: bool,
    version: &Version,
    page: &Page<'_>,
    owner: &str,
) {
    let element = if version.object().is_some() {
        "Version"
    } else {
        "DeleteMarker"
    };
    xml.open(element);
    xml.key("Key", key, page.encoding);
    xml.text("VersionId", &version.id().to_string());
    xml.boolean("IsLatest", latest);
    match version {
        Version::Object(object) => {
            write_facts(xml, object.modified_s, object.etag);
            write_checksum_kind(xml, object);
            xml.number("Size", object.size());
            xml.text("StorageClass", object.attributes.storage_class.name());
        }
        Version::DeleteMarker { modified_s, .. } => xml.text("LastModified", &iso(*modified_s)),
    }
    write_owner(xml, owner);
    xml.close(element);
}
