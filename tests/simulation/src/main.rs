//! Plays many seeds, or one, or plants faults and looks which seed finds them.

use std::{process::ExitCode, rc::Rc, sync::Mutex, thread};

use clap::Parser;
use shardlift_simulation::{
    asl,
    cloud::Planted,
    mutation::{PORT_FAULTS, machine_faults},
    play::{Played, Wishes, play},
    shrink::shrink,
    sync_machine,
};

/// Of how many failing seeds the story is told.
const STORIES_MAX: usize = 5;

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
    /// Plants only the faults whose names have this part.
    #[arg(long, default_value = "")]
    only: String,
    /// Plays until the first seed fails, and says no more than its number: for faults that are planted in the code.
    #[arg(long)]
    first: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.faults {
        return find_faults(arguments.seeds, &arguments.only);
    }
    if let Some(seed) = arguments.seed {
        return tell(seed, &Planted::nothing());
    }
    play_all(&arguments)
}

/// What many plays came to.
#[derive(Default)]
struct Sums {
    invocations: usize,
    calls: u64,
    disturbances: usize,
    failed: Vec<Played>,
}

/// Plays the seeds on all processors; each seed on one.
fn play_all(arguments: &Arguments) -> ExitCode {
    let threads = thread::available_parallelism().map_or(1, |it| it.get() as u64);
    let sums = Mutex::new(Sums::default());
    thread::scope(|scope| {
        for first in 0..threads {
            let (sums, stops_at_first) = (&sums, arguments.first);
            scope.spawn(move || {
                let planted = Planted::nothing();
                let mine = (first..arguments.seeds).step_by(usize::try_from(threads).unwrap_or(1));
                for seed in mine {
                    let played = play(seed, &planted, &Wishes::default());
                    let mut sums = sums.lock().expect("nothing panics while it holds them");
                    sums.invocations += played.invocations;
                    sums.calls += played.calls;
                    sums.disturbances += played.fired.len();
                    if !played.violations.is_empty() {
                        sums.failed.push(played);
                    }
                    if stops_at_first && !sums.failed.is_empty() {
                        break;
                    }
                }
            });
        }
    });
    let mut sums = sums
        .into_inner()
        .expect("nothing panics while it holds them");
    sums.failed.sort_by_key(|played| played.seed);
    if let (true, Some(played)) = (arguments.first, sums.failed.first()) {
        say(&format!("{}", played.seed + 1));
        say(&promises(played));
        return ExitCode::FAILURE;
    }
    for (number, played) in sums.failed.iter().enumerate() {
        say(&format!("seed {}: {}", played.seed, promises(played)));
        if number < STORIES_MAX {
            say_story(&shrink(played, &Planted::nothing()));
        }
    }
    say(&format!(
        "{} seeds, {} invocations, {} calls, {} disturbances: {} seeds broke a promise",
        arguments.seeds,
        sums.invocations,
        sums.calls,
        sums.disturbances,
        sums.failed.len()
    ));
    if sums.failed.is_empty() {
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
        say(&format!(
            "seed {seed}: {:?}, no promise broken",
            played.verdicts
        ));
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

/// Prints the table of planted faults.
fn find_faults(seeds: u64, only: &str) -> ExitCode {
    let look = |kind: &str, name: &str, planted: &Planted| {
        if !name.contains(only) {
            return;
        }
        let found = (0..seeds)
            .map(|seed| play(seed, planted, &Wishes::default()))
            .find(|played| !played.violations.is_empty());
        let said = found.map_or_else(
            || format!("NOT FOUND by {seeds} seeds"),
            |played| format!("seed {}: {}", played.seed, promises(&played)),
        );
        say(&format!("| {kind} | {name} | {said} |"));
    };
    for (fault, name) in PORT_FAULTS {
        look("port", name, &Planted::in_ports(*fault));
    }
    for fault in machine_faults() {
        let mut text = sync_machine();
        fault.plant(&mut text);
        match asl::read(&text) {
            Ok(definition) => {
                let planted = Planted {
                    definition: Rc::new(definition),
                    port: None,
                };
                look("machine", fault.name, &planted);
            }
            Err(problem) => say(&format!(
                "| machine | {} | unreadable: {problem} |",
                fault.name
            )),
        }
    }
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "it is a command")]
fn say(line: &str) {
    eprintln!("{line}");
}
