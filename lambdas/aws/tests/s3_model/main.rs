//! The S3 adapters keep the promises of their ports, over a socket, against the S3 model server.

mod faults;
mod local_sts;
mod parsers;
mod suites;
mod world;
