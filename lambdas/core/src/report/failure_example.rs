//! One failed object for each reason.

use std::collections::BTreeMap;

use crate::{
    failure::{Failure, FailureCode},
    value::key::ObjectKey,
};

/// What was to be done with a failed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailedWork {
    /// To copy it.
    Copy,
    /// To delete it at the target.
    Delete,
}

/// A failed object that stands for all objects with the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureExample {
    /// Its full key: at the source, or at the target if it was to be deleted.
    pub key: ObjectKey,
    /// What happened.
    pub detail: String,
}

/// An example for each reason: the failed object with the least key.
pub type FailureExamples = BTreeMap<(FailedWork, FailureCode), FailureExample>;

/// Notes an object as the example of its reason, when its key is the least so far.
pub fn note_example(
    examples: &mut FailureExamples,
    work: FailedWork,
    key: &ObjectKey,
    failure: &Failure,
) {
    let is_least = examples
        .get(&(work, failure.code))
        .is_none_or(|example| *key < example.key);
    if is_least {
        let example = FailureExample {
            key: key.clone(),
            detail: failure.detail.clone(),
        };
        examples.insert((work, failure.code), example);
    }
}
