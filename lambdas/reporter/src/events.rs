//! The lists of events that a run took: they are removed once it has done what they say.

use shardlift_core::{
    events::{EventRun, HELD_KEY, HELD_MARK},
    failure::{Context, Failure, FailureCode},
    port::{ControlStore, EventLists},
    report::{Report, Verdict},
    run::{
        event::ReporterEvent,
        input::RunInput,
        record::{RunRecord, RunState},
    },
};

use crate::{invocation::Invocation, ports::Ports};

/// Settles the lists of a run that events started, before its lock is released.
///
/// A run whose plan was finished, and in which nothing broke, has looked at every key of them, and its report names each
/// object that failed. The lists of any other run go on waiting: those of one that lost the pair to another run until that
/// ends. After one that broke for a reason of its own, and after one that is INCOMPLETE, the next run is held for some
/// minutes.
///
/// # Errors
/// When the control bucket cannot be used. Then the report is written again.
pub(crate) async fn settle<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: Option<&RunRecord>,
    report: &Report,
) -> Result<(), Failure> {
    let Some(taken) = taken(invocation.event) else {
        return Ok(());
    };
    let is_planned = run.is_some_and(|run| run.state != RunState::Planning);
    let code = report.problem.as_ref().map(|problem| problem.code.as_str());
    if report.verdict == Verdict::Incomplete && code != Some(FailureCode::RunOverlap.name()) {
        // Before its lists are gone: the end of this run makes the intake look at once.
        let marked = invocation
            .control
            .put(HELD_KEY, "text/plain", HELD_MARK.to_vec());
        marked.await.context("holding the next run of events")?;
    }
    if is_planned && report.problem.is_none() {
        for name in &taken.lists {
            let removed = invocation.control.remove_waiting(&name.key()).await;
            removed.context("removing the events that the run has done with")?;
        }
    }
    Ok(())
}

/// What the run took, as its input says. A rerun takes nothing.
fn taken(event: &ReporterEvent) -> Option<EventRun> {
    let input = RunInput::parse(&event.input.json().ok()?).ok()?;
    input.events
}
