//! A short story of a failure: disturbances are taken out as long as it still fails.

use std::collections::HashSet;

use crate::{
    cloud::Planted,
    history::Fired,
    play::{Played, Wishes, play},
};

/// The most plays that shrinking makes.
const PLAYS_MAX: u32 = 400;

/// The play of the same seed with as few disturbances as it takes to break the same promise.
#[must_use]
pub fn shrink(failed: &Played, planted: &Planted) -> Played {
    let Some(promise) = failed.violations.first().map(|violation| violation.promise) else {
        return failed.clone();
    };
    let mut shortest = failed.clone();
    let mut suppressed = HashSet::new();
    let mut plays = 0;
    let mut share = shortest.fired.len();
    while share > 0 && plays < PLAYS_MAX {
        let (mut begin, mut is_shorter) = (0, false);
        while begin < shortest.fired.len() && plays < PLAYS_MAX {
            let taken = shortest.fired.iter().skip(begin).take(share);
            let mut without = suppressed.clone();
            without.extend(taken.map(|fired: &Fired| fired.id));
            let wishes = Wishes {
                suppressed: without.clone(),
                keeps_tale: true,
            };
            let played = play(failed.seed, planted, &wishes);
            plays += 1;
            let breaks = played.violations.iter().any(|it| it.promise == promise);
            if breaks && played.fired.len() < shortest.fired.len() {
                (suppressed, shortest, is_shorter) = (without, played, true);
            } else {
                begin += share;
            }
        }
        if !is_shorter || share > shortest.fired.len() {
            share /= 2;
        }
    }
    if shortest.tale.is_empty() {
        let wishes = Wishes {
            suppressed,
            keeps_tale: true,
        };
        shortest = play(failed.seed, planted, &wishes);
    }
    shortest
}
