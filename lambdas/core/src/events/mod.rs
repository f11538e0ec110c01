//! Events: what S3 says happened at the source becomes lists of keys to look at, and those become runs.
//!
//! An event is a hint that a key may have changed, nothing more: a run copies what stands at the source when it looks. So
//! doubled, late and disordered events change nothing but the work that is done. [`message`] reads what arrives,
//! [`batch`] makes one list of many events, [`waiting`] names the lists that wait and the run that takes them.

pub mod batch;
mod digest;
pub mod message;
pub mod waiting;

pub use batch::{EventBatch, EventRules};
pub use message::{EventKind, Message, RETRY_MESSAGE, ReadEvents, SourceEvent};
pub use waiting::{
    EventRun, HELD_FOR, HELD_KEY, HELD_MARK, WAITING_FOLDER, WaitingList, WaitingName,
};
