//! Walks the keys of a bucket and writes the entries of a page.

use super::entry_xml::{
    write_checksum_kind, write_date_and_etag, write_owner, write_restore_status,
};
use super::page::{ENTRY_BYTES, Entries, Page};
use super::start::Start;
use crate::access::principal::canonical_id;
use crate::protocol::xml::Xml;
use crate::storage::bucket::Bucket;
use crate::storage::cursor::{Cursor, Entry, successor};
use crate::storage::storage_class::StorageClass;

/// Writes the entries of a page.
pub(super) fn entries(bucket: &Bucket, page: &Page<'_>) -> Entries {
    let mut cursor = start_cursor(bucket, page);
    let owner = page.with_owner.then(|| canonical_id(&bucket.owner));
    let mut xml = Xml::fragment(64 + ENTRY_BYTES * page.keys_max as usize);
    let mut prefixes: Vec<Vec<u8>> = Vec::new();
    let (mut count, mut last, mut next) = (0, None, None);
    while let Some(entry) = cursor.as_mut().and_then(Cursor::advance) {
        let Some(walk) = cursor.as_mut() else {
            break;
        };
        let key = walk.key();
        if !key.starts_with(page.prefix) {
            break;
        }
        if count == page.keys_max {
            next = last;
            break;
        }
        count += 1;
        if let Some(end) = common_prefix_end(key, page) {
            let common = key[..end].to_vec();
            match successor(&common) {
                Some(beyond) => walk.seek(&beyond),
                None => cursor = None,
            }
            last = Some(Start::AfterPrefix(common.clone()));
            prefixes.push(common);
            continue;
        }
        write_entry(&mut xml, key, &entry, page, owner.as_deref());
        if count == page.keys_max {
            last = Some(Start::AfterKey(key.to_vec()));
        }
    }
    for prefix in &prefixes {
        xml.open("CommonPrefixes");
        xml.key("Prefix", prefix, page.encoding);
        xml.close("CommonPrefixes");
    }
    Entries {
        xml: xml.into_bytes(),
        count,
        next,
    }
}

/// Returns a cursor at the start of a page, or `None` if no key can follow.
fn start_cursor<'a>(bucket: &'a Bucket, page: &Page<'_>) -> Option<Cursor<'a>> {
    match &page.start {
        Some(Start::AfterKey(key)) if key.as_slice() >= page.prefix => {
            Some(bucket.cursor_after(key))
        }
        Some(Start::AfterPrefix(prefix)) if prefix.as_slice() >= page.prefix => {
            successor(prefix).map(|beyond| bucket.cursor_from(&beyond))
        }
        _ => Some(bucket.cursor_from(page.prefix)),
    }
}

/// Returns where the common prefix of a key ends, if the key is rolled up.
fn common_prefix_end(key: &[u8], page: &Page<'_>) -> Option<usize> {
    let delimiter = page.delimiter;
    if delimiter.is_empty() {
        return None;
    }
    let rest = &key[page.prefix.len()..];
    rest.windows(delimiter.len())
        .position(|window| window == delimiter)
        .map(|at| page.prefix.len() + at + delimiter.len())
}

fn write_entry(xml: &mut Xml, key: &[u8], entry: &Entry<'_>, page: &Page<'_>, owner: Option<&str>) {
    let (modified_s, etag, size, class) = match entry {
        Entry::Space(object) => (
            object.modified_s,
            object.etag(),
            object.size_bytes,
            StorageClass::Standard,
        ),
        Entry::Stored(object) => (
            object.modified_s,
            object.etag,
            object.size(),
            object.attributes.storage_class,
        ),
    };
    xml.raw(b"<Contents>");
    xml.key("Key", key, page.encoding);
    write_date_and_etag(xml, modified_s, etag);
    if let Entry::Stored(object) = entry {
        write_checksum_kind(xml, object);
    }
    xml.raw(b"<Size>");
    xml.raw(itoa::Buffer::new().format(size).as_bytes());
    xml.raw(b"</Size><StorageClass>");
    xml.raw(class.name().as_bytes());
    xml.raw(b"</StorageClass>");
    if let (true, Entry::Stored(object)) = (page.with_restore_status, entry) {
        write_restore_status(xml, object);
    }
    if let Some(owner) = owner {
        write_owner(xml, owner);
    }
    xml.raw(b"</Contents>");
}
