//! Keys partitioned by date and hour, as data lakes have them.

use super::keys::{InvalidKeySpace, Keys, push_decimal, width};
use crate::date::civil;

/// 2020-01-01, in days since 1970-01-01.
const FIRST_DAY: u64 = 18_262;
/// Keeps years at four digits.
const DAYS_MAX: u64 = 100 * 365;

/// `year=2026/month=01/day=31/hour=23/part-00042.parquet`.
#[derive(Debug)]
pub(super) struct Dated {
    per_hour: u64,
    width: usize,
}

impl Dated {
    pub(super) fn new(objects: u64, days: u64) -> Result<Self, InvalidKeySpace> {
        if days == 0 || days > DAYS_MAX {
            return Err(InvalidKeySpace(format!("dated needs 1 to {DAYS_MAX} days")));
        }
        let per_hour = objects.div_ceil(days * 24).max(1);
        Ok(Self {
            per_hour,
            width: width(per_hour).max(5),
        })
    }
}

impl Keys for Dated {
    fn write(&self, index: u64, out: &mut Vec<u8>) {
        let hour = index / self.per_hour;
        let (year, month, day) = civil(FIRST_DAY + hour / 24);
        out.extend_from_slice(b"year=");
        push_decimal(out, year, 4);
        out.extend_from_slice(b"/month=");
        push_decimal(out, month, 2);
        out.extend_from_slice(b"/day=");
        push_decimal(out, day, 2);
        out.extend_from_slice(b"/hour=");
        push_decimal(out, hour % 24, 2);
        out.extend_from_slice(b"/part-");
        push_decimal(out, index % self.per_hour, self.width);
        out.extend_from_slice(b".parquet");
    }
}
