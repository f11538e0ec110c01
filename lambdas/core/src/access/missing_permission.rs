//! Which permission the target role lacks, as AWS reported it or as probes found it.

use super::{
    advice::{about_reading, about_writing},
    denial::Denial,
};
use crate::{
    failure::refusal::RefusalReason,
    port::ObjectRef,
    run::{pair::Side, spec::RunSpec},
    value::{action::Action, arn::KmsKeyArn, key::ObjectKey},
};

/// A permission that the target role needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingPermission {
    /// To tell a missing source object from a forbidden one.
    TellMissingObject,
    /// To read source objects, or to use a key that AWS did not name: the source's, or the target's.
    ReadObject,
    /// To read their tags.
    ReadTags,
    /// To read versions of source objects that are named by their ids.
    ReadVersion,
    /// To read the tags of such versions.
    ReadVersionTags,
    /// To decrypt them with a key that AWS did not name.
    UseSourceKey,
    /// To write target objects.
    WriteObject,
    /// To give them tags.
    WriteTags,
    /// To write target objects or, since these carry tags, their tags: S3 does not say which.
    WriteObjectOrTags,
    /// To write target objects or, since these carry an access control list, the list: S3 does not say which.
    WriteObjectOrAcl,
    /// To encrypt with the key of the run, or to write: S3 does not say which.
    WriteObjectOrUseKey,
    /// To read target objects.
    ReadTargetObject,
    /// To delete target objects.
    DeleteObject,
    /// To list the parts of an upload.
    ListParts,
    /// To list the unfinished uploads of the target.
    ListUploads,
    /// To abort an upload.
    AbortUpload,
}

impl MissingPermission {
    /// What AWS reported that a refused copy lacks; nothing when the refusal is about the existence of the source object,
    /// which S3 hides from those who may not list. A copy reads nothing at the target, so whatever is read is the
    /// source's; of the keys, the target's is the one that the run names, or one of the target's account.
    #[must_use]
    pub fn of_reason(reason: &RefusalReason, spec: &RunSpec) -> Option<Self> {
        let is_targets_key = || {
            reason.resource.as_ref().is_some_and(|key| {
                spec.kms_key_arn.as_ref().map(KmsKeyArn::arn) == Some(key)
                    || key.account() == Some(spec.pair.target.role_arn.account())
            })
        };
        match reason.action.known() {
            Some(Action::ListBucket) => None,
            Some(Action::GetObject) => Some(Self::ReadObject),
            Some(Action::GetObjectTagging | Action::GetObjectAnnotation) => Some(Self::ReadTags),
            Some(Action::GetObjectVersion) => Some(Self::ReadVersion),
            Some(Action::GetObjectVersionTagging | Action::GetObjectVersionAnnotation) => {
                Some(Self::ReadVersionTags)
            }
            Some(Action::Decrypt) if !is_targets_key() => Some(Self::ReadObject),
            _ => Some(Self::WriteObject),
        }
    }

    /// What a refused read of a source object lacks. A version that is named needs an action of its own, and that alone
    /// (docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, Permissions).
    #[must_use]
    pub fn of_reading(object: ObjectRef<'_>) -> Self {
        match object.version_id {
            Some(_) => Self::ReadVersion,
            None => Self::ReadObject,
        }
    }

    /// What a refused read of a source object's tags lacks.
    #[must_use]
    pub fn of_reading_tags(object: ObjectRef<'_>) -> Self {
        match object.version_id {
            Some(_) => Self::ReadVersionTags,
            None => Self::ReadTags,
        }
    }

    /// What a refused write lacks, once reading is known to be allowed.
    #[must_use]
    pub fn of_write(spec: &RunSpec, carries_tags: bool) -> Self {
        if spec.kms_key_arn.is_some() {
            Self::WriteObjectOrUseKey
        } else if carries_tags {
            Self::WriteObjectOrTags
        } else if spec.acl.is_some() {
            Self::WriteObjectOrAcl
        } else {
            Self::WriteObject
        }
    }

    /// What a refused upload without tags lacks.
    #[must_use]
    pub fn of_begun_write(spec: &RunSpec) -> Self {
        match spec.acl {
            Some(_) => Self::WriteObjectOrAcl,
            None => Self::WriteObject,
        }
    }

    /// The side at which it is missing.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::TellMissingObject
            | Self::ReadObject
            | Self::ReadTags
            | Self::ReadVersion
            | Self::ReadVersionTags
            | Self::UseSourceKey => Side::Source,
            Self::WriteObject
            | Self::WriteTags
            | Self::WriteObjectOrTags
            | Self::WriteObjectOrAcl
            | Self::WriteObjectOrUseKey
            | Self::ReadTargetObject
            | Self::DeleteObject
            | Self::ListParts
            | Self::ListUploads
            | Self::AbortUpload => Side::Target,
        }
    }

    /// The actions, one of which is missing; the most likely first.
    #[must_use]
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::TellMissingObject => &[Action::ListBucket],
            Self::ReadObject | Self::ReadTargetObject => &[Action::GetObject],
            Self::ReadTags => &[Action::GetObjectTagging],
            Self::ReadVersion => &[Action::GetObjectVersion],
            Self::ReadVersionTags => &[Action::GetObjectVersionTagging],
            Self::UseSourceKey => &[Action::Decrypt],
            Self::WriteObject => &[Action::PutObject],
            Self::WriteTags => &[Action::PutObjectTagging],
            Self::WriteObjectOrTags => &[Action::PutObject, Action::PutObjectTagging],
            Self::WriteObjectOrAcl => &[Action::PutObject, Action::PutObjectAcl],
            Self::WriteObjectOrUseKey => &[Action::PutObject, Action::GenerateDataKey],
            Self::DeleteObject => &[Action::DeleteObject],
            Self::ListParts => &[Action::ListMultipartUploadParts],
            Self::ListUploads => &[Action::ListBucketMultipartUploads],
            Self::AbortUpload => &[Action::AbortMultipartUpload],
        }
    }

    /// What may be behind a refusal beside a missing statement.
    fn advice(self, spec: &RunSpec) -> Option<String> {
        match self {
            Self::ReadObject | Self::ReadVersion => Some(about_reading(spec)),
            Self::WriteObject
            | Self::WriteObjectOrTags
            | Self::WriteObjectOrAcl
            | Self::WriteObjectOrUseKey => about_writing(spec),
            _ => None,
        }
    }

    /// The refused call, for the copy of one object.
    #[must_use]
    pub fn denial(self, spec: &RunSpec, source_key: &ObjectKey, target_key: &ObjectKey) -> Denial {
        let key = match self.side() {
            Side::Source => source_key,
            Side::Target => target_key,
        };
        self.denial_on(spec, key)
    }

    /// The refused call on the object `key` of its side, or on its bucket.
    #[must_use]
    pub fn denial_on(self, spec: &RunSpec, key: &ObjectKey) -> Denial {
        let side = self.side();
        let resource = match self {
            Self::TellMissingObject | Self::ListUploads => spec.pair.bucket_arn(side),
            _ => spec.pair.object_arn(side, key),
        };
        Denial::of_target_role(&spec.pair, side, self.actions(), resource)
            .with_run_key(spec.kms_key_arn.clone())
            .with_advice(self.advice(spec))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{failure::refusal::RefusingPolicy, run::input::RunInput, value::arn::Arn};

    #[test]
    fn what_aws_reported_needs_no_probing() {
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
                resource: Some(Arn::new(resource).unwrap()),
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
