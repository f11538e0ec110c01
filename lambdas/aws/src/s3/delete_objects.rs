//! DeleteObjects deletes up to 1,000 objects in one request, each on the condition that it has not changed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::{
    Client,
    operation::delete_objects::DeleteObjectsOutput,
    types::{Delete, Error, ObjectIdentifier},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::ObjectToDelete,
};

use super::{delete_object::delete_object, owned_bucket::OwnedBucket, wire::etag::quoted};
use crate::fault_mapping::{call_fault, malformed_response, object_fault};

/// IAM has one name for DeleteObject and DeleteObjects.
const OPERATION: &str = "s3:DeleteObject";

/// Deletes objects; the results are in the order of `objects`. An object whose key XML cannot represent is deleted by a
/// request of its own.
pub(super) async fn delete_objects(
    client: &Client,
    bucket: &OwnedBucket,
    objects: &[ObjectToDelete],
) -> Result<Vec<Result<(), CallFault>>, CallFault> {
    let (in_xml, alone): (Vec<_>, Vec<_>) = objects
        .iter()
        .partition(|object| survives_xml(object.key.as_str()));
    let mut results = BTreeMap::new();
    if !in_xml.is_empty() {
        results = delete_in_one_request(client, bucket, &in_xml).await?;
    }
    for object in alone {
        let result = delete_object(client, bucket, object).await;
        results.insert(object.key.as_str(), result);
    }
    Ok(objects
        .iter()
        .map(|object| {
            let result = results.remove(object.key.as_str());
            result.unwrap_or_else(|| Err(not_in_response()))
        })
        .collect())
}

async fn delete_in_one_request<'a>(
    client: &Client,
    bucket: &OwnedBucket,
    objects: &[&'a ObjectToDelete],
) -> Result<BTreeMap<&'a str, Result<(), CallFault>>, CallFault> {
    let response = client
        .delete_objects()
        .bucket(bucket.name())
        .delete(request_body(objects)?)
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let errors: BTreeMap<&str, &Error> = response
        .errors()
        .iter()
        .filter_map(|error| Some((error.key()?, error)))
        .collect();
    let deleted: BTreeSet<&str> = response
        .deleted()
        .iter()
        .filter_map(|deleted| deleted.key())
        .collect();
    Ok(objects
        .iter()
        .map(|object| object.key.as_str())
        .map(|key| (key, result_of(key, &response, &errors, &deleted)))
        .collect())
}

fn request_body(objects: &[&ObjectToDelete]) -> Result<Delete, CallFault> {
    let identifiers = objects
        .iter()
        .map(|object| {
            ObjectIdentifier::builder()
                .key(object.key.as_str())
                .e_tag(quoted(&object.etag))
                .build()
        })
        .collect::<Result<Vec<_>, _>>();
    identifiers
        .and_then(|identifiers| Delete::builder().set_objects(Some(identifiers)).build())
        .map_err(|error| CallFault::new(OPERATION, FaultKind::Rejected, error.to_string()))
}

/// Whether a key is the same after it has been written to an XML document and read again. XML forbids control
/// characters or normalises them.
fn survives_xml(key: &str) -> bool {
    !key.chars()
        .any(|found| found.is_control() || matches!(found, '\u{fffe}' | '\u{ffff}'))
}

fn result_of(
    key: &str,
    response: &DeleteObjectsOutput,
    errors: &BTreeMap<&str, &Error>,
    deleted: &BTreeSet<&str>,
) -> Result<(), CallFault> {
    let Some(error) = errors.get(key) else {
        return if deleted.contains(key) {
            Ok(())
        } else {
            Err(not_in_response())
        };
    };
    let fault = object_fault(OPERATION, error.code(), error.message(), response);
    match fault.kind {
        FaultKind::NoSuchKey => Ok(()),
        _ => Err(fault),
    }
}

fn not_in_response() -> CallFault {
    malformed_response(OPERATION, "the response does not name the key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_survive_xml_are_sent_in_it() {
        for key in ["plain", "a b", "<&>\"'", "😀", " "] {
            assert!(survives_xml(key), "{key:?}");
        }
        for key in ["a\u{1}", "a\nb", "a\rb", "a\u{fffe}"] {
            assert!(!survives_xml(key), "{key:?}");
        }
    }
}
