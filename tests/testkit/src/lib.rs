//! In-memory implementations of Shardlift's ports, and faults for every call that they take.
//!
//! They are stricter than AWS where they differ at all: conditions are always checked, owners always
//! compared, sizes always limited. The conformance suites run on these and on the real adapters alike.

mod accounts;
mod bucket;
mod bucket_handle;
mod ceilings;
mod clock;
pub mod conformance;
mod control_store;
mod distortion;
mod executions;
mod held_lock;
mod history;
pub mod key_strategies;
mod ledger;
mod list_files;
mod notifier;
mod object_bytes;
mod run_starts;
mod script;
mod source_bucket;
mod stored_object;
mod target_bucket;
mod target_writes;
mod upload;
mod weather;

pub use accounts::{AssumedSession, MemoryAccounts};
pub use bucket::MemoryBuckets;
pub use ceilings::{ceilings_around, widest_ceilings};
pub use clock::ManualClock;
pub use control_store::{MemoryControlStore, MemoryControlWriter};
pub use executions::MemoryExecutions;
pub use ledger::MemoryLedger;
pub use list_files::MemoryListFiles;
pub use notifier::RecordingNotifier;
pub use run_starts::{MemoryRunStarts, StartedRun};
pub use script::{CallScript, Disturbance};
pub use source_bucket::MemorySource;
pub use stored_object::{StoredObject, content_of};
pub use target_bucket::MemoryTarget;
pub use weather::{CallEnd, CallFate, CallWeather};
