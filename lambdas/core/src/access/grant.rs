//! The one table of who must grant what: each statement of each document, with its actions.
//!
//! Messages name statements by it and find the deciding documents in it; a test holds it equal to the documents that
//! [`policy`](super::policy) makes.

use super::document::PolicyDocument::{
    self, ExecutionRole, KeyPolicy, SourceBucketPolicy, TargetBucketPolicy, TargetRolePermissions,
    TargetRoleTrust,
};
use crate::{
    run::pair::Side,
    value::action::Action::{
        self, AbortMultipartUpload, AssumeRole, CreateLogStream, Decrypt, DeleteItem,
        DeleteMessage, DeleteObject, DescribeExecution, GenerateDataKey, GetBucketVersioning,
        GetItem, GetObject, GetObjectAnnotation, GetObjectTagging, GetObjectVersion,
        GetObjectVersionAnnotation, GetObjectVersionTagging, GetQueueAttributes, ListBucket,
        ListBucketMultipartUploads, ListBucketVersions, ListMultipartUploadParts,
        ListObjectAnnotations, ListObjectVersionAnnotations, Publish, PutItem, PutLogEvents,
        PutObject, PutObjectAcl, PutObjectAnnotation, PutObjectTagging, Query, ReceiveMessage,
        StartExecution,
    },
};

/// Where a statement allows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// At the source: its bucket, its objects, the key that encrypts them.
    Source,
    /// At the target: the same, and the target role.
    Target,
    /// In the stack itself: ledger, control bucket, topic, logs.
    Stack,
    /// Where lists lie: in the control bucket, and in the buckets that the stack names.
    Lists,
}

impl From<Side> for Realm {
    fn from(side: Side) -> Self {
        match side {
            Side::Source => Self::Source,
            Side::Target => Self::Target,
        }
    }
}

/// One statement that a document must contain. Options of a run may take actions out of it, or the whole statement.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// The document.
    pub document: PolicyDocument,
    /// Where it allows the actions.
    pub realm: Realm,
    /// The statement's id (Sid).
    pub sid: &'static str,
    /// What it allows.
    pub actions: &'static [Action],
}

const fn grant(
    document: PolicyDocument,
    realm: Realm,
    sid: &'static str,
    actions: &'static [Action],
) -> Grant {
    Grant {
        document,
        realm,
        sid,
        actions,
    }
}

/// Reading an object, its tags and its annotations, in its newest version and in others.
const READ: &[Action] = &[
    GetObject,
    GetObjectTagging,
    GetObjectAnnotation,
    ListObjectAnnotations,
    GetObjectVersion,
    GetObjectVersionTagging,
    GetObjectVersionAnnotation,
    ListObjectVersionAnnotations,
];

/// Writing an object, and reading what an unclear write left.
const WRITE: &[Action] = &[
    PutObject,
    GetObject,
    AbortMultipartUpload,
    ListMultipartUploadParts,
    PutObjectTagging,
    PutObjectAnnotation,
    PutObjectAcl,
];

/// The table.
#[rustfmt::skip]
pub const GRANTS: &[Grant] = &[
    // A function's own role in the source account. An action has one id in all three, so that a message about a refused
    // call names the statement without knowing whose role it was.
    grant(ExecutionRole, Realm::Stack, "WriteItsLog", &[CreateLogStream, PutLogEvents]),
    grant(ExecutionRole, Realm::Stack, "ReadTheLedger", &[GetItem, Query]),
    grant(ExecutionRole, Realm::Stack, "WriteTheLedger", &[PutItem]),
    grant(ExecutionRole, Realm::Stack, "ReleaseTheLock", &[DeleteItem]),
    grant(ExecutionRole, Realm::Stack, "ReadTheRunsDocuments", &[GetObject]),
    grant(ExecutionRole, Realm::Lists, "ReadTheLists", &[GetObject]),
    grant(ExecutionRole, Realm::Stack, "WriteTheRunsDocuments", &[PutObject, AbortMultipartUpload]),
    grant(ExecutionRole, Realm::Stack, "TellMissingFromForbidden", &[ListBucket]),
    grant(ExecutionRole, Realm::Stack, "AskWhetherALockIsStillHeld", &[DescribeExecution]),
    grant(ExecutionRole, Realm::Stack, "Notify", &[Publish]),
    grant(ExecutionRole, Realm::Stack, "TakeTheMessages", &[ReceiveMessage, DeleteMessage, GetQueueAttributes]),
    grant(ExecutionRole, Realm::Stack, "RemoveTheEvents", &[DeleteObject]),
    grant(ExecutionRole, Realm::Stack, "StartRuns", &[StartExecution]),
    grant(ExecutionRole, Realm::Source, "ListTheSource", &[ListBucket]),
    grant(ExecutionRole, Realm::Source, "ListTheVersionsOfTheSource", &[ListBucketVersions, GetBucketVersioning]),
    grant(ExecutionRole, Realm::Target, "EnterTheTargetAccount", &[AssumeRole]),
    grant(TargetRoleTrust, Realm::Target, "LetTheFunctionsEnter", &[AssumeRole]),
    // The target role at the source, which belongs to the other account.
    grant(TargetRolePermissions, Realm::Source, "ListTheSource", &[ListBucket]),
    grant(SourceBucketPolicy, Realm::Source, "ShardliftListSource", &[ListBucket]),
    grant(TargetRolePermissions, Realm::Source, "ReadTheSource", READ),
    grant(SourceBucketPolicy, Realm::Source, "ShardliftReadSource", READ),
    grant(TargetRolePermissions, Realm::Source, "DecryptTheSource", &[Decrypt]),
    grant(KeyPolicy, Realm::Source, "ShardliftDecryptSource", &[Decrypt]),
    // The target role at the target.
    grant(TargetRolePermissions, Realm::Target, "ListTheTarget", &[ListBucket]),
    grant(TargetBucketPolicy, Realm::Target, "LetTheRoleList", &[ListBucket]),
    grant(TargetRolePermissions, Realm::Target, "ListTheUploadsOfTheTarget", &[ListBucketMultipartUploads]),
    grant(TargetBucketPolicy, Realm::Target, "LetTheRoleListUploads", &[ListBucketMultipartUploads]),
    grant(TargetRolePermissions, Realm::Target, "WriteTheTarget", WRITE),
    grant(TargetRolePermissions, Realm::Target, "DeleteAtTheTarget", &[DeleteObject]),
    grant(TargetBucketPolicy, Realm::Target, "LetTheRoleWrite", WRITE),
    grant(TargetBucketPolicy, Realm::Target, "LetTheRoleWrite", &[DeleteObject]),
    grant(TargetRolePermissions, Realm::Target, "EncryptTheTarget", &[GenerateDataKey, Decrypt]),
    grant(KeyPolicy, Realm::Target, "ShardliftEncryptTarget", &[GenerateDataKey, Decrypt]),
];

/// The statements that allow `action` in `realm`, those of the callers' own roles first.
pub(super) fn grants_of(action: Action, realm: Realm) -> impl Iterator<Item = &'static Grant> {
    GRANTS
        .iter()
        .filter(move |grant| grant.realm == realm && grant.actions.contains(&action))
}

impl PolicyDocument {
    /// The id of its statement that allows `action` in `realm`; nothing where the document does not deal with it.
    #[must_use]
    pub fn sid(self, action: Action, realm: Realm) -> Option<&'static str> {
        grants_of(action, realm)
            .find(|grant| grant.document == self)
            .map(|grant| grant.sid)
    }

    /// The caller's own policy beside which this one decides, as the policy of what is called; nothing for a caller's own.
    pub(super) const fn beside(self) -> Option<Self> {
        match self {
            Self::SourceBucketPolicy | Self::TargetBucketPolicy | Self::KeyPolicy => {
                Some(Self::TargetRolePermissions)
            }
            Self::TargetRoleTrust => Some(Self::ExecutionRole),
            Self::ExecutionRole | Self::TargetRolePermissions => None,
        }
    }

    /// The document with the id of its statement that allows `action`, as a person looks for it.
    pub(super) fn with_statement(self, action: Action, realm: Realm) -> String {
        match self.sid(action, realm) {
            Some(sid) => format!("{self} (statement {sid})"),
            None => self.to_string(),
        }
    }

    /// The document with its statement for either key, where it is not known which of the two refused `action`.
    pub(super) fn with_statement_of_either_key(self, action: Action) -> String {
        match (
            self.sid(action, Realm::Source),
            self.sid(action, Realm::Target),
        ) {
            (Some(source), Some(target)) if source != target => format!(
                "{self} (statement {source} for the source's key, {target} for the target's)"
            ),
            _ => self.with_statement(action, Realm::Source),
        }
    }
}
