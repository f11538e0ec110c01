//! Object tags. Read `tag_set` (the rules) first, then `object_tagging` (the three operations).

pub(super) mod object_tagging;
pub(super) mod tag_set;
