//! What must hold when a run has ended, by a model that uses none of our code: docs/SEMANTICS.md, read naively.
//!
//! `view` is one run with what was seen of it, `sameness` what counts as the same, `complete` what COMPLETE means,
//! `accounts` the sums and lists, `digest` the digest, `duties` that each run is reported and leaves nothing behind,
//! `expectation` what an undisturbed run must come to, and `renditions` one with a transform.

mod accounts;
mod complete;
mod digest;
mod documents;
mod duties;
mod expectation;
mod renditions;
mod sameness;
mod view;

use std::rc::Rc;

use self::view::View;
use crate::cloud::Cloud;

/// Judges a run that has ended; its verdict.
pub fn ended(cloud: &Rc<Cloud>, run: usize) -> String {
    let view = View::of(cloud, run);
    let mut found = Vec::new();
    duties::judge(&view, &mut found);
    if view.has_report() {
        accounts::judge(&view, &mut found);
        complete::judge(&view, &mut found);
        expectation::judge(&view, &mut found);
    }
    let verdict = view.verdict().to_owned();
    drop(view);
    for (promise, text) in found {
        cloud.chronicle().seen().violated(promise, run, text);
    }
    verdict
}

/// What was found wrong: the promise and what was seen.
type Found = Vec<(&'static str, String)>;
