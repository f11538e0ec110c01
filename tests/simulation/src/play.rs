//! Plays the story of a seed.

use std::{collections::HashSet, rc::Rc};

use tokio::task::LocalSet;

use crate::{
    cloud::{Cloud, Planted, execute},
    history::{Chronicle, Fired, Violation},
    judge,
    story::{Step, Story},
};

/// How a play is to be made.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Decisions that are taken out of the story.
    pub suppressed: HashSet<u64>,
    /// Whether a line is kept for each thing that happens.
    pub keeps_tale: bool,
}

/// What a play showed.
#[derive(Debug, Clone)]
pub struct Played {
    /// The seed.
    pub seed: u64,
    /// What was found wrong.
    pub violations: Vec<Violation>,
    /// What disturbed.
    pub fired: Vec<Fired>,
    /// What stands for all that happened.
    pub trace: u64,
    /// How many runs ended, by their verdict.
    pub verdicts: Vec<String>,
    /// How many invocations there were.
    pub invocations: usize,
    /// How many calls the functions made.
    pub calls: u64,
    /// A line for each thing that happened.
    pub tale: Vec<String>,
}

/// Plays the story of a seed.
///
/// # Panics
/// When the runtime cannot be built.
#[must_use]
pub fn play(seed: u64, planted: &Planted, wishes: &Wishes) -> Played {
    play_story(&Story::of(seed), planted, wishes)
}

/// Plays a story.
///
/// # Panics
/// When the runtime cannot be built.
#[must_use]
pub fn play_story(story: &Story, planted: &Planted, wishes: &Wishes) -> Played {
    fastrand::seed(story.seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing that could fail");
    let chronicle = Chronicle::default();
    if wishes.keeps_tale {
        chronicle.seen().tale = Some(Vec::new());
    }
    let local = LocalSet::new();
    let verdicts = local.block_on(&runtime, async {
        let suppressed = wishes.suppressed.clone();
        let cloud = Cloud::new(
            story.clone(),
            planted.clone(),
            suppressed,
            chronicle.clone(),
        );
        let cloud = Rc::new(cloud);
        tell(&cloud, story).await
    });
    drop(local);
    let mut seen = chronicle.seen();
    Played {
        seed: story.seed,
        violations: std::mem::take(&mut seen.violations),
        fired: std::mem::take(&mut seen.fired),
        trace: seen.trace(),
        verdicts,
        invocations: seen.invocations.len(),
        calls: seen.runs.iter().map(|run| run.calls).sum(),
        tale: seen.tale.take().unwrap_or_default(),
    }
}

async fn tell(cloud: &Rc<Cloud>, story: &Story) -> Vec<String> {
    let mut verdicts = Vec::new();
    for step in &story.steps {
        match step {
            Step::Wait(time) => tokio::time::sleep(*time).await,
            Step::Calm => cloud.calm_down(),
            Step::Redrive(run) => {
                let input = {
                    let seen = cloud.chronicle().seen();
                    let log = &seen.runs[*run];
                    (log.ending.is_none()).then(|| log.input.clone())
                };
                if let Some(input) = input {
                    execute(cloud, *run, &input).await;
                    verdicts.push(judge::ended(cloud, *run));
                }
            }
            Step::Runs(plans) => {
                let runs = plans.iter().map(|plan| async {
                    tokio::time::sleep(plan.delay).await;
                    execute(cloud, plan.number, &plan.input).await;
                    judge::ended(cloud, plan.number)
                });
                verdicts.extend(futures::future::join_all(runs).await);
            }
        }
    }
    verdicts
}
