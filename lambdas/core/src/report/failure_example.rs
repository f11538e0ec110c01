//! One failed object for each reason.

use std::collections::BTreeMap;

use crate::{
    failure::{Failure, FailureCode},
    value::key::ObjectKey,
};

/// A failed object that stands for all objects with the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureExample {
    /// Its full source key.
    pub key: ObjectKey,
    /// What happened.
    pub detail: String,
}

/// An example for each reason: the failed object with the least key.
pub type FailureExamples = BTreeMap<FailureCode, FailureExample>;

/// Notes an object as the example of its reason, when its key is the least so far.
pub fn note_example(examples: &mut FailureExamples, key: &ObjectKey, failure: &Failure) {
    let is_least = examples
        .get(&failure.code)
        .is_none_or(|example| *key < example.key);
    if is_least {
        let example = FailureExample {
            key: key.clone(),
            detail: failure.detail.clone(),
        };
        examples.insert(failure.code, example);
    }
}
