//! Plays seeds.
use std::rc::Rc;
use shardlift_simulation::{asl, cloud::Planted, play::{Wishes, play}};
fn main() {
    let text: serde_json::Value = serde_json::from_str(include_str!("../../../statemachine/sync.asl.json")).unwrap();
    let planted = Planted { definition: Rc::new(asl::read(&text).unwrap()), port: None };
    let first: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let count: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    for seed in first..first+count {
        let began = std::time::Instant::now();
        let wishes = Wishes { keeps_tale: std::env::args().nth(3).is_some(), ..Wishes::default() };
        let played = play(seed, &planted, &wishes);
        for line in &played.tale { println!("{line}"); }
        println!("{seed} {:?} {} inv {} calls {} fired {:x} {:?}", played.verdicts, played.invocations, played.calls, played.fired.len(), played.trace, began.elapsed());
        for v in &played.violations { println!("   {v:?}"); }
    }
}
