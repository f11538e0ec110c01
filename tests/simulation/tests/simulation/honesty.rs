//! Faults that are planted are found, and what the machine has and the simulation does not know is refused.

use std::rc::Rc;

use serde_json::json;
use shardlift_simulation::{
    asl,
    cloud::Planted,
    mutation::{PortFault, machine_faults},
    play::{Played, Wishes, play},
    shrink::shrink,
    sync_machine,
};

/// Faults that ordinary stories show. `make simulate FAULTS=1` plants all of them.
const PLAIN: &[PortFault] = &[
    PortFault::LostAbort,
    PortFault::TagsLeftOut,
    PortFault::KeyNormalized,
    PortFault::CutOffSource,
    PortFault::CutOffTarget,
    PortFault::LostShard,
    PortFault::LostKeptList,
    PortFault::MissingShardPage,
    PortFault::LostManifest,
    PortFault::LostReceipts,
    PortFault::LostReport,
    PortFault::LostNotification,
    PortFault::DoubleNotification,
    PortFault::StrayWrite,
    PortFault::SourceCleaned,
];
const SEEDS: u64 = 60;

fn found(planted: &Planted) -> Option<Played> {
    let plays = (0..SEEDS).map(|seed| play(seed, planted, &Wishes::default()));
    plays.into_iter().find(|it| !it.violations.is_empty())
}

#[test]
fn a_fault_in_the_ports_is_found() {
    for fault in PLAIN {
        assert!(found(&Planted::in_ports(*fault)).is_some(), "{fault:?}");
    }
}

#[test]
fn a_catch_that_is_left_out_of_the_machine_is_found() {
    let faults = machine_faults();
    let without_catch = faults
        .iter()
        .find(|it| it.name == "PlanShards has no Catch");
    let mut text = sync_machine();
    without_catch.expect("there is one").plant(&mut text);
    let planted = Planted {
        definition: Rc::new(asl::read(&text).unwrap()),
        port: None,
    };
    let played = found(&planted).expect("some seed finds it");
    assert!(played.violations.iter().any(|it| it.promise == "P9"));
}

#[test]
fn a_failing_seed_is_shrunk_to_a_story_that_fails_alike() {
    let planted = Planted::in_ports(PortFault::NoUploadsListed);
    let failed = (0..500)
        .map(|seed| play(seed, &planted, &Wishes::default()))
        .find(|it| !it.violations.is_empty() && it.fired.len() > 5)
        .expect("some seed fails in bad weather");
    let shortest = shrink(&failed, &planted);
    let promise = failed.violations[0].promise;
    assert!(shortest.violations.iter().any(|it| it.promise == promise));
    assert!(shortest.fired.len() < failed.fired.len());
    assert!(!shortest.tale.is_empty());
}

#[test]
fn what_is_not_simulated_is_refused() {
    assert!(asl::read(&sync_machine()).is_ok());
    for (pointer, field, value) in [
        ("/States/PlanShards", "HeartbeatSeconds", json!(5)),
        ("/States/PlanShards/Retry/0", "Jitter", json!("FULL")),
        (
            "/States/CheckPlan/Choices/0/And/0",
            "StringMatches",
            json!("*"),
        ),
        ("/States/OpenRun", "Type", json!("Wait")),
        ("/States/CopyShards", "ToleratedFailureCount", json!(1)),
        (
            "/States/CopyShards/ItemProcessor/ProcessorConfig",
            "Mode",
            json!("INLINE"),
        ),
        ("", "QueryLanguage", json!("JSONata")),
    ] {
        let mut text = sync_machine();
        text.pointer_mut(pointer).unwrap()[field] = value;
        assert!(asl::read(&text).is_err(), "{pointer}/{field}");
    }
}
