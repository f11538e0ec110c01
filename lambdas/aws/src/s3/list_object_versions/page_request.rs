//! Requests one page and checks it: a page that no intact listing contains is a fault and never a result (P11).

use aws_sdk_s3::{
    Client,
    error::ErrorMetadata,
    operation::list_object_versions::{ListObjectVersionsError, ListObjectVersionsOutput},
    types::{EncodingType, OptionalObjectAttributes},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::interceptors::context::{Error, Output},
};
use shardlift_core::{
    failure::fault::CallFault,
    port::{VersionPage, VersionRequest},
};

use super::document;
use crate::{
    fault_mapping::{call_fault, malformed_response},
    s3::{
        list_objects_v2::in_own_task,
        owned_bucket::OwnedBucket,
        wire::page_deserializer::{Listing, PageDeserializer},
    },
};

const OPERATION: &str = "s3:ListObjectVersions";

/// A listing of versions.
#[derive(Debug)]
struct VersionListing;

impl Listing for VersionListing {
    type Page = VersionPage;

    fn parse(body: &[u8]) -> Result<VersionPage, BoxError> {
        Ok(document::parse(body)?)
    }

    fn error(metadata: ErrorMetadata) -> Error {
        Error::erase(ListObjectVersionsError::generic(metadata))
    }

    fn output() -> Output {
        Output::erase(ListObjectVersionsOutput::builder().build())
    }
}

/// Lists one page. It begins after a version that was listed, and not at the markers of a response: an invocation can
/// continue from what another one has seen.
pub(crate) async fn list_versions(
    client: &Client,
    bucket: &OwnedBucket,
    request: &VersionRequest,
) -> Result<VersionPage, CallFault> {
    let deserializer = PageDeserializer::<VersionListing>::default();
    let after = request.after.as_ref();
    let version_id = after.and_then(|after| after.version_id.as_ref());
    let call = client
        .list_object_versions()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .prefix(request.prefix.as_str())
        .set_key_marker(after.map(|after| after.key.to_string()))
        .set_version_id_marker(version_id.map(ToString::to_string))
        .encoding_type(EncodingType::Url)
        .expected_bucket_owner(bucket.owner())
        .set_max_keys(request.versions_max.map(i32::from))
        // Without it an archived object that was restored cannot be told from one that was not
        // (docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html).
        .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
        .customize()
        .interceptor(deserializer.clone());
    in_own_task(call.send())
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let page = deserializer
        .take()
        .ok_or_else(|| malformed_response(OPERATION, "the response has no document"))?;
    page.check(request)
        .map_err(|problem| malformed_response(OPERATION, problem))?;
    Ok(page)
}
