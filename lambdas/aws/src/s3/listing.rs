//! One page of a listing, checked: what S3 can say only when something went wrong is a fault, never a page (P11).

use aws_sdk_s3::{Client, types::EncodingType};
use shardlift_core::{
    failure::fault::CallFault,
    port::{ListRequest, ObjectPage},
    value::{
        arn::AccountId,
        bucket::BucketName,
        key::ObjectKey,
        object::{ETag, ListedObject},
    },
};
use tokio::task::JoinSet;

use super::{listing_document::decoded, listing_reader::ListingReader};
use crate::fault_mapping::{bad_answer, call_fault};

const LIST_OBJECTS: &str = "s3:ListObjectsV2";

/// Lists one page of a bucket that `owner` owns. Every page begins after a key, never at a token: a token lives
/// within one listing, a key can be continued from by any later invocation.
pub(crate) async fn list_page(
    client: &Client,
    bucket: &BucketName,
    owner: &AccountId,
    request: &ListRequest,
) -> Result<ObjectPage, CallFault> {
    list(client, bucket, owner, request, None).await
}

/// The first object of a page, without the others.
pub(crate) async fn first_object(
    client: &Client,
    bucket: &BucketName,
    owner: &AccountId,
    request: &ListRequest,
) -> Result<Option<ListedObject>, CallFault> {
    let page = list(client, bucket, owner, request, Some(1)).await?;
    Ok(page.objects.into_iter().next())
}

/// `objects_max`: S3's own limit when absent.
async fn list(
    client: &Client,
    bucket: &BucketName,
    owner: &AccountId,
    request: &ListRequest,
    objects_max: Option<i32>,
) -> Result<ObjectPage, CallFault> {
    let reader = ListingReader::default();
    let call = client
        .list_objects_v2()
        .bucket(bucket.as_str())
        .prefix(request.prefix.as_str())
        .set_start_after(request.after.as_ref().map(ToString::to_string))
        .encoding_type(EncodingType::Url)
        .expected_bucket_owner(owner.as_str())
        .set_max_keys(objects_max)
        .customize()
        .interceptor(reader.clone());
    beside(call.send())
        .await
        .map_err(|error| call_fault(LIST_OBJECTS, &error))?;
    let document = reader
        .take()
        .ok_or_else(|| bad_answer(LIST_OBJECTS, "the answer has no document"))?;
    let page = ObjectPage {
        objects: document.objects,
        is_truncated: document.is_truncated,
    };
    page.check(&request.prefix, request.after.as_ref())
        .map_err(|problem| bad_answer(LIST_OBJECTS, problem))?;
    Ok(page)
}

/// Makes a call as a task of its own: on a runtime of several threads its answer is received and read beside whatever
/// the caller does meanwhile. It ends where the caller gives up, as a call within the caller would.
async fn beside<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> T {
    let mut task = JoinSet::new();
    task.spawn(call);
    match task.join_next().await {
        Some(Ok(answer)) => answer,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down, and nobody waits any more.
        Some(Err(_)) | None => std::future::pending().await,
    }
}

/// A key as `encoding-type=url` writes it.
pub(crate) fn decoded_key(operation: &'static str, encoded: &str) -> Result<ObjectKey, CallFault> {
    let key = decoded(encoded).map_err(|problem| bad_answer(operation, problem))?;
    ObjectKey::new(key).map_err(|problem| bad_answer(operation, problem))
}

/// An ETag without the quotes around it.
pub(crate) fn unquoted_etag(
    operation: &'static str,
    etag: Option<&str>,
) -> Result<ETag, CallFault> {
    let text = etag.ok_or_else(|| bad_answer(operation, "the answer has no ETag"))?;
    ETag::new(text.trim_matches('"')).map_err(|problem| bad_answer(operation, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_key_comes_back_byte_for_byte() {
        for (encoded, key) in [
            ("a+b", "a b"),
            ("a%20b", "a b"),
            ("a%2Bb", "a+b"),
            ("%252F", "%2F"),
            ("a%2F%2Fb", "a//b"),
            ("%C3%A9%01", "é\u{1}"),
        ] {
            assert_eq!(decoded_key(LIST_OBJECTS, encoded).unwrap().as_str(), key);
        }
        assert!(decoded_key(LIST_OBJECTS, "%FF").is_err(), "no UTF-8");
    }
}
