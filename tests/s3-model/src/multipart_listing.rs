//! ListParts and ListMultipartUploads.

use std::collections::BTreeSet;

use crate::access::authorize;
use crate::clock::iso;
use crate::error::S3Error;
use crate::listing::encoding;
use crate::lock::read;
use crate::model::Inner;
use crate::multipart::{find, upload_id};
use crate::reply::Reply;
use crate::request::Call;
use crate::xml::{KeyEncoding, Xml};

/// Both listings hold at most 1,000 entries a page.
const PAGE_MAX: u32 = 1000;

/// ListParts.
pub(crate) fn list_parts(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:ListMultipartUploadParts",
        call.bucket,
        call.key,
    )?;
    let id = upload_id(call)?;
    let upload = find(&state, call.key, &id)?;
    let marker = call
        .query
        .number("part-number-marker", i32::MAX.unsigned_abs())?
        .unwrap_or(0);
    let max = call
        .query
        .number("max-parts", i32::MAX.unsigned_abs())?
        .unwrap_or(PAGE_MAX)
        .min(PAGE_MAX);
    let mut after = upload
        .parts
        .iter()
        .filter(|(number, _)| u32::from(**number) > marker);
    let page: Vec<_> = after.by_ref().take(max as usize).collect();
    let truncated = after.next().is_some();
    let mut xml = Xml::result("ListPartsResult", 1024 + 300 * page.len());
    xml.text("Bucket", call.bucket);
    xml.text("Key", call.key);
    xml.text("UploadId", &id);
    write_identity(&mut xml, "Initiator", &upload.initiator);
    write_identity(&mut xml, "Owner", &state.owner);
    xml.text("StorageClass", upload.attributes.storage_class.name());
    xml.number("PartNumberMarker", u64::from(marker));
    xml.number(
        "NextPartNumberMarker",
        page.last().map_or(0, |(number, _)| u64::from(**number)),
    );
    xml.number("MaxParts", u64::from(max));
    xml.boolean("IsTruncated", truncated);
    if let Some(algorithm) = upload.algorithm {
        xml.text("ChecksumAlgorithm", algorithm.name());
        xml.text("ChecksumType", upload.kind.name());
    }
    for (number, part) in &page {
        xml.open("Part");
        xml.number("PartNumber", u64::from(**number));
        xml.text("LastModified", &iso(part.modified_s));
        xml.text("ETag", &part.etag.quoted());
        xml.number("Size", part.rope.length());
        if let Some(checksum) = &part.checksum {
            xml.text(checksum.algorithm.element(), &checksum.text());
        }
        xml.close("Part");
    }
    Ok(Reply::xml(xml.finish("ListPartsResult")))
}

fn write_identity(xml: &mut Xml, element: &str, id: &str) {
    xml.open(element);
    xml.text("ID", id);
    xml.close(element);
}

/// ListMultipartUploads: by key, then by upload id.
pub(crate) fn list_multipart_uploads(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:ListBucketMultipartUploads",
        call.bucket,
        "",
    )?;
    let text = |name: &str| call.query.get(name).map(Option::unwrap_or_default);
    let (prefix, delimiter) = (text("prefix")?, text("delimiter")?);
    let (key_marker, id_marker) = (text("key-marker")?, text("upload-id-marker")?);
    let max = call
        .query
        .number("max-uploads", i32::MAX.unsigned_abs())?
        .unwrap_or(PAGE_MAX)
        .min(PAGE_MAX);
    let encoding = encoding(call)?;
    // A marker that is a common prefix stands for everything under it.
    let rolled_marker = !delimiter.is_empty() && key_marker.ends_with(&*delimiter);
    let after = |key: &str, id: &str| {
        if rolled_marker && key.starts_with(&*key_marker) {
            return false;
        }
        key > &*key_marker || (key == &*key_marker && !id_marker.is_empty() && id > &*id_marker)
    };
    let mut prefixes: BTreeSet<&str> = BTreeSet::new();
    let mut page = Vec::new();
    let mut last = ("", "");
    let mut truncated = false;
    let matching = state.uploads.iter().filter(|((key, id), _)| {
        key.starts_with(&*prefix) && (key_marker.is_empty() || after(key, id))
    });
    for ((key, id), upload) in matching {
        let common = rolled_up(key, prefix.len(), &delimiter);
        if common.is_some_and(|common| prefixes.contains(common)) {
            continue;
        }
        if page.len() + prefixes.len() == max as usize {
            truncated = true;
            break;
        }
        match common {
            Some(common) => {
                prefixes.insert(common);
                last = (common, "");
            }
            None => {
                page.push((key, id, upload));
                last = (key, id);
            }
        }
    }
    let mut xml = Xml::result("ListMultipartUploadsResult", 1024 + 400 * page.len());
    xml.text("Bucket", call.bucket);
    xml.key("KeyMarker", key_marker.as_bytes(), encoding);
    xml.text("UploadIdMarker", &id_marker);
    if truncated {
        xml.key("NextKeyMarker", last.0.as_bytes(), encoding);
        xml.text("NextUploadIdMarker", last.1);
    }
    xml.key("Prefix", prefix.as_bytes(), encoding);
    if !delimiter.is_empty() {
        xml.key("Delimiter", delimiter.as_bytes(), encoding);
    }
    if encoding == KeyEncoding::Url {
        xml.text("EncodingType", "url");
    }
    xml.number("MaxUploads", u64::from(max));
    xml.boolean("IsTruncated", truncated);
    for (key, id, upload) in page {
        xml.open("Upload");
        xml.key("Key", key.as_bytes(), encoding);
        xml.text("UploadId", id);
        write_identity(&mut xml, "Initiator", &upload.initiator);
        write_identity(&mut xml, "Owner", &state.owner);
        xml.text("StorageClass", upload.attributes.storage_class.name());
        xml.text("Initiated", &iso(upload.initiated_s));
        xml.close("Upload");
    }
    for common in prefixes {
        xml.open("CommonPrefixes");
        xml.key("Prefix", common.as_bytes(), encoding);
        xml.close("CommonPrefixes");
    }
    Ok(Reply::xml(xml.finish("ListMultipartUploadsResult")))
}

fn rolled_up<'a>(key: &'a str, prefix_length: usize, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let at = key[prefix_length..].find(delimiter)?;
    Some(&key[..prefix_length + at + delimiter.len()])
}
