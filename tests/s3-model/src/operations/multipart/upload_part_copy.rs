//! UploadPartCopy.

use super::open_upload::PartTarget;
use crate::content::checksum::Checksum;
use crate::content::rope::Rope;
use crate::date::iso;
use crate::lock::read;
use crate::operations::guard::addressed_bucket;
use crate::operations::objects::byte_range::ByteRange;
use crate::operations::objects::copy_source::CopySource;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;

/// UploadPartCopy.
pub(crate) fn upload_part_copy(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let part = PartTarget::find(server, &bucket, request)?;
    let source = CopySource::find(server, request)?;
    let rope = copied_content(request, &source)?;
    let copied_bytes = rope.length();
    let checksum = part
        .algorithm
        .map(|algorithm| Checksum::full(algorithm, &rope));
    let etag = part.store(server, &bucket, request, rope, checksum.clone())?;
    let mut xml = Xml::result("CopyPartResult", 512);
    xml.text("LastModified", &iso(server.clock.now_s()));
    xml.text("ETag", &etag.quoted());
    if let Some(checksum) = &checksum {
        xml.text(checksum.algorithm.element(), &checksum.text());
    }
    let mut response = Response::xml(xml.finish("CopyPartResult"));
    source.complete(&mut response, copied_bytes, &read(&bucket).region);
    Ok(response)
}

/// Returns the range of the source that the request names, or all of it.
fn copied_content(request: &Request<'_>, source: &CopySource) -> Result<Rope, S3Error> {
    let content = &source.object.rope;
    match request.header("x-amz-copy-source-range")? {
        Some(header) => {
            let range = ByteRange::of_copy_source(header, content.length())?;
            Ok(content.slice(range.start, range.length))
        }
        None => {
            source.check_size()?;
            Ok(content.clone())
        }
    }
}
