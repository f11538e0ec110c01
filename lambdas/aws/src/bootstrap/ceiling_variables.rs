//! The variables that bound what a run may ask for.

use serde_json::json;
use shardlift_core::{
    access::ceilings::{AllowedKey, CeilingParameters},
    failure::Failure,
    run::option::ClassChoice,
    value::{arn::RoleArn, bucket::BucketName},
};

use super::variables::{ceiling, flag, list};

const ALLOW_MIRROR: &str = "ALLOW_MIRROR";
const ALLOW_VERSIONS: &str = "ALLOW_VERSIONS";
const ENABLE_TRANSFORMS: &str = "ENABLE_TRANSFORMS";
const DELETE_MAX_PERCENT_CEILING: &str = "DELETE_MAX_PERCENT_CEILING";
const DELETE_MAX_OBJECTS_CEILING: &str = "DELETE_MAX_OBJECTS_CEILING";
const ALLOWED_KMS_KEY_ARNS: &str = "ALLOWED_KMS_KEY_ARNS";
const ALLOWED_STORAGE_CLASSES: &str = "ALLOWED_STORAGE_CLASSES";
const ALLOWED_LIST_BUCKETS: &str = "ALLOWED_LIST_BUCKETS";

/// The parameters of the stack with this control bucket.
pub(super) fn ceiling_parameters(
    variable: &impl Fn(&str) -> Option<String>,
    control_bucket: &BucketName,
) -> Result<CeilingParameters, Failure> {
    let classes = list(variable, ALLOWED_STORAGE_CLASSES, |name| {
        serde_json::from_value::<ClassChoice>(json!(name))
    })?;
    Ok(CeilingParameters {
        source_buckets: list(variable, "FURTHER_SOURCE_BUCKET_ARNS", |arn| {
            bucket_of(&arn)
        })?,
        target_buckets: list(variable, "FURTHER_TARGET_BUCKETS", BucketName::new)?,
        target_roles: list(variable, "FURTHER_TARGET_ROLE_ARNS", RoleArn::new)?,
        allow_mirror: flag(variable, ALLOW_MIRROR)?.unwrap_or(false),
        allow_versions: flag(variable, ALLOW_VERSIONS)?.unwrap_or(false),
        enable_transforms: flag(variable, ENABLE_TRANSFORMS)?.unwrap_or(false),
        delete_max_percent: ceiling(variable, DELETE_MAX_PERCENT_CEILING)?,
        delete_max_objects: ceiling(variable, DELETE_MAX_OBJECTS_CEILING)?,
        kms_keys: list(variable, ALLOWED_KMS_KEY_ARNS, |arn| AllowedKey::new(&arn))?,
        storage_classes: (!classes.is_empty()).then_some(classes),
        control_bucket: Some(control_bucket.clone()),
        list_buckets: list(variable, ALLOWED_LIST_BUCKETS, |arn| bucket_of(&arn))?,
    })
}

/// The bucket of this ARN.
fn bucket_of(arn: &str) -> Result<BucketName, String> {
    let name = arn
        .split_once(":s3:::")
        .filter(|(partition, _)| partition.starts_with("arn:aws"));
    let (_, name) = name.ok_or_else(|| format!("holds {arn:?}, which is no ARN of a bucket"))?;
    BucketName::new(name).map_err(|problem| problem.to_string())
}
