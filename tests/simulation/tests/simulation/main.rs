//! Whole runs in simulation: several hundred seeds, what makes them worth something, and what seeds have found.

mod found;
mod honesty;

use shardlift_simulation::{
    cloud::Planted,
    play::{Wishes, play},
};

const SEEDS: u64 = 600;

#[test]
fn several_hundred_seeds_break_no_promise() {
    let planted = Planted::nothing();
    let mut disturbances = 0;
    for seed in 0..SEEDS {
        let played = play(seed, &planted, &Wishes::default());
        disturbances += played.fired.len();
        assert_eq!(
            played.violations,
            [],
            "seed {seed}: make simulate SEED={seed} tells its story"
        );
    }
    assert!(disturbances > 1_000, "the weather was bad");
}

#[test]
fn a_seed_is_played_exactly_alike_each_time() {
    let planted = Planted::nothing();
    let mut traces: Vec<u64> = Vec::new();
    for seed in 0..40 {
        let trace = play(seed, &planted, &Wishes::default()).trace;
        let told = Wishes {
            keeps_tale: true,
            ..Wishes::default()
        };
        assert_eq!(play(seed, &planted, &told).trace, trace, "seed {seed}");
        traces.push(trace);
    }
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 40, "and each seed is another story");
}
