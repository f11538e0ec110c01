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
    version: FileVersion,
    requests: ListRequests,
}

impl<'a, F: ListFiles> ListFile<'a, F> {
    /// The file as it is now, which is to be the version `expected` if there is one.
    pub(super) async fn open(
        files: &'a F,
        (bucket, key): (&BucketName, &str),
        expected: Option<&ETag>,
        requests: &ListRequests,
    ) -> Result<Self, Failure> {
        requests.note_find();
        let found = files.find(bucket, key).await;
        let found = found.map_err(|fault| explained(fault, bucket, key))?;
        let Some(version) = found else {
            return Err(refused(
                bucket,
                key,
                "there is no such object",
                "check source.list, or upload the list: shardlift start --list FILE",
            ));
        };
        if expected.is_some_and(|expected| *expected != version.etag) {
            return Err(changed(bucket, key));
        }
        Ok(Self::of(files, (bucket, key), version, requests))
    }

    /// The file in a version that was found before.
    pub(super) fn of(
        files: &'a F,
        (bucket, key): (&BucketName, &str),
        version: FileVersion,
        requests: &ListRequests,
    ) -> Self {
        Self {
            files,
            bucket: bucket.clone(),
            key: key.to_owned(),
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
                Err(fault) => return Err(explained(fault, bucket, key)),
            }
        }
    }
}

fn explained(fault: CallFault, bucket: &BucketName, key: &str) -> Failure {
    match fault.kind {
        FaultKind::ConditionFailed => changed(bucket, key),
        FaultKind::NoSuchKey => refused(
            bucket,
            key,
            "it was deleted while it was read",
            "upload it again and start a new execution",
        ),
        FaultKind::AccessDenied => Failure::new(
            FailureCode::AccessDenied,
            format!(
                "list s3://{bucket}/{}: {fault}. The planner's execution role must be allowed s3:GetObject there, which the stack's parameter AllowedListBuckets grants, and the bucket must belong to the stack's own account; a key that does not exist is refused in the same way",
                Printable(key)
            ),
        ),
        _ => Failure::from(fault).within(format!("list s3://{bucket}/{}", Printable(key))),
    }
}

fn changed(bucket: &BucketName, key: &str) -> Failure {
    refused(
        bucket,
        key,
        "it was overwritten while it was read, so that a part of each version would be planned",
        "start a new execution, which reads the list as it is now",
    )
}

/// The refusal of a file of a list. A plan that is not finished copies nothing.
pub(super) fn refused(bucket: &BucketName, key: &str, problem: &str, action: &str) -> Failure {
    Failure::new(
        FailureCode::InvalidRun,
        format!(
            "list s3://{bucket}/{}: {problem}. Nothing was copied; {action}",
            Printable(key)
        ),
    )
}
