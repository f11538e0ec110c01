//! Faults of opening and listing the two sides, explained so that a person can mend them.

use shardlift_core::{
    access::denial::Denial,
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::malformed_listing,
    run::pair::{Pair, Side},
};

/// The role that reads the source; its ARN is in AWS's own message.
const PLANNER_ROLE: &str = "the planner's execution role";

/// A fault of a call to the source bucket.
pub(crate) fn source_failure(fault: CallFault, pair: &Pair) -> Failure {
    if fault.kind != FaultKind::AccessDenied {
        return within_bucket(fault, Side::Source, pair);
    }
    source_denial(PLANNER_ROLE, pair, &fault).into_failure(&fault)
}

/// A refused call of `principal` to the source bucket: to list it as it is now, or its versions.
pub(crate) fn source_denial(principal: &str, pair: &Pair, fault: &CallFault) -> Denial {
    match fault.operation {
        operation @ ("s3:ListObjectVersions" | "s3:GetBucketVersioning") => {
            Denial::of_reading_history(principal, pair, operation)
        }
        _ => Denial::of_listing_source(principal, pair),
    }
}

/// A fault of assuming the target role, or of a call to the target bucket.
pub(crate) fn target_failure(fault: CallFault, pair: &Pair) -> Failure {
    match fault.kind {
        FaultKind::RoleRefused => Failure {
            code: FailureCode::RoleUnavailable,
            ..Denial::of_entry(PLANNER_ROLE, pair).into_failure(&fault)
        },
        FaultKind::AccessDenied => Denial::of_listing_target(pair).into_failure(&fault),
        _ => within_bucket(fault, Side::Target, pair),
    }
}

/// A fault of listing one side. A page that makes no sense, again and again, is a listing that cannot be trusted (P11).
pub(crate) fn listing_failure(fault: CallFault, side: Side, pair: &Pair) -> Failure {
    if let Some(failure) = malformed_listing(side, &fault) {
        return failure;
    }
    match side {
        Side::Source => source_failure(fault, pair),
        Side::Target => target_failure(fault, pair),
    }
}

fn within_bucket(fault: CallFault, side: Side, pair: &Pair) -> Failure {
    Failure::from(fault).within(format!("{side} bucket {}", pair.bucket(side)))
}
