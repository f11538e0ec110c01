//! Plays many seeds, or one, or plants faults and looks which seed finds them.

use std::{process::ExitCode, rc::Rc};

use clap::Parser;
use shardlift_simulation::{
    cloud::Planted,
    mutation::{PORT_FAULTS, machine_faults},
    play::{Played, Wishes, play},
    shrink::shrink,
    sync_machine,
};

/// Whole runs of Shardlift in simulation. What the reporter prints goes to the standard output, what this prints to the
/// standard error.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed; alone, the only one, told in full.
    #[arg(long)]
    seed: Option<u64>,
    /// Plants each fault of the ports and of the machine, and says which seed finds it.
    #[arg(long)]
    faults: bool,
    /// Plays until the first seed fails, and says no more than its number: for faults that are planted in the code.
    #[arg(long)]
    first: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let planted = Planted::nothing();
    if arguments.faults {
        return find_faults(&arguments);
    }
    if let Some(seed) = arguments.seed {
        return tell(seed, &planted);
    }
    let mut broken = 0_u64;
    let (mut invocations, mut calls, mut disturbances) = (0, 0, 0);
    for seed in 0..arguments.seeds {
        let played = play(seed, &planted, &Wishes::default());
        invocations += played.invocations;
        calls += played.calls;
        disturbances += played.fired.len();
        if played.violations.is_empty() {
            continue;
        }
        broken += 1;
        if arguments.first {
            say(&format!("{}", seed + 1));
            say(&promises(&played));
            return ExitCode::FAILURE;
        }
        say(&format!("seed {seed}: {}", promises(&played)));
        if broken <= 5 {
            say_story(&shrink(&played, &planted));
        }
    }
    say(&format!(
        "{} seeds, {invocations} invocations, {calls} calls, {disturbances} disturbances: {broken} seeds broke a promise",
        arguments.seeds
    ));
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn tell(seed: u64, planted: &Planted) -> ExitCode {
    let wishes = Wishes {
        keeps_tale: true,
        ..Wishes::default()
    };
    let played = play(seed, planted, &wishes);
    if played.violations.is_empty() {
        played.tale.iter().for_each(|line| say(line));
        say(&format!("seed {seed}: {:?}, no promise broken", played.verdicts));
        return ExitCode::SUCCESS;
    }
    let shortest = shrink(&played, planted);
    shortest.tale.iter().for_each(|line| say(line));
    say_story(&shortest);
    ExitCode::FAILURE
}

fn say_story(played: &Played) {
    for fired in &played.fired {
        say(&format!("    {}", fired.text));
    }
    for violation in &played.violations {
        let (promise, run, text) = (violation.promise, &violation.run, &violation.text);
        say(&format!("    broken in {run}: {promise}: {text}"));
    }
}

fn promises(played: &Played) -> String {
    let mut promises: Vec<&str> = played.violations.iter().map(|it| it.promise).collect();
    promises.sort_unstable();
    promises.dedup();
    promises.join(", ")
}

fn find_faults(arguments: &Arguments) -> ExitCode {
    let mut is_missed = false;
    let mut look = |kind: &str, name: &str, planted: &Planted| {
        let found = (0..arguments.seeds)
            .map(|seed| play(seed, planted, &Wishes::default()))
            .find(|played| !played.violations.is_empty());
        let said = match found {
            Some(played) => format!("seed {}: {}", played.seed, promises(&played)),
            None => {
                is_missed = true;
                format!("NOT FOUND by {} seeds", arguments.seeds)
            }
        };
        say(&format!("| {kind} | {name} | {said} |"));
    };
    for (fault, name) in PORT_FAULTS {
        look("port", name, &Planted::in_ports(*fault));
    }
    for fault in machine_faults() {
        let mut text = sync_machine();
        fault.plant(&mut text);
        match shardlift_simulation::asl::read(&text) {
            Ok(definition) => {
                let planted = Planted {
                    definition: Rc::new(definition),
                    port: None,
                };
                look("machine", fault.name, &planted);
            }
            Err(problem) => say(&format!("| machine | {} | unreadable: {problem} |", fault.name)),
        }
    }
    if is_missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

#[expect(clippy::print_stderr, reason = "it is a command")]
fn say(line: &str) {
    eprintln!("{line}");
}
