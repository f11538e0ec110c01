//! The actions of IAM, as policies name them.

/// An action that one of our documents grants or refuses, or that one of our calls needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Enter a role.
    AssumeRole,
    /// List the objects of a bucket, and tell a missing one from a forbidden one.
    ListBucket,
    /// List the unfinished uploads of a bucket.
    ListBucketMultipartUploads,
    /// Read an object.
    GetObject,
    /// Read its tags.
    GetObjectTagging,
    /// Read an annotation of it.
    GetObjectAnnotation,
    /// List its annotations.
    ListObjectAnnotations,
    /// List the versions of the objects of a bucket.
    ListBucketVersions,
    /// Ask whether a bucket keeps versions.
    GetBucketVersioning,
    /// Read a version of an object by its id.
    GetObjectVersion,
    /// Read its tags.
    GetObjectVersionTagging,
    /// Read an annotation of it.
    GetObjectVersionAnnotation,
    /// List its annotations.
    ListObjectVersionAnnotations,
    /// Write an object.
    PutObject,
    /// Give it tags.
    PutObjectTagging,
    /// Give it an access control list.
    PutObjectAcl,
    /// Give it an annotation.
    PutObjectAnnotation,
    /// Abort an upload.
    AbortMultipartUpload,
    /// List the parts of an upload.
    ListMultipartUploadParts,
    /// Delete an object.
    DeleteObject,
    /// Every action of S3; only ever refused.
    EveryS3Action,
    /// Decrypt with a key.
    Decrypt,
    /// Encrypt with a key.
    GenerateDataKey,
    /// Read a record of the ledger.
    GetItem,
    /// Write one.
    PutItem,
    /// Delete one.
    DeleteItem,
    /// Read many.
    Query,
    /// Start an execution.
    StartExecution,
    /// Receive messages of a queue.
    ReceiveMessage,
    /// Delete them.
    DeleteMessage,
    /// Look at the queue.
    GetQueueAttributes,
    /// Ask what became of an execution.
    DescribeExecution,
    /// List the executions of a state machine.
    ListExecutions,
    /// Stop an execution.
    StopExecution,
    /// Read the parameters and outputs of a stack.
    DescribeStacks,
    /// Read a schedule.
    GetSchedule,
    /// Find the schedules of an account.
    ListSchedules,
    /// Publish a notification.
    Publish,
    /// Begin a log.
    CreateLogStream,
    /// Write it.
    PutLogEvents,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 40] = [
        Self::AssumeRole,
        Self::ListBucket,
        Self::ListBucketMultipartUploads,
        Self::GetObject,
        Self::GetObjectTagging,
        Self::GetObjectAnnotation,
        Self::ListObjectAnnotations,
        Self::ListBucketVersions,
        Self::GetBucketVersioning,
        Self::GetObjectVersion,
        Self::GetObjectVersionTagging,
        Self::GetObjectVersionAnnotation,
        Self::ListObjectVersionAnnotations,
        Self::PutObject,
        Self::PutObjectTagging,
        Self::PutObjectAcl,
        Self::PutObjectAnnotation,
        Self::AbortMultipartUpload,
        Self::ListMultipartUploadParts,
        Self::DeleteObject,
        Self::EveryS3Action,
        Self::Decrypt,
        Self::GenerateDataKey,
        Self::GetItem,
        Self::PutItem,
        Self::DeleteItem,
        Self::Query,
        Self::StartExecution,
        Self::ReceiveMessage,
        Self::DeleteMessage,
        Self::GetQueueAttributes,
        Self::DescribeExecution,
        Self::ListExecutions,
        Self::StopExecution,
        Self::DescribeStacks,
        Self::GetSchedule,
        Self::ListSchedules,
        Self::Publish,
        Self::CreateLogStream,
        Self::PutLogEvents,
    ];

    /// Its name in a policy, for example `s3:GetObject`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::ListBucket => "s3:ListBucket",
            Self::ListBucketMultipartUploads => "s3:ListBucketMultipartUploads",
            Self::GetObject => "s3:GetObject",
            Self::GetObjectTagging => "s3:GetObjectTagging",
            Self::GetObjectAnnotation => "s3:GetObjectAnnotation",
            Self::ListObjectAnnotations => "s3:ListObjectAnnotations",
            Self::ListBucketVersions => "s3:ListBucketVersions",
            Self::GetBucketVersioning => "s3:GetBucketVersioning",
            Self::GetObjectVersion => "s3:GetObjectVersion",
            Self::GetObjectVersionTagging => "s3:GetObjectVersionTagging",
            Self::GetObjectVersionAnnotation => "s3:GetObjectVersionAnnotation",
            Self::ListObjectVersionAnnotations => "s3:ListObjectVersionAnnotations",
            Self::PutObject => "s3:PutObject",
            Self::PutObjectTagging => "s3:PutObjectTagging",
            Self::PutObjectAcl => "s3:PutObjectAcl",
            Self::PutObjectAnnotation => "s3:PutObjectAnnotation",
            Self::AbortMultipartUpload => "s3:AbortMultipartUpload",
            Self::ListMultipartUploadParts => "s3:ListMultipartUploadParts",
            Self::DeleteObject => "s3:DeleteObject",
            Self::EveryS3Action => "s3:*",
            Self::Decrypt => "kms:Decrypt",
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::GetItem => "dynamodb:GetItem",
            Self::PutItem => "dynamodb:PutItem",
            Self::DeleteItem => "dynamodb:DeleteItem",
            Self::Query => "dynamodb:Query",
            Self::StartExecution => "states:StartExecution",
            Self::ReceiveMessage => "sqs:ReceiveMessage",
            Self::DeleteMessage => "sqs:DeleteMessage",
            Self::GetQueueAttributes => "sqs:GetQueueAttributes",
            Self::DescribeExecution => "states:DescribeExecution",
            Self::ListExecutions => "states:ListExecutions",
            Self::StopExecution => "states:StopExecution",
            Self::DescribeStacks => "cloudformation:DescribeStacks",
            Self::GetSchedule => "scheduler:GetSchedule",
            Self::ListSchedules => "scheduler:ListSchedules",
            Self::Publish => "sns:Publish",
            Self::CreateLogStream => "logs:CreateLogStream",
            Self::PutLogEvents => "logs:PutLogEvents",
        }
    }

    /// Whether it reads or writes annotations, which not every partition's S3 knows.
    #[must_use]
    pub const fn is_of_annotations(self) -> bool {
        matches!(
            self,
            Self::GetObjectAnnotation
                | Self::ListObjectAnnotations
                | Self::GetObjectVersionAnnotation
                | Self::ListObjectVersionAnnotations
                | Self::PutObjectAnnotation
        )
    }

    /// The action of this name; nothing where it is none of ours.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An action as AWS reports it: one of ours, or one that we have never heard of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ReportedAction {
    /// One of ours.
    Known(Action),
    /// Another one, by its name.
    Other(String),
}

impl ReportedAction {
    /// Its name in a policy.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Known(action) => action.name(),
            Self::Other(name) => name,
        }
    }

    /// The action, if it is one of ours.
    #[must_use]
    pub const fn known(&self) -> Option<Action> {
        match self {
            Self::Known(action) => Some(*action),
            Self::Other(_) => None,
        }
    }

    /// Whether it is one of KMS.
    #[must_use]
    pub fn is_of_kms(&self) -> bool {
        self.name().starts_with("kms:")
    }
}

impl From<&str> for ReportedAction {
    fn from(name: &str) -> Self {
        Action::parse(name).map_or_else(|| Self::Other(name.to_owned()), Self::Known)
    }
}

impl From<String> for ReportedAction {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl From<ReportedAction> for String {
    fn from(action: ReportedAction) -> Self {
        action.name().to_owned()
    }
}

impl From<Action> for ReportedAction {
    fn from(action: Action) -> Self {
        Self::Known(action)
    }
}

impl std::fmt::Display for ReportedAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_read_by_its_name() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(action));
            assert_eq!(ReportedAction::from(action.name()).known(), Some(action));
        }
    }

    #[test]
    fn an_action_that_is_none_of_ours_keeps_its_name() {
        let other = ReportedAction::from("kms:DescribeKey");
        assert_eq!((other.name(), other.known()), ("kms:DescribeKey", None));
        assert!(other.is_of_kms());
    }
}
