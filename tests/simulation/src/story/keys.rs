//! Keys that hurt.

use fastrand::Rng;

use crate::dice::{happens, one_of};

const PIECES: &[&str] = &[
    "a//b",
    "../x",
    ".",
    "\u{fc}/\u{f6}",
    "\u{10ffff}",
    "line\nbreak",
    "+ %20&amp;",
    "\u{feff}mark",
    "=1+1",
    "\"quoted\",'",
    "/leading",
    "tab\t",
    "~",
    "\u{1}\u{1f}",
    "A",
    "zz",
];

/// A key below the prefixes; each number gives another one.
pub(super) fn relative(rng: &mut Rng, number: usize, is_hostile: bool) -> String {
    let excluded = if happens(rng, 80) { "skip/" } else { "" };
    if !is_hostile {
        let folder = one_of(rng, &["", "", "a/", "b/c/", "z-"]);
        return format!("{excluded}{folder}k{number:02}");
    }
    let piece = one_of(rng, PIECES);
    let tail = if happens(rng, 100) { "/" } else { "" };
    if happens(rng, 60) {
        return format!("{excluded}{}{number}", "l".repeat(1_000));
    }
    if happens(rng, 500) {
        format!("{excluded}{piece}{number}{tail}")
    } else {
        format!("{excluded}{number}{piece}{tail}")
    }
}
