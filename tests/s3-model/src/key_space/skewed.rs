//! Prefixes of very unequal sizes.

use super::keys::{InvalidKeySpace, Keys, push_decimal, width};
use crate::number::{float, whole};
use crate::splitmix::mix;

/// A table holds the prefixes, so their number is bounded.
const PREFIXES_MAX: u64 = 4096;

/// `prefix-0042/object-000000000007`.
#[derive(Debug)]
pub(super) struct Skewed {
    /// `ends[p]` is the number of keys in the prefixes up to and including `p`.
    ends: Vec<u64>,
    prefix_width: usize,
    object_width: usize,
}

impl Skewed {
    pub(super) fn new(
        objects: u64,
        prefixes: u64,
        exponent: f64,
        seed: u64,
    ) -> Result<Self, InvalidKeySpace> {
        if prefixes == 0 || prefixes > PREFIXES_MAX || !(0.0..=8.0).contains(&exponent) {
            let reason =
                format!("skewed needs 1 to {PREFIXES_MAX} prefixes and an exponent of 0 to 8");
            return Err(InvalidKeySpace(reason));
        }
        // The seed decides which prefix gets which size: the largest is not always the first.
        let mut order: Vec<u64> = (0..prefixes).collect();
        order.sort_by_key(|prefix| mix(seed ^ mix(prefix + 1)));
        let mut weights = vec![0.0; order.len()];
        for (weight, rank) in order.iter().zip(1u64..) {
            weights[usize::try_from(*weight).unwrap_or(0)] = float(rank).powf(-exponent);
        }
        let total: f64 = weights.iter().sum();
        let mut running = 0.0;
        let mut ends: Vec<u64> = Vec::with_capacity(weights.len());
        for weight in weights {
            running += weight;
            ends.push(whole(float(objects) * running / total).min(objects));
        }
        if let Some(last) = ends.last_mut() {
            *last = objects;
        }
        Ok(Self {
            ends,
            prefix_width: width(prefixes).max(4),
            object_width: width(objects).max(9),
        })
    }
}

impl Keys for Skewed {
    fn write(&self, index: u64, out: &mut Vec<u8>) {
        let prefix = self.ends.partition_point(|end| *end <= index);
        let first = if prefix == 0 {
            0
        } else {
            self.ends[prefix - 1]
        };
        out.extend_from_slice(b"prefix-");
        push_decimal(out, prefix as u64, self.prefix_width);
        out.extend_from_slice(b"/object-");
        push_decimal(out, index - first, self.object_width);
    }
}
