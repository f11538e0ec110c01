//! The checks before a run, in their order.

use serde::{Deserialize, Serialize};

use crate::{
    access::{document::PolicyDocument, grant::Realm},
    value::action::Action,
};

/// What is checked, in this order; what needs an earlier check is not checked without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The planner finds the source bucket, where it is and whose it is.
    FindSource,
    /// The planner lists the source.
    ListSource,
    /// The planner enters the target account.
    EnterTargetAccount,
    /// The role finds the target bucket, where it is and whose it is.
    FindTarget,
    /// The role lists the target.
    ListTarget,
    /// The role reads an object of the source.
    ReadSource,
    /// The role reads its tags.
    ReadSourceTags,
    /// The role tells a missing source object from a forbidden one.
    TellMissingSource,
    /// The role begins an object at the target, as the run would write it, its key and storage class included.
    WriteTarget,
    /// The role may give it tags.
    TagTarget,
    /// The role sees unfinished uploads at the target.
    ListUploads,
    /// The role copies a source object into a part of the unfinished one.
    CopyPart,
    /// The role lists the parts of an unfinished upload.
    ListParts,
    /// The role aborts an unfinished upload.
    AbortUpload,
    /// The role reads at the target what an unclear response left there.
    ReadTarget,
    /// The role may delete at the target, for a mirror.
    DeleteTarget,
}

impl Check {
    /// Every check, in order.
    pub const ALL: [Self; 16] = [
        Self::FindSource,
        Self::ListSource,
        Self::EnterTargetAccount,
        Self::FindTarget,
        Self::ListTarget,
        Self::ReadSource,
        Self::ReadSourceTags,
        Self::TellMissingSource,
        Self::WriteTarget,
        Self::TagTarget,
        Self::ListUploads,
        Self::CopyPart,
        Self::ListParts,
        Self::AbortUpload,
        Self::ReadTarget,
        Self::DeleteTarget,
    ];

    /// The statements that were used when it works: each document with the id of its statement.
    pub(super) fn used_statements(self) -> impl Iterator<Item = (PolicyDocument, &'static str)> {
        use PolicyDocument::{
            ExecutionRole, SourceBucketPolicy, TargetBucketPolicy, TargetRolePermissions,
            TargetRoleTrust,
        };
        const OF_FUNCTION: &[PolicyDocument] = &[ExecutionRole, TargetRoleTrust];
        const OF_ROLE: &[PolicyDocument] = &[
            TargetRolePermissions,
            SourceBucketPolicy,
            TargetBucketPolicy,
        ];
        let (documents, action, realm) = match self {
            Self::FindSource | Self::ListSource => (OF_FUNCTION, Action::ListBucket, Realm::Source),
            Self::EnterTargetAccount => (OF_FUNCTION, Action::AssumeRole, Realm::Target),
            Self::FindTarget | Self::ListTarget => (OF_ROLE, Action::ListBucket, Realm::Target),
            Self::ReadSource | Self::CopyPart => (OF_ROLE, Action::GetObject, Realm::Source),
            Self::ReadSourceTags => (OF_ROLE, Action::GetObjectTagging, Realm::Source),
            Self::TellMissingSource => (OF_ROLE, Action::ListBucket, Realm::Source),
            Self::WriteTarget => (OF_ROLE, Action::PutObject, Realm::Target),
            Self::TagTarget => (OF_ROLE, Action::PutObjectTagging, Realm::Target),
            Self::ListUploads => (OF_ROLE, Action::ListBucketMultipartUploads, Realm::Target),
            Self::ListParts => (OF_ROLE, Action::ListMultipartUploadParts, Realm::Target),
            Self::AbortUpload => (OF_ROLE, Action::AbortMultipartUpload, Realm::Target),
            Self::ReadTarget => (OF_ROLE, Action::GetObject, Realm::Target),
            Self::DeleteTarget => (OF_ROLE, Action::DeleteObject, Realm::Target),
        };
        documents
            .iter()
            .filter_map(move |&document| Some((document, document.sid(action, realm)?)))
    }

    /// What it is, for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::FindSource => "find the source bucket, its Region and owner",
            Self::ListSource => "list the source",
            Self::EnterTargetAccount => "enter the target account",
            Self::FindTarget => "find the target bucket, its Region and owner",
            Self::ListTarget => "list the target",
            Self::ReadSource => "read an object of the source with the target role",
            Self::ReadSourceTags => "read its tags",
            Self::TellMissingSource => "tell a missing source object from a forbidden one",
            Self::WriteTarget => "start an upload at the target",
            Self::TagTarget => "give it tags",
            Self::ListUploads => "see unfinished uploads at the target",
            Self::CopyPart => "copy source bytes into an unfinished upload",
            Self::ListParts => "list the parts of an unfinished upload",
            Self::AbortUpload => "abort an unfinished upload",
            Self::ReadTarget => "read at the target",
            Self::DeleteTarget => "delete at the target",
        }
    }
}
