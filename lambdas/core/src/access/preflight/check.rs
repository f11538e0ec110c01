//! The checks before a run, in their order.

use serde::{Deserialize, Serialize};

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
            Self::WriteTarget => "begin an object at the target",
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
