//! ListMultipartUploads.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::upload_xml::write_upload;
use crate::date::iso;
use crate::lock::read;
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::listing::page::encoding;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::{KeyEncoding, Xml};
use crate::state::ServerState;
use crate::storage::bucket::Bucket;
use crate::storage::upload::Upload;

/// A page holds at most 1,000 uploads and common prefixes.
const PAGE_MAX: u32 = 1000;

/// What a page is asked for.
struct Query<'a> {
    prefix: Cow<'a, str>,
    delimiter: Cow<'a, str>,
    key_marker: Cow<'a, str>,
    /// Empty without a key marker, which S3 ignores (fact 98).
    id_marker: Cow<'a, str>,
    max: u32,
    encoding: KeyEncoding,
}

/// The uploads and common prefixes of a page.
#[derive(Default)]
struct Page<'a> {
    /// Key and upload.
    uploads: Vec<(&'a str, &'a Upload)>,
    prefixes: BTreeSet<&'a str>,
    /// The key and the upload id of the last entry, if that is an upload. After a common prefix S3
    /// names no next markers (fact 99).
    last: (&'a str, &'a str),
    is_truncated: bool,
}

/// ListMultipartUploads, by key, and for a key in the order of their creation (fact 97).
pub(crate) fn list_multipart_uploads(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:ListBucketMultipartUploads")?;
    let query = Query::read(request)?;
    let page = query.page(&state, query.marked_upload(&state)?);
    let capacity_bytes = 1024 + 400 * page.uploads.len();
    let mut xml = Xml::result("ListMultipartUploadsResult", capacity_bytes);
    xml.text("Bucket", request.bucket);
    query.write_head(&mut xml, &page);
    for (key, upload) in page.uploads {
        xml.open("Upload");
        xml.key("Key", key.as_bytes(), query.encoding);
        xml.text("UploadId", &upload.id);
        write_upload(&mut xml, upload, &state.owner);
        xml.text("Initiated", &iso(upload.initiated_s));
        xml.close("Upload");
    }
    for common in page.prefixes {
        xml.open("CommonPrefixes");
        xml.key("Prefix", common.as_bytes(), query.encoding);
        xml.close("CommonPrefixes");
    }
    Ok(Response::xml(xml.finish("ListMultipartUploadsResult")))
}

impl<'a> Query<'a> {
    fn read(request: &Request<'a>) -> Result<Self, S3Error> {
        let query = request.query;
        let key_marker = query.text("key-marker")?;
        Ok(Self {
            prefix: query.text("prefix")?,
            delimiter: query.text("delimiter")?,
            id_marker: match &*key_marker {
                "" => Cow::default(),
                _ => query.text("upload-id-marker")?,
            },
            key_marker,
            max: query.page_size("max-uploads", PAGE_MAX)?,
            encoding: encoding(request)?,
        })
    }

    /// Returns the number of the upload that the markers name. It must be an upload of the key
    /// (fact 98).
    fn marked_upload(&self, bucket: &Bucket) -> Result<Option<u64>, S3Error> {
        if self.id_marker.is_empty() {
            return Ok(None);
        }
        match bucket.upload(&self.key_marker, &self.id_marker) {
            Some(((_, number), _)) => Ok(Some(*number)),
            None => Err(S3Error::invalid_argument(
                "upload-id-marker",
                &self.id_marker,
                "Invalid uploadId marker",
            )),
        }
    }

    fn page<'b>(&self, bucket: &'b Bucket, marked: Option<u64>) -> Page<'b> {
        let mut page = Page::default();
        for ((key, number), upload) in &bucket.uploads {
            if !key.starts_with(&*self.prefix) || !self.is_after_marker(key, *number, marked) {
                continue;
            }
            let common = self.common_prefix(key);
            if common.is_some_and(|common| page.prefixes.contains(common)) {
                continue;
            }
            if page.uploads.len() + page.prefixes.len() == self.max as usize {
                page.is_truncated = true;
                break;
            }
            match common {
                Some(common) => {
                    page.prefixes.insert(common);
                    page.last = ("", "");
                }
                None => {
                    page.uploads.push((key, upload));
                    page.last = (key, &upload.id);
                }
            }
        }
        page
    }

    fn is_after_marker(&self, key: &str, number: u64, marked: Option<u64>) -> bool {
        let marker = &*self.key_marker;
        if marker.is_empty() {
            return true;
        }
        // A marker that is a common prefix, or lies inside one, stands for everything under it
        // (fact 95).
        let skipped = marker
            .starts_with(&*self.prefix)
            .then(|| self.common_prefix(marker))
            .flatten();
        if skipped.is_some_and(|common| key.starts_with(common)) {
            return false;
        }
        key > marker || (key == marker && marked.is_some_and(|marked| number > marked))
    }

    /// Returns the common prefix of a key, if the key is rolled up.
    fn common_prefix<'b>(&self, key: &'b str) -> Option<&'b str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let at = key[self.prefix.len()..].find(&*self.delimiter)?;
        Some(&key[..self.prefix.len() + at + self.delimiter.len()])
    }

    fn write_head(&self, xml: &mut Xml, page: &Page<'_>) {
        xml.key("KeyMarker", self.key_marker.as_bytes(), self.encoding);
        xml.text("UploadIdMarker", &self.id_marker);
        // The last page has them too (fact 97).
        let (key, id) = page.last;
        xml.key("NextKeyMarker", key.as_bytes(), self.encoding);
        xml.text("NextUploadIdMarker", id);
        xml.key("Prefix", self.prefix.as_bytes(), self.encoding);
        if !self.delimiter.is_empty() {
            xml.key("Delimiter", self.delimiter.as_bytes(), self.encoding);
        }
        if self.encoding == KeyEncoding::Url {
            xml.text("EncodingType", "url");
        }
        xml.number("MaxUploads", u64::from(self.max));
        xml.boolean("IsTruncated", page.is_truncated);
    }
}
