//! Globs over whole keys, as docs/SEMANTICS.md defines them.
//!
//! A glob is translated into a regular expression, which the `regex` crate matches in linear time. What the definition
//! does not cover is refused, because a filter that means something else than its author thinks makes a mirror delete.

use regex::RegexSetBuilder;

/// The maximum length of a glob. S3's keys are no longer.
pub(super) const GLOB_BYTES_MAX: usize = 1_024;
/// The maximum number of globs in a list.
pub(super) const GLOBS_MAX: usize = 100;
/// How deep groups may be nested.
const GROUPS_NESTED_MAX: usize = 4;

/// Any characters, `/` included.
const ANYTHING: &str = ".*";
/// Folders of any depth, or none.
const ANY_FOLDERS: &str = "(?:.*/)?";
/// Any characters within a level.
const ANY_NAME: &str = "[^/]*";
/// One character within a level.
const ONE_CHARACTER: &str = "[^/]";

/// Why a glob is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {reason}")]
pub(super) struct GlobError {
    /// The character that is refused, counted from 1.
    position: usize,
    reason: String,
}

/// Globs ready for use.
#[derive(Debug, Clone)]
pub(super) struct GlobList(regex::RegexSet);

/// Why a list of globs is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobListError {
    #[error("at most {GLOBS_MAX} globs are allowed, found {0}")]
    TooMany(usize),
    #[error("{glob:?} is malformed {error}")]
    Malformed { glob: String, error: GlobError },
    #[error("together, the globs are too complex; use fewer wildcards")]
    TooComplex,
}

impl GlobList {
    /// Compiles a list.
    pub(super) fn compile(globs: &[String]) -> Result<Self, GlobListError> {
        if globs.len() > GLOBS_MAX {
            return Err(GlobListError::TooMany(globs.len()));
        }
        let expressions = globs
            .iter()
            .map(|glob| {
                to_regex(glob).map_err(|error| GlobListError::Malformed {
                    glob: glob.chars().take(100).collect(),
                    error,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        RegexSetBuilder::new(expressions)
            .dot_matches_new_line(true)
            .build()
            .map(Self)
            .map_err(|_| GlobListError::TooComplex)
    }

    /// Whether a glob of the list matches the key.
    pub(super) fn is_match(&self, key: &str) -> bool {
        self.0.is_match(key)
    }
}

/// The regular expression that matches what the glob matches.
fn to_regex(glob: &str) -> Result<String, GlobError> {
    if glob.is_empty() {
        return Err(error(0, "an empty glob matches no key"));
    }
    if glob.len() > GLOB_BYTES_MAX {
        let reason = format!("at most {GLOB_BYTES_MAX} bytes are allowed");
        return Err(error(GLOB_BYTES_MAX, reason));
    }
    let mut translation = Translation {
        glob: glob.chars().collect(),
        next: 0,
        regex: String::from("^"),
    };
    translation.sequence(LevelStart::Yes, 0)?;
    translation.regex.push('$');
    Ok(translation.regex)
}

fn error(index: usize, reason: impl Into<String>) -> GlobError {
    GlobError {
        position: index + 1,
        reason: reason.into(),
    }
}

/// Whether a place in the glob is its beginning or follows a `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LevelStart {
    Yes,
    No,
    /// It depends on the alternative, or on what a wildcard matches.
    Either,
}

impl LevelStart {
    fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Either }
    }
}

struct Translation {
    glob: Vec<char>,
    next: usize,
    regex: String,
}

impl Translation {
    /// Translates up to the end of the glob, or of the alternative in a group.
    fn sequence(&mut self, mut start: LevelStart, depth: usize) -> Result<LevelStart, GlobError> {
        while let Some(&character) = self.glob.get(self.next) {
            let at = self.next;
            start = match character {
                ',' | '}' if depth > 0 => break,
                '*' => self.stars(start)?,
                '{' => self.group(start, depth + 1)?,
                '[' => self.class()?,
                '?' => {
                    self.next += 1;
                    self.regex.push_str(ONE_CHARACTER);
                    LevelStart::No
                }
                ']' | '}' => {
                    let reason = format!("nothing opens this {character:?}; write \\{character}");
                    return Err(error(at, reason));
                }
                '\\' => {
                    self.next += 1;
                    let literal = self.expect(at, "a key that ends in \\ is written with \\\\")?;
                    self.literal(literal)
                }
                literal => {
                    self.next += 1;
                    self.literal(literal)
                }
            };
        }
        Ok(start)
    }

    fn literal(&mut self, character: char) -> LevelStart {
        self.regex.push_str(&escaped(character));
        if character == '/' {
            LevelStart::Yes
        } else {
            LevelStart::No
        }
    }

    fn stars(&mut self, start: LevelStart) -> Result<LevelStart, GlobError> {
        let at = self.next;
        let stars = self.glob[at..].iter().take_while(|&&c| c == '*').count();
        self.next += stars;
        let is_folders = stars == 2 && self.glob.get(self.next) == Some(&'/');
        match (stars, start) {
            (1, LevelStart::No) => {
                self.regex.push_str(ANY_NAME);
                Ok(LevelStart::No)
            }
            (1, _) => {
                self.regex.push_str(ANY_NAME);
                Ok(LevelStart::Either)
            }
            (2, LevelStart::Yes) if is_folders => {
                self.next += 1;
                self.regex.push_str(ANY_FOLDERS);
                Ok(LevelStart::Yes)
            }
            (2, LevelStart::Either) if is_folders => Err(error(
                at,
                "whether **/ may match nothing depends on what precedes it; write a glob for each case",
            )),
            (2, _) => {
                self.regex.push_str(ANYTHING);
                Ok(LevelStart::Either)
            }
            _ => Err(error(
                at + 2,
                "more than two * in a row have no meaning; write ** to cross levels",
            )),
        }
    }

    fn group(&mut self, start: LevelStart, depth: usize) -> Result<LevelStart, GlobError> {
        let at = self.next;
        if depth > GROUPS_NESTED_MAX {
            let reason = format!("groups may be nested {GROUPS_NESTED_MAX} deep");
            return Err(error(at, reason));
        }
        self.regex.push_str("(?:");
        let mut end = None;
        loop {
            self.next += 1;
            let alternative = self.sequence(start, depth)?;
            end = Some(end.map_or(alternative, |end| alternative.or(end)));
            match self.expect_at(
                self.next,
                at,
                "no } closes this group; write \\{ for the character",
            )? {
                ',' => self.regex.push('|'),
                _ => break,
            }
        }
        self.next += 1;
        self.regex.push(')');
        Ok(end.unwrap_or(start))
    }

    fn class(&mut self) -> Result<LevelStart, GlobError> {
        const UNCLOSED: &str = "no ] closes this class; write \\[ for the character";
        let at = self.next;
        self.next += 1;
        let is_negated = self.glob.get(self.next) == Some(&'!');
        self.next += usize::from(is_negated);
        let mut items = String::new();
        let first = self.next;
        loop {
            let place = self.next;
            let is_first = place == first;
            match self.expect_at(place, at, UNCLOSED)? {
                ']' if is_first => {
                    return Err(error(
                        place,
                        "the class is empty; write \\] for the character",
                    ));
                }
                ']' => break,
                '^' if is_first && !is_negated => {
                    return Err(error(
                        place,
                        "write [!…] for all other characters, or \\^ for the character",
                    ));
                }
                _ => {}
            }
            let low = self.class_character(at, UNCLOSED)?;
            let is_range = self.glob.get(self.next) == Some(&'-')
                && self.glob.get(self.next + 1).is_some_and(|&c| c != ']');
            items.push_str(&escaped(low));
            if is_range {
                self.next += 1;
                let high = self.class_character(at, UNCLOSED)?;
                if high < low {
                    return Err(error(place, format!("the range {low}-{high} is empty")));
                }
                items.push('-');
                items.push_str(&escaped(high));
            }
        }
        self.next += 1;
        // No class matches a `/`, not even one in whose range it lies.
        self.regex.push_str(&if is_negated {
            format!("[^{items}/]")
        } else {
            format!("[{items}&&[^/]]")
        });
        Ok(LevelStart::No)
    }

    fn class_character(&mut self, class: usize, unclosed: &str) -> Result<char, GlobError> {
        let place = self.next;
        let character = self.expect(class, unclosed)?;
        match character {
            '\\' => self.expect(class, unclosed),
            '[' => Err(error(
                place,
                "a class within a class has no meaning; write \\[ for the character",
            )),
            '/' => Err(error(
                place,
                "a class does not match /, which separates levels",
            )),
            character => Ok(character),
        }
    }

    /// Takes the next character. `at` is where what lacks it began.
    fn expect(&mut self, at: usize, reason: &str) -> Result<char, GlobError> {
        let character = self.expect_at(self.next, at, reason)?;
        self.next += 1;
        Ok(character)
    }

    fn expect_at(&self, place: usize, at: usize, reason: &str) -> Result<char, GlobError> {
        self.glob
            .get(place)
            .copied()
            .ok_or_else(|| error(at, reason))
    }
}

/// The character as a literal of a regular expression, in and outside of a class.
fn escaped(character: char) -> String {
    if character.is_ascii_alphanumeric() || character == '/' {
        character.to_string()
    } else {
        format!("\\x{{{:x}}}", u32::from(character))
    }
}

#[cfg(test)]
mod tests;
