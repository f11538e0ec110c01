//! Faults of opening and listing the two sides, told so that a person can mend them.

use shardlift_core::{
    access::denial::{Denial, Documents, PolicyDocument},
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    run::pair::{Pair, Side},
};

/// The role that reads the source; its ARN is in AWS's own message.
const PLANNER_ROLE: &str = "the planner's execution role";

/// A fault of a call to the source bucket.
pub(crate) fn source_failure(fault: CallFault, pair: &Pair) -> Failure {
    if fault.kind != FaultKind::AccessDenied {
        return fault
            .into_failure()
            .within(format!("source bucket {}", pair.source.bucket));
    }
    Denial {
        principal: PLANNER_ROLE.to_owned(),
        action: "s3:ListBucket",
        resource: bucket_arn(pair, pair.source.bucket.as_str()),
        documents: Documents::One(PolicyDocument::ExecutionRole),
    }
    .into_failure(&fault)
}

/// A fault of assuming the target role, or of a call to the target bucket.
pub(crate) fn target_failure(fault: CallFault, pair: &Pair) -> Failure {
    let role = &pair.target.role_arn;
    match fault.kind {
        FaultKind::RoleRefused => {
            let denial = Denial::to_enter(PLANNER_ROLE.to_owned(), role.to_string());
            Failure {
                code: FailureCode::RoleUnavailable,
                ..denial.into_failure(&fault)
            }
        }
        FaultKind::AccessDenied => {
            let bucket = bucket_arn(pair, pair.target.bucket.as_str());
            Denial::at_target(role.to_string(), "s3:ListBucket", bucket).into_failure(&fault)
        }
        _ => fault
            .into_failure()
            .within(format!("target bucket {}", pair.target.bucket)),
    }
}

/// A fault of listing one side. A page that makes no sense, again and again, is a listing that cannot be trusted (P11).
pub(crate) fn listing_failure(fault: CallFault, side: Side, pair: &Pair) -> Failure {
    if fault.kind == FaultKind::BadAnswer {
        return Failure::new(
            FailureCode::ListingIncomplete,
            format!("the listing of the {side} cannot be trusted: {fault}"),
        );
    }
    match side {
        Side::Source => source_failure(fault, pair),
        Side::Target => target_failure(fault, pair),
    }
}

fn bucket_arn(pair: &Pair, bucket: &str) -> String {
    let partition = pair.target.role_arn.partition();
    format!("arn:{partition}:s3:::{bucket}")
}
