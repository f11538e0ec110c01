//! Which permission a refused call lacked.

use crate::{
    access::denial::Denial,
    failure::refusal::RefusalReason,
    run::spec::RunSpec,
    value::{arn::KmsKeyArn, key::ObjectKey},
};

/// The permission that the target role lacks, as AWS said or as probing found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingPermission {
    /// To read source objects, or to use a key that AWS did not name: the source's, or the target's.
    ReadObject,
    /// To read their tags.
    ReadTags,
    /// To write target objects.
    WriteObject,
    /// To write target objects or, since these carry tags, their tags: S3 does not tell which.
    WriteObjectOrTags,
    /// To encrypt with the key of the run, or to write: S3 does not tell which.
    WriteObjectOrUseKey,
    /// To list the parts of an upload.
    ListParts,
    /// To list the unfinished uploads of the target.
    ListUploads,
    /// To abort an upload.
    AbortUpload,
}

impl MissingPermission {
    /// What AWS said that a refused copy lacks; nothing when the refusal is about the existence of the source object,
    /// which S3 hides from those who may not list. A copy reads nothing at the target, so whatever is read is the
    /// source's; of the keys, the target's is the one that the run names, or one of the target's account.
    #[must_use]
    pub fn of_reason(reason: &RefusalReason, spec: &RunSpec) -> Option<Self> {
        let is_targets_key = || {
            let refused = reason
                .resource
                .as_deref()
                .and_then(|arn| KmsKeyArn::new(arn).ok());
            refused.is_some_and(|key| {
                spec.kms_key_arn.as_ref() == Some(&key)
                    || key.account() == spec.pair.target.role_arn.account()
            })
        };
        match reason.action.as_str() {
            "s3:ListBucket" => None,
            "s3:GetObject" => Some(Self::ReadObject),
            "s3:GetObjectTagging" | "s3:GetObjectAnnotation" => Some(Self::ReadTags),
            "kms:Decrypt" if !is_targets_key() => Some(Self::ReadObject),
            _ => Some(Self::WriteObject),
        }
    }

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
        let pair = &spec.pair;
        let arn = |bucket: &str, key: &ObjectKey| {
            let partition = pair.target.role_arn.partition();
            format!("arn:{partition}:s3:::{bucket}/{key}")
        };
        let source = |action| {
            let resource = arn(pair.source.bucket.as_str(), source_key);
            Denial::at_source(pair.target.role_arn.to_string(), action, resource)
        };
        let target = |action| {
            let resource = arn(pair.target.bucket.as_str(), target_key);
            Denial::at_target(pair.target.role_arn.to_string(), action, resource)
        };
        match self {
            Self::ReadObject => source("s3:GetObject"),
            Self::ReadTags => source("s3:GetObjectTagging"),
            Self::WriteObject => target("s3:PutObject"),
            Self::WriteObjectOrTags => target("s3:PutObject (or s3:PutObjectTagging)"),
            Self::WriteObjectOrUseKey => {
                target("s3:PutObject (or kms:GenerateDataKey with the run's key)")
            }
            Self::ListParts => target("s3:ListMultipartUploadParts"),
            Self::AbortUpload => target("s3:AbortMultipartUpload"),
            Self::ListUploads => Denial::at_target(
                pair.target.role_arn.to_string(),
                "s3:ListBucketMultipartUploads",
                format!(
                    "arn:{}:s3:::{}",
                    pair.target.role_arn.partition(),
                    pair.target.bucket
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{failure::refusal::RefusingPolicy, run::input::RunInput};

    #[test]
    fn what_aws_said_needs_no_probing() {
        const KEY: &str = "arn:aws:kms:us-east-1:333333333333:key/target";
        let input = json!({
            "source": {"bucket": "source"},
            "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/T"},
            "kms_key_arn": KEY,
        });
        let spec = RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap();
        let of = |action: &str, resource: &str| {
            let reason = RefusalReason {
                action: action.into(),
                resource: Some(resource.into()),
                by: RefusingPolicy::OfTheCaller,
                is_explicit: false,
            };
            MissingPermission::of_reason(&reason, &spec)
        };
        let source = "arn:aws:s3:::source/x";
        for (action, resource, expected) in [
            ("s3:GetObject", source, Some(MissingPermission::ReadObject)),
            (
                "s3:GetObjectTagging",
                source,
                Some(MissingPermission::ReadTags),
            ),
            ("s3:ListBucket", "arn:aws:s3:::source", None),
            (
                "s3:PutObject",
                "arn:aws:s3:::target/x",
                Some(MissingPermission::WriteObject),
            ),
            ("kms:Decrypt", KEY, Some(MissingPermission::WriteObject)),
            (
                "kms:Decrypt",
                "arn:aws:kms:us-east-1:222222222222:key/default-of-the-bucket",
                Some(MissingPermission::WriteObject),
            ),
            (
                "kms:Decrypt",
                "arn:aws:kms:us-east-1:111111111111:key/source",
                Some(MissingPermission::ReadObject),
            ),
        ] {
            assert_eq!(of(action, resource), expected, "{action} on {resource}");
        }
    }
}
