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
    id_marker: Cow<'a, str>,
    max: u32,
    encoding: KeyEncoding,
}

/// The uploads and common prefixes of a page.
#[derive(Default)]
struct Page<'a> {
    /// Key, upload id, upload.
    uploads: Vec<(&'a str, &'a str, &'a Upload)>,
    prefixes: BTreeSet<&'a str>,
    /// The key (or common prefix) and the upload id of the last entry.
    last: (&'a str, &'a str),
    is_truncated: bool,
}

/// ListMultipartUploads, by key and upload id.
pub(crate) fn list_multipart_uploads(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:ListBucketMultipartUploads")?;
    let query = Query::read(request)?;
    let page = query.page(&state);
    let capacity_bytes = 1024 + 400 * page.uploads.len();
    let mut xml = Xml::result("ListMultipartUploadsResult", capacity_bytes);
    xml.text("Bucket", request.bucket);
    query.write_head(&mut xml, &page);
    for (key, id, upload) in page.uploads {
        xml.open("Upload");
        xml.key("Key", key.as_bytes(), query.encoding);
        xml.text("UploadId", id);
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
        Ok(Self {
            prefix: query.text("prefix")?,
            delimiter: query.text("delimiter")?,
            key_marker: query.text("key-marker")?,
            id_marker: query.text("upload-id-marker")?,
            max: query.page_size("max-uploads", PAGE_MAX)?,
            encoding: encoding(request)?,
        })
    }

    fn page<'b>(&self, bucket: &'b Bucket) -> Page<'b> {
        let mut page = Page::default();
        for ((key, id), upload) in &bucket.uploads {
            if !key.starts_with(&*self.prefix) || !self.is_after_marker(key, id) {
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
                    page.last = (common, "");
                }
                None => {
                    page.uploads.push((key, id, upload));
                    page.last = (key, id);
                }
            }
        }
        page
    }

    fn is_after_marker(&self, key: &str, id: &str) -> bool {
        let (key_marker, id_marker) = (&*self.key_marker, &*self.id_marker);
        if key_marker.is_empty() {
            return true;
        }
        // A marker that is a common prefix stands for everything under it.
        let is_prefix = !self.delimiter.is_empty() && key_marker.ends_with(&*self.delimiter);
        if is_prefix && key.starts_with(key_marker) {
            return false;
        }
        key > key_marker || (key == key_marker && !id_marker.is_empty() && id > id_marker)
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
        if page.is_truncated {
            let (key, id) = page.last;
            xml.key("NextKeyMarker", key.as_bytes(), self.encoding);
            xml.text("NextUploadIdMarker", id);
        }
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
