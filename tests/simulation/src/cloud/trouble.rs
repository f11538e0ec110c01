//! What can go wrong with a call.

use std::time::Duration;

use fastrand::Rng;
use shardlift_core::failure::fault::FaultKind;
use shardlift_testkit::{CallEnd, CallFate};

use crate::{
    dice::{happens, one_of},
    story::Climate,
};

/// How long calls wait for a response that does not come.
const SILENCE_SECONDS_MAX: u64 = 40;
/// How long a very slow call takes.
const SLOW_SECONDS_MAX: u64 = 400;

/// What S3 and the other services may answer, and whether the call may have its effect all the same.
const OF_ANY: &[(FaultKind, bool)] = &[
    (FaultKind::Throttled, false),
    (FaultKind::ServiceError, false),
    (FaultKind::ServiceError, true),
    (FaultKind::NoResponse, false),
    (FaultKind::NoResponse, true),
];
const OF_READS: &[(FaultKind, bool)] = &[
    (FaultKind::Throttled, false),
    (FaultKind::ServiceError, false),
    (FaultKind::NoResponse, false),
    (FaultKind::MalformedResponse, false),
];
const OF_COPIES: &[(FaultKind, bool)] = &[
    (FaultKind::Throttled, false),
    (FaultKind::Throttled, false),
    (FaultKind::ServiceError, false),
    (FaultKind::ServiceError, true),
    (FaultKind::NoResponse, false),
    (FaultKind::NoResponse, true),
    (FaultKind::MalformedResponse, true),
    (FaultKind::ConcurrentWrite, false),
];
const DENIALS: &[FaultKind] = &[
    FaultKind::AccessDenied,
    FaultKind::SessionExpired,
    FaultKind::SessionExpired,
];

/// A call to which nothing happens.
pub(super) fn plain(rng: &mut Rng) -> CallFate {
    CallFate {
        before: Duration::from_millis(rng.u64(1..30)),
        takes_effect: true,
        after: Duration::from_millis(rng.u64(1..30)),
        end: CallEnd::Response,
    }
}

/// What goes wrong with a call in this climate, if anything does.
pub(super) fn trouble(operation: &str, climate: &Climate, rng: &mut Rng) -> Option<CallFate> {
    let mut fate = plain(rng);
    let (permille, kinds) = kinds(operation, climate);
    if happens(rng, climate.slow_calls) {
        let seconds = Duration::from_secs(rng.u64(10..SLOW_SECONDS_MAX));
        if rng.bool() {
            fate.before = seconds;
        } else {
            fate.after = seconds;
        }
        return Some(fate);
    }
    if operation.starts_with("s3:") && happens(rng, climate.denials) {
        fate.takes_effect = false;
        fate.end = CallEnd::Fault(one_of(rng, DENIALS));
        return Some(fate);
    }
    if !happens(rng, permille) {
        return None;
    }
    let (kind, takes_effect) = one_of(rng, kinds);
    fate.takes_effect = takes_effect;
    fate.end = CallEnd::Fault(kind);
    if kind == FaultKind::NoResponse {
        fate.after = Duration::from_secs(rng.u64(1..SILENCE_SECONDS_MAX));
    }
    Some(fate)
}

fn kinds(operation: &str, climate: &Climate) -> (u32, &'static [(FaultKind, bool)]) {
    match operation {
        "s3:PutObject" | "s3:GetObject" => (climate.control, OF_ANY),
        "s3:CopyObject"
        | "s3:UploadPartCopy"
        | "s3:CompleteMultipartUpload"
        | "s3:CreateMultipartUpload"
        | "s3:DeleteObject"
        | "s3:PutObjectTagging" => (climate.buckets, OF_COPIES),
        "s3:AbortMultipartUpload" => (climate.buckets, OF_ANY),
        _ if operation.starts_with("s3:") => (climate.buckets, OF_READS),
        _ if operation.starts_with("list:") => (climate.control, OF_READS),
        _ if operation.starts_with("dynamodb:") => (climate.ledger, OF_ANY),
        _ => (climate.others, OF_ANY),
    }
}
