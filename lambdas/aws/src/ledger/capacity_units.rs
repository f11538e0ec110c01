//! Capacity units, which DynamoDB bills instead of requests.

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// The consumed units, rounded up; one if the response has none, because the smallest request consumes one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a request consumes some thousands of units at most, and never a negative number"
)]
pub(super) fn units_of(consumed: Option<&ConsumedCapacity>) -> u64 {
    consumed
        .and_then(ConsumedCapacity::capacity_units)
        .map_or(1, |units| units.ceil().max(1.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_unit_is_billed_as_one() {
        let half = ConsumedCapacity::builder().capacity_units(0.5).build();
        let three = ConsumedCapacity::builder().capacity_units(3.0).build();
        assert_eq!(
            (
                units_of(Some(&half)),
                units_of(Some(&three)),
                units_of(None)
            ),
            (1, 3, 1)
        );
    }
}
