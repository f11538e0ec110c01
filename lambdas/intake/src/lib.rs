//! The intake: events of the source become runs.
//!
//! [`Intake::take`] reads a batch of messages from the queue, writes the keys that they tell of to a list that waits in the
//! control bucket, and starts a run over what waits, unless another run holds the pair. A message is done with once its keys
//! are in a waiting list, and a waiting list once a run has done what it says: so nothing is lost, whatever fails, and
//! nobody has to hold messages back in the queue while a run takes hours.
//!
//! `core::events` decides; [`pair_lock`] keeps two starts apart.

mod intake;
mod pair_lock;
mod payload;
mod ports;

pub use intake::{HELD_FOR, Intake};
pub use payload::{BatchReply, QueueBatch};
pub use ports::Ports;
