//! The control API under `/_model/`: JSON in, JSON out. It is neither counted nor delayed.
//!
//! Read `api` first (the routes), then the files of the routes: `buckets`, `objects`,
//! `principals`, `weather`, `comparison`. `outcome` is what they return.

pub(crate) mod api;
mod buckets;
mod comparison;
mod kms_keys;
mod objects;
mod outcome;
mod principals;
mod weather;
