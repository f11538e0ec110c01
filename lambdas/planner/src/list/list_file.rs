//! One version of a file of a list, read by ranges.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use shardlift_core::{
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::{FileVersion, ListFiles},
    value::{bucket::BucketName, object::ETag, printable::Printable},
};

use crate::run::RequestMeter;

/// How often a range is read whose body was cut off. The client itself retries whatever fails before the body.
const CUT_OFF_MAX: u32 = 4;

/// What was sent to read a list.
#[derive(Debug, Clone, Default)]
pub(super) struct ListRequests {
    finds: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl ListRequests {
    pub(super) fn note_find(&self) {
        self.finds.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts them in the requests of the invocation.
    pub(super) fn count_in(&self, meter: &mut RequestMeter) {
        meter.add("s3:HeadObject", self.finds.load(Ordering::Relaxed));
        meter.add("s3:GetObject", self.reads.load(Ordering::Relaxed));
    }
}

/// One version of a file.
#[derive(Debug)]
pub(super) struct ListFile<'a, F> {
    files: &'a F,
    bucket: BucketName,
    key: String,
    role: FileRole,
    version: FileVersion,
    requests: ListRequests,
}

/// What a file is of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileRole {
    /// The list.
    List,
    /// A file that the list names: a data file of an inventory, or receipts of an index.
    Part,
}

impl FileRole {
    const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Part => "a file that the list names,",
        }
    }

    /// What to do about a file that is missing.
    const fn when_missing(self) -> &'static str {
        match self {
            Self::List => "check source.list, or upload the list: shardlift start --list FILE",
            Self::Part => {
                "restore the file, or name another list in source.list, and start a new execution"
            }
        }
    }
}

/// Where a file lies, and what it is of its list.
pub(super) type FilePlace<'p> = (FileRole, &'p BucketName, &'p str);

impl<'a, F: ListFiles> ListFile<'a, F> {
    /// The file as it is now, which is to be the version `expected` if there is one.
    pub(super) async fn open(
        files: &'a F,
        place @ (role, bucket, key): FilePlace<'_>,
        expected: Option<&ETag>,
        requests: &ListRequests,
    ) -> Result<Self, Failure> {
        requests.note_find();
        let found = files.find(bucket, key).await;
        let found = found.map_err(|fault| explained(fault, place))?;
        let Some(version) = found else {
            let action = role.when_missing();
            return Err(refused_file(place, "there is no such object", action));
        };
        if expected.is_some_and(|expected| *expected != version.etag) {
            return Err(changed(place));
        }
        Ok(Self::of(files, place, version, requests))
    }

    /// The file in a version that was found before.
    pub(super) fn of(
        files: &'a F,
        (role, bucket, key): FilePlace<'_>,
        version: FileVersion,
        requests: &ListRequests,
    ) -> Self {
        Self {
            files,
            bucket: bucket.clone(),
            key: key.to_owned(),
            role,
            version,
            requests: requests.clone(),
        }
    }

    pub(super) fn version(&self) -> &FileVersion {
        &self.version
    }

    /// The name that messages use.
    pub(super) fn name(&self) -> String {
        self.key.clone()
    }

    /// The bytes of a range, cut at the end of the file.
    pub(super) async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        let range = range.start..range.end.min(self.version.size_bytes);
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let mut attempt = 1;
        loop {
            self.requests.note_read();
            let (bucket, key) = (&self.bucket, &self.key);
            let read = self.files.read(bucket, key, &self.version, range.clone());
            match read.await {
                Ok(bytes) => return Ok(bytes),
                Err(fault)
                    if fault.kind == FaultKind::MalformedResponse && attempt < CUT_OFF_MAX =>
                {
                    attempt += 1;
                }
                Err(fault) => return Err(explained(fault, (self.role, bucket, key))),
            }
        }
    }
}

fn explained(fault: CallFault, place @ (role, bucket, key): FilePlace<'_>) -> Failure {
    let what = role.name();
    match fault.kind {
        FaultKind::ConditionFailed => changed(place),
        FaultKind::NoSuchKey => refused_file(
            place,
            "it was deleted while it was read",
            "upload it again and start a new execution",
        ),
        FaultKind::AccessDenied => Failure::new(
            FailureCode::AccessDenied,
            format!(
                "{what} s3://{bucket}/{}: {fault}. The planner's execution role must be allowed s3:GetObject there, which the stack's parameter AllowedListBuckets grants, and the bucket must belong to the stack's own account; a key that does not exist is refused in the same way",
                Printable(key)
            ),
        ),
        _ => Failure::from(fault).within(format!("{what} s3://{bucket}/{}", Printable(key))),
    }
}

fn changed(place: FilePlace<'_>) -> Failure {
    refused_file(
        place,
        "it was overwritten while it was read, so that a part of each version would be planned",
        "start a new execution, which reads the list as it is now",
    )
}

/// The refusal of a list. A plan that is not finished copies nothing.
pub(super) fn refused(bucket: &BucketName, key: &str, problem: &str, action: &str) -> Failure {
    refused_file((FileRole::List, bucket, key), problem, action)
}

/// The same of any file of a list.
fn refused_file((role, bucket, key): FilePlace<'_>, problem: &str, action: &str) -> Failure {
    Failure::new(
        FailureCode::InvalidRun,
        format!(
            "{} s3://{bucket}/{}: {problem}. Nothing was copied; {action}",
            role.name(),
            Printable(key)
        ),
    )
}
