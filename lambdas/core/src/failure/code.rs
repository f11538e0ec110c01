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
        "Correct the field that the message names and start a new execution; nothing was changed.";
    AccessDenied, RunOrObject, AfterAction,
        "A policy does not allow a call.",
        "Add the statement that the message names to the document that it names, then rerun.";
    RoleUnavailable, Run, AfterAction,
        "The role in the target account cannot be assumed.",
        "Check the role's ARN, its trust policy and the external id, then rerun.";
    BucketOwnerMismatch, Run, AfterAction,
        "A bucket belongs to another account than expected.",
        "Check the bucket's name and the expected account; somebody else may own that name.";
    BucketUnavailable, Run, AfterAction,
        "A bucket does not exist or cannot be reached.",
        "Check the bucket's name and Region, then start again.";
    ListingIncomplete, Run, Later,
        "A listing was cut off, out of order or going in circles.",
        "Start again; nothing was deleted. If it recurs, send the request ids to AWS Support.";
    RunOverlap, Run, Later,
        "Another run over the same pair is under way.",
        "Wait for the execution that the message names, or stop it, then start again.";
    DeleteLimitExceeded, Run, AfterAction,
        "A mirror would delete more than its limit allows.",
        "Check that the source is complete; raise delete_max_percent if the deletions are meant.";
    SourceMissing, Object, AfterAction,
        "The object was planned and is gone at the source.",
        "Nothing, if it was deleted on purpose: the next run plans without it.";
    SourceChanged, Object, AfterAction,
        "The object at the source is no longer the one that was planned.",
        "Rerun when the source is quiet: the new version is then planned and copied.";
    TargetConflict, Object, Later,
        "Somebody else wrote the same key at the target meanwhile.",
        "Find the other writer, then rerun.";
    ObjectArchived, Object, AfterAction,
        "The object is archived and was not restored.",
        "Restore it in the source bucket, then rerun.";
    ObjectUnsupported, Object, AfterAction,
        "The object cannot be copied as it is (for example SSE-C, or a target key above 1,024 bytes).",
        "Read the detail; exclude the object by a filter, or change it at the source.";
    Throttled, RunOrObject, Later,
        "AWS slowed the calls down for longer than the retries lasted.",
        "Rerun; lower the concurrency if it recurs.";
    ServiceFault, RunOrObject, Later,
        "AWS failed, or did not answer, for longer than the retries lasted.",
        "Rerun; see the AWS Health Dashboard if it recurs.";
    IntegrityMismatch, Object, Later,
        "What arrived at the target is not what was planned.",
        "Rerun; the object is copied again.";
    LedgerConflict, Run, Later,
        "The ledger was changed by somebody else between reading and writing.",
        "Rerun; if it recurs, look for a second machine on the same ledger table.";
    InvariantViolated, Run, AfterAction,
        "Shardlift found a contradiction in its own records.",
        "Do not trust this run. Keep the execution and its prefix in the control bucket and report a bug.";
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
    fn there_are_eighteen_codes_and_each_says_what_to_do() {
        assert_eq!(FailureCode::ALL.len(), 18);
        assert!(
            FailureCode::ALL
                .iter()
                .all(|code| code.action().ends_with('.'))
        );
    }
}
