//! The instant whose state of the source a run copies.

use super::{invalid::invalid, option::Mode};
use crate::{failure::Failure, value::time::Timestamp};

const FIELD: &str = "source.as_of";

/// Reads it.
pub(super) fn parse(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text).map_err(|error| invalid(FIELD, &error.to_string()))
}

/// Refuses what cannot stand beside an instant.
pub(super) fn check_beside(mode: Mode, has_list: bool) -> Result<(), Failure> {
    if has_list {
        return Err(invalid(
            FIELD,
            "a list (source.list) names the objects, and can name their versions; leave out one of the two",
        ));
    }
    if mode == Mode::Mirror {
        return Err(invalid(
            "mode",
            "a bucket's history does not distinguish what was not there from what a lifecycle rule has removed since, so a run does not delete by it; with source.as_of the mode must be copy, sync or audit",
        ));
    }
    Ok(())
}

/// Refuses an instant that is not over: what will have been written by then is not known.
///
/// # Errors
/// `InvalidRun`, naming the field.
pub fn check_past(instant: Timestamp, now: Timestamp) -> Result<(), Failure> {
    if instant <= now {
        return Ok(());
    }
    Err(invalid(
        FIELD,
        &format!("{instant} is in the future, it is {now}; leave it out to copy what is there now"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_over() {
        let at = parse("2026-11-20T03:00:00.5+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-11-20T02:00:00.500Z");
        assert!(check_past(at, at).is_ok());
        let early = Timestamp::from_millis(at.as_millis() - 1);
        let refused = check_past(at, early).unwrap_err();
        assert!(refused.detail.contains("in the future"), "{refused}");
    }
}
