//! Part numbers, which the SDK holds as signed integers.

use shardlift_core::copy::part_layout::PartNumber;

/// The number as requests take it.
pub(crate) fn sdk_part_number(number: PartNumber) -> i32 {
    i32::try_from(number.get()).expect("a part number is at most 10,000")
}

/// The number of a part in a response; `None` if it is not from 1 to 10,000.
pub(crate) fn part_number(reported: Option<i32>) -> Option<PartNumber> {
    PartNumber::new(u32::try_from(reported?).ok()?).ok()
}
