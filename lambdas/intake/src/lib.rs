//! The intake: events of the source become runs.
//!
//! [`Intake::take`] reads a batch of messages from the queue, writes the keys that they tell of to a list that waits in the
//! control bucket, and starts a run over what waits, unless another run holds the pair. A message is done with once its keys
//! are in a waiting list, and a waiting list once a run has done what it says: so nothing is lost, whatever fails, and
//! nobody has to hold messages back in the queue while a run takes hours.
//!
//! `core::events` decides; `shardlift_lock` keeps two starts apart: the lock of the pair is taken for a run before that is
//! started, and the run's planner finds it under its own name. So a run of events never begins while another run holds the
//! pair, two intakes at once start one run, and a nightly run that begins at this moment waits for the run of events, or
//! refuses it, whose lists then go on waiting.

mod intake;
mod payload;
mod ports;

pub use intake::Intake;
pub use payload::{BatchReply, QueueBatch};
pub use ports::Ports;
