//! The runs of a story.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::{
    dice::{happens, one_of},
    pictures,
};

/// A run that is to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPlan {
    /// Its number in the story, of which its name is made.
    pub number: usize,
    /// Its input.
    pub input: Value,
    /// How long after the begin of its step.
    pub delay: Duration,
}

/// What happens next in a story, when everything before has ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// These runs are started, and end.
    Runs(Vec<RunPlan>),
    /// A run that was stopped is redriven, and ends.
    Redrive(usize),
    /// Nothing for so long.
    Wait(Duration),
    /// The weather is good from now on.
    Calm,
}

pub(super) fn name(number: usize) -> String {
    format!("night-{number}")
}

/// The steps of a story, and how many runs they have.
pub(super) fn steps(rng: &mut Rng, base: &Value, lists: &[&str]) -> (Vec<Step>, usize) {
    let (mut steps, mut runs) = (Vec::new(), 0);
    for _ in 0..one_of(rng, &[1, 2, 2, 3, 4]) {
        let together = if happens(rng, 120) { 2 } else { 1 };
        let mut started = Vec::new();
        for _ in 0..together {
            started.push(RunPlan {
                number: runs,
                input: input(rng, base, runs, lists),
                delay: Duration::from_millis(if started.is_empty() {
                    0
                } else {
                    rng.u64(0..20_000)
                }),
            });
            runs += 1;
        }
        let is_alone = started.len() == 1;
        steps.push(Step::Runs(started));
        if is_alone && happens(rng, 400) {
            // At once, or after others began.
            steps.push(Step::Redrive(rng.usize(0..runs)));
        }
        let pause = one_of(rng, &[0, 30, 120, 1_000, 1_000]);
        steps.push(Step::Wait(Duration::from_secs(pause)));
    }
    steps.push(Step::Calm);
    // Every copier of before is dead then, and every lease has expired.
    steps.push(Step::Wait(Duration::from_secs(1_000)));
    steps.push(Step::Runs(vec![RunPlan {
        number: runs,
        input: last_input(rng, base),
        delay: Duration::ZERO,
    }]));
    steps.push(Step::Wait(Duration::from_secs(1_000)));
    (steps, runs + 1)
}

fn input(rng: &mut Rng, base: &Value, number: usize, lists: &[&str]) -> Value {
    if number > 0 && happens(rng, 250) {
        return json!({"rerun_of": name(rng.usize(0..number))});
    }
    let mut input = base.clone();
    let mode = one_of(
        rng,
        &[
            "sync", "sync", "sync", "mirror", "mirror", "mirror", "copy", "audit",
        ],
    );
    set(&mut input, "mode", mode);
    if mode != "audit" && happens(rng, 60) {
        input["dry_run"] = json!(true);
    }
    if matches!(mode, "sync" | "copy") && happens(rng, 150) {
        let key = one_of(rng, lists);
        input["source"] = json!({"list": {"bucket": super::CONTROL, "key": key, "format": "csv"}});
    }
    if happens(rng, 300) {
        set(&mut input, "on_change", "fail");
    }
    options(rng, &mut input);
    input
}

/// The last night: what stands at the end is judged, and nothing disturbs it.
fn last_input(rng: &mut Rng, base: &Value) -> Value {
    let mut input = base.clone();
    set(
        &mut input,
        "mode",
        one_of(rng, &["sync", "sync", "mirror", "copy"]),
    );
    options(rng, &mut input);
    input
}

fn options(rng: &mut Rng, input: &mut Value) {
    let compare = one_of(
        rng,
        &["size_and_mtime", "size_and_mtime", "size", "etag", "etag"],
    );
    set(input, "compare", compare);
    let verify = one_of(rng, &["relist", "relist", "relist", "checksum", "none"]);
    set(input, "verify", verify);
    if happens(rng, 300) {
        input["rounds_max"] = json!(rng.u32(1..5));
    }
    if happens(rng, 400) {
        input["delete_max_objects"] = json!(rng.u32(0..30));
        input["delete_max_percent"] = json!(rng.u32(0..101));
    }
    if happens(rng, 200) {
        input["allow_empty_source"] = json!(true);
    }
    if happens(rng, 200) {
        set(input, "archived", "skip");
    }
}

/// Makes runs with a transform of these runs: mostly with the same one. What is refused beside one is taken out.
pub(super) fn render(rng: &mut Rng, steps: &mut [Step]) {
    let [usual, other] = pictures::transforms();
    let plans = steps.iter_mut().filter_map(|step| match step {
        Step::Runs(plans) => Some(plans),
        _ => None,
    });
    for plan in plans.flatten() {
        let input = &mut plan.input;
        if input.get("rerun_of").is_some() {
            continue;
        }
        let is_usual = happens(rng, 850);
        input["transform"] = if is_usual { &usual } else { &other }.clone();
        if input["mode"] == "audit" {
            set(input, "mode", "sync");
        }
        if input["verify"] == "checksum" {
            set(input, "verify", "relist");
        }
        input.as_object_mut().expect("an input").remove("compare");
    }
}

fn set(input: &mut Value, field: &str, value: &str) {
    input[field] = json!(value);
}
