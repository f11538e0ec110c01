//! Listing keys, page by page: ListObjectsV2 and ListObjects.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::access::authorize;
use crate::bucket::{Bucket, Entry, successor};
use crate::clock::write_iso;
use crate::digest::{ChecksumKind, ETag};
use crate::error::S3Error;
use crate::lock::read;
use crate::model::Inner;
use crate::object::{Object, StorageClass};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::{Call, Query};
use crate::xml::{KeyEncoding, Xml};

/// A page holds at most 1,000 keys and common prefixes.
pub(crate) const PAGE_KEYS_MAX: u32 = 1000;
/// Room for one entry: some 220 bytes around the key.
pub(crate) const ENTRY_BYTES: usize = 320;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// After this key.
    AfterKey(Vec<u8>),
    /// After every key that begins with this common prefix.
    AfterPrefix(Vec<u8>),
}

/// What a page is asked for.
pub(crate) struct Page<'a> {
    pub(crate) prefix: &'a [u8],
    pub(crate) delimiter: &'a [u8],
    pub(crate) start: Option<Start>,
    pub(crate) keys_max: u32,
    pub(crate) encoding: KeyEncoding,
    pub(crate) with_owner: bool,
}

/// The entries of a page, already written.
pub(crate) struct Entries {
    pub(crate) xml: Vec<u8>,
    pub(crate) count: u32,
    /// Where the next page begins, when there is one.
    pub(crate) next: Option<Start>,
}

impl Start {
    /// The continuation token: opaque to clients, checked when it comes back.
    fn token(&self) -> String {
        let (kind, text) = match self {
            Self::AfterKey(key) => (b'k', key),
            Self::AfterPrefix(prefix) => (b'p', prefix),
        };
        let mut raw = vec![b'1', kind];
        raw.extend_from_slice(text);
        URL_SAFE_NO_PAD.encode(raw)
    }

    fn from_token(token: &str) -> Result<Self, S3Error> {
        let invalid = || {
            S3Error::invalid_argument(
                "continuation-token",
                token,
                "The continuation token provided is incorrect",
            )
        };
        let raw = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        match raw.as_slice() {
            [b'1', b'k', key @ ..] => Ok(Self::AfterKey(key.to_vec())),
            [b'1', b'p', prefix @ ..] => Ok(Self::AfterPrefix(prefix.to_vec())),
            _ => Err(invalid()),
        }
    }

    fn text(&self) -> &[u8] {
        match self {
            Self::AfterKey(text) | Self::AfterPrefix(text) => text,
        }
    }
}

/// Where in the key space a listing looks, for the limits of its partition.
pub(crate) fn position(query: Query<'_>) -> Result<Vec<u8>, S3Error> {
    if let Some(token) = query.get("continuation-token")?
        && let Ok(start) = Start::from_token(&token)
    {
        return Ok(start.text().to_vec());
    }
    let prefix = query.get("prefix")?.unwrap_or_default();
    let after = query.get("start-after")?.unwrap_or_default();
    Ok(prefix.max(after).into_owned().into_bytes())
}

pub(crate) fn encoding(call: &Call<'_>) -> Result<KeyEncoding, S3Error> {
    match call.query.get("encoding-type")?.as_deref() {
        None => Ok(KeyEncoding::Xml),
        Some("url") => Ok(KeyEncoding::Url),
        Some(other) => Err(S3Error::invalid_argument(
            "encoding-type",
            other,
            "Invalid Encoding Method specified in Request",
        )),
    }
}

/// ListObjectsV2 and ListObjects.
pub(crate) fn list_objects(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(&state, &call.caller, "s3:ListBucket", call.bucket, "")?;
    let second = call.operation == Operation::ListObjectsV2;
    if second && call.query.get("list-type")?.as_deref() != Some("2") {
        return Err(S3Error::invalid_argument(
            "list-type",
            "",
            "Invalid list-type",
        ));
    }
    let text = |name: &str| call.query.get(name).map(Option::unwrap_or_default);
    let (prefix, delimiter) = (text("prefix")?, text("delimiter")?);
    let (after, token) = if second {
        (text("start-after")?, text("continuation-token")?)
    } else {
        (text("marker")?, "".into())
    };
    let keys_max = call
        .query
        .number("max-keys", i32::MAX.unsigned_abs())?
        .unwrap_or(PAGE_KEYS_MAX)
        .min(PAGE_KEYS_MAX);
    let start = match (token.is_empty(), after.is_empty()) {
        (false, _) => Some(Start::from_token(&token)?),
        (true, true) if call.query.has("continuation-token") => Some(Start::from_token("")?),
        (true, true) => None,
        // The NextMarker of the first version may be a common prefix: all of it is over then.
        (true, false) if !second && !delimiter.is_empty() && after.ends_with(&*delimiter) => {
            Some(Start::AfterPrefix(after.as_bytes().to_vec()))
        }
        (true, false) => Some(Start::AfterKey(after.as_bytes().to_vec())),
    };
    let page = Page {
        prefix: prefix.as_bytes(),
        delimiter: delimiter.as_bytes(),
        start,
        keys_max,
        encoding: encoding(call)?,
        with_owner: !second || call.query.get("fetch-owner")?.as_deref() == Some("true"),
    };
    let entries = walk(&state, &page);
    let mut xml = Xml::result("ListBucketResult", 1024 + entries.xml.len());
    xml.text("Name", call.bucket);
    xml.key("Prefix", page.prefix, page.encoding);
    if second {
        if !token.is_empty() {
            xml.text("ContinuationToken", &token);
        }
        if !after.is_empty() {
            xml.key("StartAfter", after.as_bytes(), page.encoding);
        }
        if let Some(next) = &entries.next {
            xml.text("NextContinuationToken", &next.token());
        }
        xml.number("KeyCount", u64::from(entries.count));
    } else {
        xml.key("Marker", after.as_bytes(), page.encoding);
        if let (Some(next), false) = (&entries.next, delimiter.is_empty()) {
            xml.key("NextMarker", next.text(), page.encoding);
        }
    }
    finish_page(xml, &page, &entries, "ListBucketResult")
}

/// The elements that all listings end their head with, and the entries.
pub(crate) fn finish_page(
    mut xml: Xml,
    page: &Page<'_>,
    entries: &Entries,
    root: &str,
) -> Result<Reply, S3Error> {
    xml.number("MaxKeys", u64::from(page.keys_max));
    if !page.delimiter.is_empty() {
        xml.key("Delimiter", page.delimiter, page.encoding);
    }
    if page.encoding == KeyEncoding::Url {
        xml.text("EncodingType", "url");
    }
    xml.boolean("IsTruncated", entries.next.is_some());
    xml.raw(&entries.xml);
    let mut reply = Reply::xml(xml.finish(root));
    reply.listed = u64::from(entries.count);
    Ok(reply)
}

/// Writes the entries of a page.
fn walk(bucket: &Bucket, page: &Page<'_>) -> Entries {
    let mut cursor = start_cursor(bucket, page);
    let mut xml = Xml::result("x", 64 + ENTRY_BYTES * page.keys_max as usize);
    xml.buffer().clear();
    let mut prefixes: Vec<Vec<u8>> = Vec::new();
    let (mut count, mut last, mut next) = (0, None, None);
    while let Some(entry) = cursor.as_mut().and_then(crate::bucket::Cursor::advance) {
        let Some(walking) = cursor.as_mut() else {
            break;
        };
        let key = walking.key();
        if !key.starts_with(page.prefix) {
            break;
        }
        if count == page.keys_max {
            next = last;
            break;
        }
        count += 1;
        if let Some(end) = rolled_up(key, page) {
            let common = key[..end].to_vec();
            match successor(&common) {
                Some(beyond) => walking.seek(&beyond),
                None => cursor = None,
            }
            last = Some(Start::AfterPrefix(common.clone()));
            prefixes.push(common);
            continue;
        }
        write_entry(&mut xml, key, &entry, page, &bucket.owner);
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
        xml: std::mem::take(xml.buffer()),
        count,
        next,
    }
}

fn start_cursor<'a>(bucket: &'a Bucket, page: &Page<'_>) -> Option<crate::bucket::Cursor<'a>> {
    match &page.start {
        Some(Start::AfterKey(key)) if key.as_slice() >= page.prefix => {
            Some(bucket.cursor(key, false))
        }
        Some(Start::AfterPrefix(prefix)) if prefix.as_slice() >= page.prefix => {
            successor(prefix).map(|beyond| bucket.cursor(&beyond, true))
        }
        _ => Some(bucket.cursor(page.prefix, true)),
    }
}

/// Where the common prefix of a key ends, if it rolls up into one.
fn rolled_up(key: &[u8], page: &Page<'_>) -> Option<usize> {
    let delimiter = page.delimiter;
    if delimiter.is_empty() {
        return None;
    }
    let rest = &key[page.prefix.len()..];
    rest.windows(delimiter.len())
        .position(|window| window == delimiter)
        .map(|at| page.prefix.len() + at + delimiter.len())
}

fn write_entry(xml: &mut Xml, key: &[u8], entry: &Entry<'_>, page: &Page<'_>, owner: &str) {
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
    write_facts(xml, modified_s, etag);
    if let Entry::Stored(object) = entry {
        write_checksum_kind(xml, object);
    }
    xml.raw(b"<Size>");
    xml.raw(itoa::Buffer::new().format(size).as_bytes());
    xml.raw(b"</Size><StorageClass>");
    xml.raw(class.name().as_bytes());
    xml.raw(b"</StorageClass>");
    if page.with_owner {
        write_owner(xml, owner);
    }
    xml.raw(b"</Contents>");
}

pub(crate) fn write_facts(xml: &mut Xml, modified_s: u64, etag: ETag) {
    xml.raw(b"<LastModified>");
    write_iso(modified_s, xml.buffer());
    xml.raw(b"</LastModified><ETag>&quot;");
    etag.write(xml.buffer());
    xml.raw(b"&quot;</ETag>");
}

pub(crate) fn write_checksum_kind(xml: &mut Xml, object: &Object) {
    let (algorithm, kind) = object
        .attributes
        .checksum
        .as_ref()
        .map_or(("CRC64NVME", ChecksumKind::FullObject), |checksum| {
            (checksum.algorithm.name(), checksum.kind)
        });
    xml.text("ChecksumAlgorithm", algorithm);
    xml.text("ChecksumType", kind.name());
}

pub(crate) fn write_owner(xml: &mut Xml, owner: &str) {
    xml.open("Owner");
    xml.text("ID", owner);
    xml.close("Owner");
}
