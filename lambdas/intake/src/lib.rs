//! The intake Lambda.
