//! Requests one page and checks it: a page that no intact listing contains is a fault and never a result (P11).

use aws_sdk_s3::{
    Client,
    error::ErrorMetadata,
    operation::list_objects_v2::{ListObjectsV2Error, ListObjectsV2Output},
    types::{EncodingType, OptionalObjectAttributes},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::interceptors::context::{Error, Output},
};
use shardlift_core::{
    failure::fault::CallFault,
    port::{ListRequest, ObjectPage},
    value::object::ListedObject,
};
use tokio::task::JoinSet;

use super::document;
use crate::{
    fault_mapping::{call_fault, malformed_response},
    s3::{
        owned_bucket::OwnedBucket,
        wire::page_deserializer::{Listing, PageDeserializer},
    },
};

const OPERATION: &str = "s3:ListObjectsV2";

/// A listing of the objects that there are now.
#[derive(Debug)]
struct ObjectListing;

impl Listing for ObjectListing {
    type Page = ObjectPage;

    fn parse(body: &[u8]) -> Result<ObjectPage, BoxError> {
        Ok(document::parse(body)?)
    }

    fn error(metadata: ErrorMetadata) -> Error {
        Error::erase(ListObjectsV2Error::generic(metadata))
    }

    fn output() -> Output {
        Output::erase(ListObjectsV2Output::builder().build())
    }
}

/// Lists one page. Every page starts after a key and never at a continuation token: a token is valid within one listing,
/// but any later invocation can continue after a key.
pub(crate) async fn list_page(
    client: &Client,
    bucket: &OwnedBucket,
    request: &ListRequest,
) -> Result<ObjectPage, CallFault> {
    list(client, bucket, request, None).await
}

/// The first object of a page, without the others.
pub(crate) async fn first_object(
    client: &Client,
    bucket: &OwnedBucket,
    request: &ListRequest,
) -> Result<Option<ListedObject>, CallFault> {
    let page = list(client, bucket, request, Some(1)).await?;
    Ok(page.objects.into_iter().next())
}

/// Lists at most `objects_max` objects, or as many as S3 allows (1,000).
async fn list(
    client: &Client,
    bucket: &OwnedBucket,
    request: &ListRequest,
    objects_max: Option<i32>,
) -> Result<ObjectPage, CallFault> {
    let deserializer = PageDeserializer::<ObjectListing>::default();
    let call = client
        .list_objects_v2()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .prefix(request.prefix.as_str())
        .set_start_after(request.after.as_ref().map(ToString::to_string))
        .encoding_type(EncodingType::Url)
        .expected_bucket_owner(bucket.owner())
        .set_max_keys(objects_max)
        // Without it an archived object that was restored cannot be told from one that was not. S3 asks for no further
        // permission (docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
        .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
        .customize()
        .interceptor(deserializer.clone());
    in_own_task(call.send())
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let page = deserializer
        .take()
        .ok_or_else(|| malformed_response(OPERATION, "the response has no document"))?;
    page.check(&request.prefix, request.after.as_ref())
        .map_err(|problem| malformed_response(OPERATION, problem))?;
    Ok(page)
}

/// Runs a call as a task of its own, so that a multi-threaded runtime receives and parses the response while the caller
/// does other work. Dropping the future aborts the call, as it would without a task.
pub(in crate::s3) async fn in_own_task<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> T {
    let mut task = JoinSet::new();
    task.spawn(call);
    match task.join_next().await {
        Some(Ok(response)) => response,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down, so nothing waits for the result.
        Some(Err(_)) | None => std::future::pending().await,
    }
}
