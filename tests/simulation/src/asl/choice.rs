//! Which rule of a Choice holds.

use serde_json::Value;

use super::{
    definition::{Choice, Condition},
    template::Scope,
};

/// The state that comes next.
pub(super) fn next<'a>(choice: &'a Choice, scope: Scope<'_>) -> Result<&'a str, String> {
    for rule in &choice.choices {
        let mut holds = true;
        for condition in &rule.and {
            // As in Step Functions, later conditions are not looked at: they may name what is missing.
            holds = holds && meets(condition, scope)?;
        }
        if holds {
            return Ok(&rule.next);
        }
    }
    Ok(&choice.default)
}

fn meets(condition: &Condition, scope: Scope<'_>) -> Result<bool, String> {
    let path = &condition.variable;
    if let Some(is_present) = condition.is_present {
        return Ok(scope.find(path)?.is_some() == is_present);
    }
    let value = scope.get(path)?;
    match condition {
        Condition {
            is_string: Some(expected),
            ..
        } => Ok(value.is_string() == *expected),
        Condition {
            is_numeric: Some(expected),
            ..
        } => Ok(value.is_number() == *expected),
        Condition {
            string_equals: Some(expected),
            ..
        } => Ok(value == Value::String(expected.clone())),
        Condition {
            numeric_greater_than_equals: Some(least),
            ..
        } => Ok(value.as_f64().is_some_and(|number| number >= *least)),
        _ => Err(format!("the condition on {path} has no operator")),
    }
}
