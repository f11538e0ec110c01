//! The input of a run, as somebody typed it.

use shardlift_core::{
    failure::FailureCode,
    run::{input::RunInput, spec::RunSpec},
};

use crate::refusal::assert_refusal;

/// What is accepted can be stored and read again; what is not is refused by `InvalidRun`.
pub(crate) fn run_input(bytes: &[u8]) {
    let Ok(typed) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return;
    };
    let input = match RunInput::parse(&typed) {
        Ok(input) => input,
        Err(failure) => return assert_refusal(&failure, FailureCode::InvalidRun),
    };
    if input.rerun_of.is_some() {
        // Settled from the earlier run.
        return;
    }
    let spec = match RunSpec::settle(input) {
        Ok(spec) => spec,
        Err(failure) => return assert_refusal(&failure, FailureCode::InvalidRun),
    };
    let stored = serde_json::to_value(&spec).expect("a settled run can be stored");
    let read: RunSpec = serde_json::from_value(stored).expect("a stored run can be read");
    assert_eq!(read, spec);
    spec.filters
        .compile()
        .expect("filters that were settled compile");
}
