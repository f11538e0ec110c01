//! Reads single environment variables; each refusal names its variable.

use shardlift_core::failure::{Failure, FailureCode};

/// A ceiling; -1 stands for what the stack itself sets, since one parameter cannot be another one's default.
pub(super) fn ceiling<T: std::str::FromStr>(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<T>, Failure> {
    let text = variable(name).filter(|text| text != "-1");
    text.map(|text| text.parse())
        .transpose()
        .map_err(|_| invalid(name, "is neither -1 nor a number within its bounds"))
}

/// `true` or `false`; nothing where it is unset.
pub(super) fn flag(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<bool>, Failure> {
    let text = variable(name);
    text.map(|text| text.parse())
        .transpose()
        .map_err(|_| invalid(name, "is neither true nor false"))
}

/// Names separated by commas.
pub(super) fn list<T, E: std::fmt::Display>(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(String) -> Result<T, E>,
) -> Result<Vec<T>, Failure> {
    let text = variable(name).unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| parse(item.to_owned()).map_err(|problem| invalid(name, problem)))
        .collect()
}

/// A number within its bounds, or the default.
pub(super) fn number(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    bounds: std::ops::RangeInclusive<u32>,
    default: u32,
) -> Result<u32, Failure> {
    let Some(text) = variable(name) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| {
            invalid(
                name,
                format_args!(
                    "is {text:?}, expected {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
            )
        })
}

/// The refusal of a variable.
pub(super) fn invalid(name: &str, problem: impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureCode::InvalidRun,
        format!("environment variable {name} {problem}; correct the stack's parameters"),
    )
}
