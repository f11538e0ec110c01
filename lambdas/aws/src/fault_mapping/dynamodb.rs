//! Transactions, for which DynamoDB reports a reason for each record.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_core::failure::fault::{CallFault, FaultKind};

use super::call_fault::call_fault;

/// The reasons for which a transaction is canceled. The first one in this order that any of its records has decides.
const CANCELLATION_REASONS: [(&str, FaultKind); 4] = [
    ("ConditionalCheckFailed", FaultKind::ConditionFailed),
    ("TransactionConflict", FaultKind::ConcurrentWrite),
    ("ThrottlingError", FaultKind::Throttled),
    ("ProvisionedThroughputExceeded", FaultKind::Throttled),
];

/// What a failed transaction means.
pub(crate) fn transaction_fault(
    operation: &'static str,
    error: &SdkError<TransactWriteItemsError, HttpResponse>,
) -> CallFault {
    let mut fault = call_fault(operation, error);
    let SdkError::ServiceError(context) = error else {
        return fault;
    };
    let TransactWriteItemsError::TransactionCanceledException(canceled) = context.err() else {
        return fault;
    };
    let reasons: Vec<&str> = canceled
        .cancellation_reasons()
        .iter()
        .filter_map(|reason| reason.code())
        .filter(|code| *code != "None")
        .collect();
    let kind = CANCELLATION_REASONS
        .into_iter()
        .find_map(|(code, kind)| reasons.contains(&code).then_some(kind));
    fault.kind = kind.unwrap_or(FaultKind::Rejected);
    fault.effect = fault.kind.effect();
    fault.message = format!("{} {reasons:?}", fault.message);
    fault
}
