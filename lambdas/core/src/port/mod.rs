//! The ports to the world, named by role. Adapters (the `aws` crate, the in-memory testkit) translate; they do not decide.
//!
//! Every method tells whether it is idempotent and which faults it gives. Retries that the protocol itself
//! asks for (throttling, 5xx, resets) are the adapter's; what comes back as a fault is what was left after them.

mod accounts;
mod bucket_listing;
mod clock;
mod control_store;
mod event_lists;
mod executions;
mod ledger;
mod list_files;
mod notifier;
mod object_bytes;
mod run_starts;
mod target_bucket;
mod version_listing;

pub use accounts::{Accounts, SessionName, SourceBucket};
pub use bucket_listing::{
    BucketListing, ListRequest, ObjectPage, PageProblem, malformed_listing, untrusted_listing,
};
pub use clock::Clock;
pub use control_store::{ControlStore, ControlWriter};
pub use event_lists::{EventLists, StoredEventList};
pub use executions::{ExecutionState, Executions};
pub use ledger::{
    Ledger, PLAN_STEP_RECORDS_MAX, Page, PagedRecord, PlanStep, PutOutcome, RecordStream,
};
pub use list_files::{FileVersion, ListFiles};
pub use notifier::{Notification, Notifier};
pub use object_bytes::{NewObject, ObjectBytes};
pub use run_starts::{RunStarts, StartOutcome};
pub use target_bucket::{
    ChecksumType, CopyOptions, CopyReceipt, CopySource, CreatedUpload, DELETE_OBJECTS_MAX,
    ObjectAttributes, ObjectRef, ObjectToDelete, PartReceipt, Probe, TagSet, TargetBucket,
    UploadSpec,
};
pub use version_listing::{ListedVersion, VersionMarker, VersionPage, VersionRequest, Versioning};
