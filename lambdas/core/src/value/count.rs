//! A number of objects and their bytes.

use serde::{Deserialize, Serialize};

/// A number of objects and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Count {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Count {
    /// Adds one object of this size.
    pub fn add_object(&mut self, size_bytes: u64) {
        self.add(Self {
            objects: 1,
            bytes: size_bytes,
        });
    }

    /// Adds another count. Panics past 2^64 bytes, which is more than S3 holds.
    pub fn add(&mut self, other: Self) {
        self.objects = self
            .objects
            .checked_add(other.objects)
            .expect("object counts fit 64 bits");
        self.bytes = self
            .bytes
            .checked_add(other.bytes)
            .expect("byte counts fit 64 bits");
    }
}
