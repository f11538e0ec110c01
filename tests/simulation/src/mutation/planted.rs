//! The faults that are planted in the ports and in the machine, one at a time.

/// A fault in an adapter: something that a port promises and that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`PORT_FAULTS` says what each is")]
pub enum PortFault {
    CopyWithoutIfMatch,
    ReadWithoutIfMatch,
    PartWithoutIfMatch,
    SwallowedCopyError,
    SwallowedPartError,
    DeleteWithoutIfMatch,
    BlindSource,
    LostAbort,
    NoUploadsListed,
    TagsLeftOut,
    KeyNormalized,
    CutOffSource,
    CutOffTarget,
    ForgottenProgress,
    ForgottenUploads,
    UncheckedLease,
    UncheckedPlanStep,
    UncheckedRunRecord,
    ForgottenOptions,
    LostShard,
    LostKeptList,
    MissingShardPage,
    LockAlwaysFree,
    NobodyRuns,
    LostManifest,
    LostReceipts,
    LostReport,
    LostNotification,
    DoubleNotification,
    StrayWrite,
    SourceCleaned,
}

/// Each fault, and what it leaves out.
pub const PORT_FAULTS: &[(PortFault, &str)] = &[
    (
        PortFault::CopyWithoutIfMatch,
        "CopyObject without If-Match on its source",
    ),
    (
        PortFault::ReadWithoutIfMatch,
        "GetObject of an image without If-Match",
    ),
    (
        PortFault::PartWithoutIfMatch,
        "UploadPartCopy without If-Match on its source",
    ),
    (
        PortFault::SwallowedCopyError,
        "an error of CopyObject, in the body of a 200, is swallowed",
    ),
    (
        PortFault::SwallowedPartError,
        "an error of UploadPartCopy is swallowed",
    ),
    (
        PortFault::DeleteWithoutIfMatch,
        "a deletion without If-Match",
    ),
    (
        PortFault::BlindSource,
        "a copier's HEAD of the source finds nothing that the plan did not list",
    ),
    (PortFault::LostAbort, "aborting an upload has no effect"),
    (PortFault::NoUploadsListed, "no unfinished upload is listed"),
    (PortFault::TagsLeftOut, "copies leave tags behind"),
    (
        PortFault::KeyNormalized,
        "target keys are normalized like paths",
    ),
    (
        PortFault::CutOffSource,
        "a listing of the source ends with its third page",
    ),
    (
        PortFault::CutOffTarget,
        "a listing of the target ends with its third page",
    ),
    (
        PortFault::ForgottenProgress,
        "a shard that is yielded forgets what it settled",
    ),
    (
        PortFault::ForgottenUploads,
        "a shard's record forgets its open uploads",
    ),
    (
        PortFault::UncheckedLease,
        "the lease of a shard is not checked",
    ),
    (
        PortFault::UncheckedPlanStep,
        "steps of a plan are not conditional",
    ),
    (
        PortFault::UncheckedRunRecord,
        "the record of a run is replaced without a condition",
    ),
    (
        PortFault::ForgottenOptions,
        "options of renditions that changed are not recorded",
    ),
    (
        PortFault::LostShard,
        "a step of the plan loses its last shard",
    ),
    (
        PortFault::LostKeptList,
        "a step of the plan loses its list of what is the same",
    ),
    (
        PortFault::MissingShardPage,
        "the last page of the shards is never read",
    ),
    (PortFault::LockAlwaysFree, "the lock is always free"),
    (
        PortFault::NobodyRuns,
        "no execution seems to be under way, so locks are taken over",
    ),
    (PortFault::LostManifest, "a manifest is not written"),
    (PortFault::LostReceipts, "receipts are not written"),
    (PortFault::LostReport, "report.json is not written"),
    (
        PortFault::LostNotification,
        "a notification is not published",
    ),
    (
        PortFault::DoubleNotification,
        "a notification is published twice",
    ),
    (
        PortFault::StrayWrite,
        "an object is also written beside the target prefix",
    ),
    (
        PortFault::SourceCleaned,
        "a source object is removed once it is copied",
    ),
];
