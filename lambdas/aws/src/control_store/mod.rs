//! The control bucket, through S3. [`store`] implements the port, [`writer`] writes large objects in parts, and
//! [`control_bucket`] holds the requests of single objects that both send.

mod control_bucket;
mod store;
mod writer;

pub use store::S3ControlStore;
pub use writer::S3ControlWriter;
