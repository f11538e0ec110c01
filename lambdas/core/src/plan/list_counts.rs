//! How far a plan from a list got.

use serde::{Deserialize, Serialize};

use super::list_page::ListLooks;
use crate::value::object::ETag;

/// How many wrong lines are named; the others are counted.
const PROBLEMS_MAX: usize = 20;
/// So many wrong lines are no reason to refuse a list, however short it is.
const PROBLEMS_ALLOWED_MIN: u64 = 100;

/// How what a list names was compared with the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListWay {
    /// Key by key: the few keys of events.
    #[default]
    Lookups,
    /// The list, in key order or sorted, was merged with a listing of the target.
    Merged,
}

/// What a list consists of, up to a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListCounts {
    /// Objects that it names, each counted once.
    pub objects: u64,
    /// Lines that name an object which a line before them names.
    pub repeated: u64,
    /// Lines that name nothing to copy, such as delete markers.
    pub left_out: u64,
    /// Of these, objects of an inventory outside the source prefix.
    #[serde(default)]
    pub outside: u64,
    /// Lines that are wrong.
    pub wrong: u64,
    /// Objects of which the list does not tell enough, so that they were looked up at the source.
    pub looked_up: u64,
    /// Objects that are not at the source any more.
    pub gone: u64,
    /// Objects whose ETag or size at the source are not those of the list, as far as they were looked up.
    pub changed: u64,
    /// Whether a key was not greater than the one before it.
    pub is_out_of_order: bool,
    /// How the list was planned.
    #[serde(default)]
    pub way: ListWay,
    /// The first wrong and repeated lines, by file and line.
    pub problems: Vec<String>,
}

impl ListCounts {
    /// Counts a wrong line.
    pub fn add_wrong(&mut self, problem: &impl ToString) {
        self.wrong += 1;
        self.name(problem);
    }

    /// Counts a line that names an object again. Wrong lines tell more, so half of the names are kept for them.
    pub fn add_repeated(&mut self, problem: &impl ToString) {
        self.repeated += 1;
        if self.problems.len() < PROBLEMS_MAX / 2 {
            self.name(problem);
        }
    }

    /// Counts a line that names nothing to copy; whether its object is outside the source prefix.
    pub fn add_left_out(&mut self, is_outside: bool) {
        self.left_out += 1;
        self.outside += u64::from(is_outside);
    }

    /// Adds what another file of the list consists of.
    pub fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.repeated += other.repeated;
        self.left_out += other.left_out;
        self.outside += other.outside;
        self.wrong += other.wrong;
        other.problems.iter().for_each(|problem| self.name(problem));
    }

    /// Those of a list whose objects were looked up so.
    #[must_use]
    pub fn with_looks(self, looks: &ListLooks) -> Self {
        Self {
            looked_up: looks.looked_up,
            gone: looks.gone,
            changed: looks.changed,
            ..self
        }
    }

    fn name(&mut self, problem: &impl ToString) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.to_string());
        }
    }

    /// How many lines there are.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.objects + self.repeated + self.left_out + self.wrong
    }

    /// Whether more lines are wrong or repeated than a list that was meant can have: more than 100, and more than one of a
    /// hundred.
    #[must_use]
    pub const fn has_too_many_problems(&self) -> bool {
        let problems = self.wrong + self.repeated;
        problems > PROBLEMS_ALLOWED_MIN && problems > self.lines() / 100
    }
}

/// How far a list is planned: the checkpoint of the one range of a run that takes its objects from a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCheckpoint {
    /// The version of the list that is read.
    pub etag: ETag,
    /// Where reading goes on, as whoever reads the list writes it.
    pub position: String,
    /// How many lines behind that position are planned, too.
    pub passed: u64,
    /// The counts up to there.
    pub counts: ListCounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_refused_for_more_than_a_hundred_problems_and_one_percent() {
        let mut counts = ListCounts {
            objects: 50,
            ..ListCounts::default()
        };
        for line in 0..PROBLEMS_ALLOWED_MIN {
            counts.add_wrong(&format_args!("line {line}"));
        }
        assert!(!counts.has_too_many_problems());
        counts.add_repeated(&"one more");
        assert!(counts.has_too_many_problems());
        assert_eq!(counts.problems.len(), PROBLEMS_MAX);
        counts.objects = 10_000;
        assert!(!counts.has_too_many_problems(), "101 of 10,101 lines");
    }
}
