//! Which permission a refused call lacked.

use crate::{
    denial::{Denial, PolicyDocument},
    key::ObjectKey,
    spec::RunSpec,
};

/// The permission that the target role lacks, as probing found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingPermission {
    /// To read source objects.
    ReadObject,
    /// To read their tags.
    ReadTags,
    /// To write target objects.
    WriteObject,
    /// To write target objects or, since these carry tags, their tags: S3 does not tell which.
    WriteObjectOrTags,
    /// To encrypt with the key of the run, or to write: S3 does not tell which.
    WriteObjectOrUseKey,
}

impl MissingPermission {
    /// What a refused write lacks, once reading is known to be allowed.
    #[must_use]
    pub fn of_write(spec: &RunSpec, carries_tags: bool) -> Self {
        if spec.kms_key_arn.is_some() {
            Self::WriteObjectOrUseKey
        } else if carries_tags {
            Self::WriteObjectOrTags
        } else {
            Self::WriteObject
        }
    }

    /// The refused call, told for one object.
    #[must_use]
    pub fn denial(self, spec: &RunSpec, source_key: &ObjectKey, target_key: &ObjectKey) -> Denial {
        use PolicyDocument::{
            KeyPolicy, SourceBucketPolicy, TargetBucketPolicy, TargetRolePermissions,
        };
        let pair = &spec.pair;
        let arn = |bucket: &str, key: &ObjectKey| {
            let partition = pair.target.role_arn.partition();
            format!("arn:{partition}:s3:::{bucket}/{key}")
        };
        let source = || arn(pair.source.bucket.as_str(), source_key);
        let target = || arn(pair.target.bucket.as_str(), target_key);
        let (action, resource, documents): (_, _, &'static [PolicyDocument]) = match self {
            Self::ReadObject => (
                "s3:GetObject",
                source(),
                &[SourceBucketPolicy, TargetRolePermissions],
            ),
            Self::ReadTags => (
                "s3:GetObjectTagging",
                source(),
                &[SourceBucketPolicy, TargetRolePermissions],
            ),
            Self::WriteObject => (
                "s3:PutObject",
                target(),
                &[TargetRolePermissions, TargetBucketPolicy],
            ),
            Self::WriteObjectOrTags => (
                "s3:PutObject (or s3:PutObjectTagging)",
                target(),
                &[TargetRolePermissions, TargetBucketPolicy],
            ),
            Self::WriteObjectOrUseKey => (
                "s3:PutObject (or kms:GenerateDataKey with the run's key)",
                target(),
                &[TargetRolePermissions, TargetBucketPolicy, KeyPolicy],
            ),
        };
        Denial {
            principal: pair.target.role_arn.to_string(),
            action,
            resource,
            documents,
        }
    }
}
