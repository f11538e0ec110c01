//! DeleteObjects, each object on the condition that it is still the one that was listed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::types::{Delete, Error, ObjectIdentifier};
use shardlift_core::{
    fault::{CallFault, FaultKind},
    port::DoomedObject,
};

use super::target_bucket::{AwsTargetBucket, quoted};
use crate::fault_mapping::{bad_answer, call_fault, kind_of_object_error};

const DELETE: &str = "s3:DeleteObject";

impl AwsTargetBucket {
    pub(super) async fn delete_all(
        &self,
        objects: &[DoomedObject],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
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
            .map(|doomed| result_of(doomed.key.as_str(), &refused, &deleted))
            .collect())
    }
}

fn result_of(
    key: &str,
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
    match kind_of_object_error(error.code()) {
        FaultKind::NoSuchKey => Ok(()),
        kind => {
            let code = error.code().unwrap_or("no code,");
            let told = error.message().unwrap_or("no message");
            Err(CallFault::new(DELETE, kind, format!("{code} {told}")))
        }
    }
}
