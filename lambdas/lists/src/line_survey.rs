//! What lines are, as far as a survey of a list needs it: numbers, problems and the order of keys, but none of the objects.

use shardlift_core::value::key::ObjectKey;

use crate::{
    bad_line::BadLine,
    entry::WhyLeftOut,
    line_place::{LinePlace, PlaceOf},
};

/// A line that a survey names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineIssue {
    /// It is wrong.
    Wrong(BadLine),
    /// It names the same object as the line before it that names one.
    Repeated(LinePlace),
}

/// What some lines of a list are, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineSurvey {
    /// How many lines there are.
    pub lines: u64,
    /// How many name an object, those that name the one before again not counted.
    pub objects: u64,
    /// How many name nothing to copy.
    pub left_out: u64,
    /// How many of these are outside the source prefix.
    pub outside: u64,
    /// What is wrong, in the order of the lines.
    pub issues: Vec<LineIssue>,
    /// The first line that names a version.
    pub version_at: Option<LinePlace>,
    /// Whether a key is not greater than the one before it.
    pub is_out_of_order: bool,
    first: Option<ObjectKey>,
    /// The newest key, of the lines before these where these have none; empty when there was none.
    last: String,
}

impl LineSurvey {
    /// That of no lines, behind a line that names `last`.
    #[must_use]
    pub fn behind(last: Option<&ObjectKey>) -> Self {
        Self {
            last: last.map_or_else(String::new, |key| key.as_str().to_owned()),
            ..Self::default()
        }
    }

    /// That of no lines, behind these.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            last: self.last.clone(),
            ..Self::default()
        }
    }

    /// The first key.
    #[must_use]
    pub const fn first(&self) -> Option<&ObjectKey> {
        self.first.as_ref()
    }

    /// The last key, of these lines or before them.
    #[must_use]
    pub fn last(&self) -> Option<ObjectKey> {
        ObjectKey::new(self.last.as_str()).ok()
    }

    pub(crate) fn note_left_out(&mut self, why: WhyLeftOut) {
        self.lines += 1;
        self.left_out += 1;
        self.outside += u64::from(why == WhyLeftOut::OutsidePrefix);
    }

    pub(crate) fn note_wrong(&mut self, line: BadLine) {
        self.lines += 1;
        self.issues.push(LineIssue::Wrong(line));
    }

    pub(crate) fn note_key(&mut self, key: &str, names_version: bool, place: PlaceOf<'_>) {
        self.lines += 1;
        if names_version && self.version_at.is_none() {
            self.version_at = Some(place.place());
        }
        // A key is never empty, and comparing with an empty text takes long.
        if !self.last.is_empty() {
            match key.cmp(self.last.as_str()) {
                std::cmp::Ordering::Greater => {}
                std::cmp::Ordering::Equal => {
                    self.issues.push(LineIssue::Repeated(place.place()));
                    return;
                }
                std::cmp::Ordering::Less => self.is_out_of_order = true,
            }
        }
        self.objects += 1;
        if self.first.is_none() {
            self.first = ObjectKey::new(key).ok();
        }
        self.last.clear();
        self.last.push_str(key);
    }
}
