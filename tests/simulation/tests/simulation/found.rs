//! Defects that seeds have found, each as a story of its own.

use std::time::Duration;

use serde_json::json;
use shardlift_simulation::{
    cloud::Planted,
    play::{Wishes, play_story},
    story::{Climate, Deed, Event, FirstObject, RunPlan, Step, Story},
};

fn object(key: &str) -> FirstObject {
    FirstObject {
        key: key.to_owned(),
        content: format!("{key}#1"),
        size_bytes: 7,
        age: Duration::from_secs(7_200),
        tag: None,
        class: "STANDARD",
    }
}

/// A mirror in good weather over these two sides.
fn mirror(source: &[&str], target: &[&str]) -> Story {
    let mut story = Story::of(1);
    story.climate = Climate::default();
    story.ground.source_prefix = "data/".to_owned();
    story.ground.target_prefix = "copy/".to_owned();
    story.ground.excluded = None;
    let below = |prefix: &str, keys: &[&str]| {
        let full = keys.iter().map(|key| object(&format!("{prefix}{key}")));
        full.collect::<Vec<_>>()
    };
    story.source = below("data/", source);
    story.target = below("copy/", target);
    story.steps = vec![Step::Runs(vec![RunPlan {
        number: 0,
        input: json!({"mode": "mirror"}),
        delay: Duration::ZERO,
    }])];
    story.runs = 1;
    story.events = Vec::new();
    story
}

/// Seed 2536: the run was COMPLETE, although an object stood where the mirror had deleted one.
#[test]
fn what_comes_back_under_a_key_that_a_mirror_deleted_is_foreign_to_it() {
    let planted = Planted::nothing();
    let mut verdicts = Vec::new();
    for call in 1..200 {
        let mut story = mirror(&["a", "b"], &["a", "x"]);
        story.events = vec![Event {
            run: 0,
            call,
            deed: Deed::PutTarget {
                relative: "x".to_owned(),
                content: "x#back".to_owned(),
                size_bytes: 9,
            },
        }];
        let played = play_story(&story, &planted, &Wishes::default());
        assert_eq!(played.violations, [], "call {call}");
        verdicts.extend(played.verdicts);
    }
    verdicts.sort();
    verdicts.dedup();
    assert_eq!(verdicts, ["COMPLETE", "INCOMPLETE"]);
}
