//! The globs of filters, as somebody typed them.

use shardlift_core::{
    failure::FailureCode,
    run::{
        filter::{Filters, ObjectFilter},
        input::FilterInput,
    },
};

use crate::refusal::assert_refusal;

/// The first line is a glob, the others are keys. What the glob includes is what it excludes, and a key in which all
/// that is special is escaped matches itself.
pub(crate) fn glob(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.split('\n');
    let glob = lines.next().unwrap_or_default().to_owned();
    let keys: Vec<&str> = lines.take(50).collect();
    let include = FilterInput {
        include: Some(vec![glob.clone()]),
        ..FilterInput::default()
    };
    let exclude = FilterInput {
        exclude: Some(vec![glob.clone()]),
        ..FilterInput::default()
    };
    match (settled(include), settled(exclude)) {
        (Some(include), Some(exclude)) => {
            for key in &keys {
                let is_included = include.admits_key(key);
                assert_ne!(is_included, exclude.admits_key(key), "{glob:?} and {key:?}");
            }
        }
        (include, exclude) => assert_eq!(include.is_some(), exclude.is_some(), "{glob:?}"),
    }
    for key in keys.iter().filter(|key| !key.is_empty()) {
        let escaped: String = key
            .chars()
            .flat_map(|one| {
                let is_special = "\\*?[]{},".contains(one);
                is_special.then_some('\\').into_iter().chain([one])
            })
            .collect();
        let itself = FilterInput {
            include: Some(vec![escaped]),
            ..FilterInput::default()
        };
        if let Some(filter) = settled(itself) {
            assert!(filter.admits_key(key), "{key:?} escaped");
        }
    }
}

/// The filter, or nothing where it was refused.
fn settled(input: FilterInput) -> Option<ObjectFilter> {
    match Filters::settle(input) {
        Ok(filters) => Some(
            filters
                .compile()
                .expect("filters that were settled compile"),
        ),
        Err(failure) => {
            assert_refusal(&failure, FailureCode::InvalidRun);
            None
        }
    }
}
