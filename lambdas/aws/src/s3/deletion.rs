//! DeleteObjects, each object on the condition that it is still the one that was listed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::{
    operation::delete_objects::DeleteObjectsOutput,
    types::{Delete, Error, ObjectIdentifier},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::ObjectToDelete,
};

use super::{
    spoken_key::spoken,
    target_bucket::{AwsTargetBucket, quoted},
};
use crate::fault_mapping::{bad_answer, call_fault, object_fault};

const DELETE: &str = "s3:DeleteObject";

impl AwsTargetBucket {
    pub(super) async fn delete_all(
        &self,
        objects: &[ObjectToDelete],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
        let (in_xml, alone): (Vec<_>, Vec<_>) = objects
            .iter()
            .partition(|doomed| survives_xml(doomed.key.as_str()));
        let mut results = BTreeMap::new();
        if !in_xml.is_empty() {
            results = self.delete_listed(&in_xml).await?;
        }
        for doomed in alone {
            results.insert(doomed.key.as_str(), self.delete_one(doomed).await);
        }
        let unnamed = || Err(bad_answer(DELETE, "the answer does not name the key"));
        Ok(objects
            .iter()
            .map(|doomed| results.remove(doomed.key.as_str()).unwrap_or_else(unnamed))
            .collect())
    }

    async fn delete_listed<'a>(
        &self,
        objects: &[&'a ObjectToDelete],
    ) -> Result<BTreeMap<&'a str, Result<(), CallFault>>, CallFault> {
        let named: Vec<ObjectIdentifier> = objects
            .iter()
            .map(|doomed| {
                ObjectIdentifier::builder()
                    .key(doomed.key.as_str())
                    .e_tag(quoted(doomed.etag.as_str()))
                    .build()
            })
            .collect::<Result<_, _>>()
            .map_err(|error| CallFault::new(DELETE, FaultKind::Rejected, error.to_string()))?;
        let delete = Delete::builder()
            .set_objects(Some(named))
            .build()
            .map_err(|error| CallFault::new(DELETE, FaultKind::Rejected, error.to_string()))?;
        let answer = self
            .clients
            .copying
            .delete_objects()
            .bucket(self.bucket.as_str())
            .delete(delete)
            .expected_bucket_owner(self.facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(DELETE, &error))?;
        let refused: BTreeMap<&str, &Error> = answer
            .errors()
            .iter()
            .filter_map(|error| Some((error.key()?, error)))
            .collect();
        let deleted: BTreeSet<&str> = answer
            .deleted()
            .iter()
            .filter_map(|deleted| deleted.key())
            .collect();
        Ok(objects
            .iter()
            .map(|doomed| doomed.key.as_str())
            .map(|key| (key, result_of(key, &answer, &refused, &deleted)))
            .collect())
    }

    async fn delete_one(&self, doomed: &ObjectToDelete) -> Result<(), CallFault> {
        let deleted = self
            .clients
            .copying
            .delete_object()
            .bucket(self.bucket.as_str())
            .key(spoken(&doomed.key))
            .if_match(quoted(doomed.etag.as_str()))
            .expected_bucket_owner(self.facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(DELETE, &error));
        match deleted {
            Err(fault) if fault.kind != FaultKind::NoSuchKey => Err(fault),
            _ => Ok(()),
        }
    }
}

/// Whether a key comes out of an XML document as it went in: control characters may not stand in one, or are changed.
fn survives_xml(key: &str) -> bool {
    !key.chars()
        .any(|found| found.is_control() || matches!(found, '\u{fffe}' | '\u{ffff}'))
}

fn result_of(
    key: &str,
    answer: &DeleteObjectsOutput,
    refused: &BTreeMap<&str, &Error>,
    deleted: &BTreeSet<&str>,
) -> Result<(), CallFault> {
    let Some(error) = refused.get(key) else {
        return if deleted.contains(key) {
            Ok(())
        } else {
            Err(bad_answer(DELETE, "the answer does not name the key"))
        };
    };
    let fault = object_fault(DELETE, error.code(), error.message(), answer);
    match fault.kind {
        FaultKind::NoSuchKey => Ok(()),
        _ => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_xml_keeps_are_listed_in_it() {
        for key in ["plain", "a b", "<&>\"'", "😀", " "] {
            assert!(survives_xml(key), "{key:?}");
        }
        for key in ["a\u{1}", "a\nb", "a\rb", "a\u{fffe}"] {
            assert!(!survives_xml(key), "{key:?}");
        }
    }
}
