//! ListBuckets.

use crate::access::principal::canonical_id;
use crate::date::iso;
use crate::lock::read;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;

/// ListBuckets: the buckets of the caller's account.
pub(crate) fn list_buckets(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let Some(principal) = &request.caller.principal else {
        return Err(S3Error::access_denied("Access Denied"));
    };
    let mut xml = Xml::result("ListAllMyBucketsResult", 1024);
    xml.open("Owner");
    xml.text("ID", &canonical_id(&principal.account));
    xml.close("Owner");
    xml.open("Buckets");
    for (name, bucket) in read(&server.buckets).iter() {
        let state = read(bucket);
        if state.owner == principal.account {
            xml.open("Bucket");
            xml.text("Name", name);
            xml.text("CreationDate", &iso(state.created_s));
            xml.text("BucketRegion", &state.region);
            xml.close("Bucket");
        }
    }
    xml.close("Buckets");
    Ok(Response::xml(xml.finish("ListAllMyBucketsResult")))
}
