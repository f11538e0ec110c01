//! The failure codes that users, the state machine and the docs share.

use serde::{Deserialize, Serialize};

/// What a failure concerns: it ends the run, or it is the outcome of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The run stops and reports.
    Run,
    /// The object is reported, its neighbours go on.
    Object,
    /// Either, depending on where it happened.
    RunOrObject,
}

/// Whether trying again can help without anybody changing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The next round, or the next attempt, may succeed.
    Later,
    /// Only after somebody acted.
    AfterAction,
}

/// Declares the codes once: name, scope, retry, and what a person does.
macro_rules! failure_codes {
    ($($name:ident, $scope:ident, $retry:ident, $meaning:literal, $action:literal;)+) => {
        /// A stable code; Rust, the state machine and the docs use the same names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FailureCode {
            $(#[doc = $meaning] $name,)+
        }

        impl FailureCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name, as in Lambda's `errorType` and the state machine's `ErrorEquals`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The code of this name, or nothing for a name that is not ours.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }

            /// What it means, as a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),+ }
            }

            /// What a person does about it, as a sentence.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action),+ }
            }

            /// What it concerns.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Self::$name => Scope::$scope),+ }
            }

            /// Whether trying again can help by itself.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry),+ }
            }
        }
    };
}

failure_codes! {
    InvalidRun, Run, AfterAction,
        "The input of the run is wrong.",
        "Correct what the message names. Nothing was changed.";
    AccessDenied, RunOrObject, AfterAction,
        "A policy does not allow a call, or a KMS key cannot be used.",
        "Put the statements that the message names into their policies, or enable the key.";
    RoleUnavailable, Run, AfterAction,
        "The role in the target account cannot be assumed.",
        "Check the role ARN, its trust policy and the external ID.";
    BucketOwnerMismatch, Run, AfterAction,
        "A bucket belongs to a different account than expected.",
        "Check the bucket name and the expected account. Another account may own that name.";
    BucketUnavailable, Run, AfterAction,
        "A bucket does not exist or cannot be reached.",
        "Check the bucket name and Region.";
    ListingIncomplete, Run, Later,
        "A listing ended early, came out of order or looped.",
        "Nothing was deleted. If it recurs, send the request IDs to AWS Support.";
    RunOverlap, Run, Later,
        "Another run that writes some of the same keys is in progress, or one of its copiers is.",
        "Wait until the run that the message names has ended, or until the time in the message.";
    DeleteLimitExceeded, Run, AfterAction,
        "A mirror would delete more objects than its limits allow, or has an empty source.",
        "Check that the source is complete. If the deletions are intended, start a run with a higher delete_max_percent or delete_max_objects, or with allow_empty_source if the source is empty on purpose.";
    SourceMissing, Object, AfterAction,
        "The planned object no longer exists at the source.",
        "If it was deleted on purpose, do nothing: the next run does not plan it.";
    SourceChanged, Object, AfterAction,
        "The object at the source changed after it was planned.",
        "Wait until the source no longer changes: the next run copies the new version.";
    TargetConflict, Object, Later,
        "Another writer changed the same key at the target during the run.",
        "Find the other writer.";
    ObjectArchived, Object, AfterAction,
        "The object is archived and not restored.",
        "Restore it in the source bucket, or leave such objects out with archived = skip.";
    ObjectUnsupported, Object, AfterAction,
        "The object cannot be copied (for example SSE-C, or a target key longer than 1,024 bytes).",
        "Read the detail, then exclude the object with a filter or change it at the source.";
    ImageUnreadable, Object, AfterAction,
        "The object begins like an image but cannot be decoded: it is broken, truncated, or encoded in a way that is not supported.",
        "Look at the image with another program, then replace it at the source or exclude it with a filter.";
    ImageTooLarge, Object, AfterAction,
        "The image has more pixels than pixels_max allows, or rendering it takes more memory or work than one image may have.",
        "Raise pixels_max if the message names it as the limit, otherwise make the image smaller or exclude it with a filter.";
    Throttled, RunOrObject, Later,
        "AWS throttled calls for longer than the retries lasted.",
        "Nothing needs to be fixed first. If it recurs, lower the concurrency.";
    ServiceFault, RunOrObject, Later,
        "AWS failed or did not respond for longer than the retries lasted.",
        "Nothing needs to be fixed first. If it recurs, check the AWS Health Dashboard.";
    IntegrityMismatch, Object, Later,
        "The object at the target differs from the planned one.",
        "Nothing needs to be fixed first: the next run copies the object again.";
    TargetDiffers, Run, AfterAction,
        "The target does not hold what the run vouches for, or what an audit compares it with.",
        "See differences.csv for each key, and find who else writes to the target.";
    LedgerConflict, Run, Later,
        "Something else changed the ledger between a read and a write.",
        "Nothing needs to be fixed first. If it recurs, look for another state machine that uses the same ledger table.";
    InvariantViolated, Run, AfterAction,
        "Shardlift found a contradiction in its own records.",
        "Do not trust this run. Keep the execution and its prefix in the control bucket, and report a bug.";
}

impl std::fmt::Display for FailureCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_its_name() {
        for code in FailureCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }

    #[test]
    fn there_are_twenty_one_codes_and_each_says_what_to_do() {
        assert_eq!(FailureCode::ALL.len(), 21);
        assert!(
            FailureCode::ALL
                .iter()
                .all(|code| code.action().ends_with('.'))
        );
    }
}
