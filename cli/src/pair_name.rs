//! Names of further pairs.

/// The name of a pair, as `PairName` has it.
///
/// # Errors
/// What a name is.
pub(crate) fn pair_name(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > 24 || !text.bytes().all(is_allowed) {
        return Err("expected PairName of its stack: at most 24 of a-z, 0-9 and -".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_pair_is_one_that_its_template_takes() {
        let (longest, too_long) = ("x".repeat(24), "x".repeat(25));
        for name in ["logs", "a-1", longest.as_str()] {
            assert_eq!(pair_name(name), Ok(name.to_owned()));
        }
        for wrong in ["", "Logs", "a_b", "a/b", too_long.as_str()] {
            assert!(pair_name(wrong).is_err(), "{wrong}");
        }
    }
}
