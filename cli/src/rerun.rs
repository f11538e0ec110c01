//! `shardlift rerun`: starts what a run left undone, exactly as its report says.

use serde_json::json;
use shardlift_core::{
    port::Ledger,
    report::{Remedy, Verdict, view::NextStep},
    run::lock::LockedPrefix,
    value::{
        id::{RunId, ShardId},
        printable::Printable,
    },
};

use crate::{
    Ending, Screen, connection::Connection, error::CommandError, run_arguments::RerunArguments,
    run_end::RunEnd, shell, start,
};

/// Starts what is to be started after a run, and refuses where the run would be refused.
pub(crate) async fn rerun(
    connection: &Connection,
    arguments: RerunArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let earlier = match arguments.run {
        Some(run) => run,
        None => latest(connection).await?,
    };
    let end = RunEnd::read(connection, &earlier).await?;
    let step = startable(&end, &connection.flags)?;
    let input = input(&end, step, &arguments.shards, &connection.flags)?;
    refuse_overlap(connection, &end).await?;
    screen.note(&format!("after run {earlier}: {}", Printable(&input)))?;
    start::begin(
        connection,
        (arguments.new_run.name, &input),
        arguments.new_run.watch,
        screen,
    )
    .await
}

async fn latest(connection: &Connection) -> Result<RunId, CommandError> {
    let latest = connection.machine.latest(1).await?;
    let run = latest.first().map(|run| RunId::new(run.name.as_str()));
    match run {
        Some(Ok(run)) => Ok(run),
        _ => Err(CommandError::usage(format!(
            "there is no run yet. Start one: shardlift {}start --watch",
            connection.flags
        ))),
    }
}

/// The step that starts a run without anybody having to decide or to correct anything.
fn startable<'a>(end: &'a RunEnd, flags: &str) -> Result<&'a NextStep, CommandError> {
    let (run, quoted) = (&end.run, shell::quoted(&end.run));
    if end.execution.is_running() {
        return Err(CommandError::usage(format!(
            "run {run} is still in progress; to follow it: shardlift {flags}watch {quoted}"
        )));
    }
    if let Some(NextStep::WaitForCopiers(until)) = end.steps.first() {
        return Err(CommandError::usage(format!(
            "a copier of run {run} may still be working until {}; a rerun before that is refused. To wait for it: \
             shardlift {flags}stop {quoted}",
            until.for_people()
        )));
    }
    let starts = |step: &&NextStep| {
        matches!(
            step,
            NextStep::Start(Remedy::Rerun { .. } | Remedy::Ordinary { asked: Some(_), .. })
                | NextStep::StartAgain(_)
        )
    };
    if let Some(step) = end.steps.iter().find(starts) {
        return Ok(step);
    }
    let Some(step) = end.steps.last() else {
        let verdict = end.report.as_ref().map(|report| report.verdict);
        let how = verdict.unwrap_or(Verdict::Complete);
        return Err(CommandError::usage(format!(
            "run {run} is {how}: it left nothing undone. A new run: shardlift {flags}start --input-of {quoted}"
        )));
    };
    let sentence = step.sentence();
    let typed = end.execution.input.as_deref();
    Err(CommandError::usage(match step.command(run, flags, typed) {
        Some(command) => format!("run {run} is not rerun. {sentence} {command}"),
        None => format!("run {run} is not rerun. {sentence}"),
    }))
}

/// The input of the run to start.
fn input(
    end: &RunEnd,
    step: &NextStep,
    shards: &[ShardId],
    flags: &str,
) -> Result<String, CommandError> {
    if let NextStep::Start(Remedy::Rerun { of }) = step {
        let mut input = json!({"rerun_of": of});
        if !shards.is_empty() {
            input["shards"] = json!(shards);
        }
        return Ok(input.to_string());
    }
    if !shards.is_empty() {
        return Err(CommandError::usage(format!(
            "--shard is for a rerun, and after run {} an ordinary run is started: leave it out",
            end.run
        )));
    }
    let asked = step.input().or_else(|| end.execution.input.clone());
    asked.ok_or_else(|| {
        CommandError::usage(format!(
            "Step Functions no longer shows the input of run {}: start a run with your own, shardlift {flags}start --input …",
            end.run
        ))
    })
}

/// Refuses what would end with `RunOverlap`.
async fn refuse_overlap(connection: &Connection, end: &RunEnd) -> Result<(), CommandError> {
    let Some(record) = &end.record else {
        return Ok(());
    };
    let locked = LockedPrefix::of(&record.spec.pair);
    match writing_now(connection, &locked, &end.run).await? {
        Some(other) => Err(CommandError::usage(format!(
            "run {other} is writing to this target, so another run would be refused with RunOverlap. When it has ended, \
             try again: shardlift {}watch {}",
            connection.flags,
            shell::quoted(&other)
        ))),
        None => Ok(()),
    }
}

/// A run, other than `but`, that is going on and writes where `locked` is.
pub(crate) async fn writing_now(
    connection: &Connection,
    locked: &LockedPrefix,
    but: &RunId,
) -> Result<Option<RunId>, CommandError> {
    for lock in connection.ledger.read_locks(&locked.bucket).await? {
        let is_other = lock.run_id != *but && lock.state.is_taken();
        if is_other && lock.locked.overlaps(locked) {
            let holder = connection.machine.describe(&lock.run_id).await;
            // Step Functions forgets executions 90 days after their end.
            if holder.is_ok_and(|execution| execution.is_running()) {
                return Ok(Some(lock.run_id));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::types::ExecutionStatus;
    use shardlift_core::value::time::Timestamp;

    use super::*;
    use crate::machine::Execution;

    fn end(status: ExecutionStatus, steps: Vec<NextStep>) -> RunEnd {
        RunEnd {
            run: RunId::new("nightly-1").unwrap(),
            execution: Execution {
                input: Some(r#"{"mode":"copy"}"#.into()),
                ..Execution::with_status(status)
            },
            report: None,
            record: None,
            steps,
        }
    }

    fn input_after(steps: Vec<NextStep>, shards: &[&str]) -> Result<String, CommandError> {
        let end = end(ExecutionStatus::Failed, steps);
        let shards: Vec<_> = shards.iter().map(|id| ShardId::new(*id).unwrap()).collect();
        let step = startable(&end, "--local ")?;
        input(&end, step, &shards, "--local ")
    }

    fn rerun_step() -> NextStep {
        let of = RunId::new("first").unwrap();
        NextStep::Start(Remedy::Rerun { of })
    }

    #[test]
    fn what_the_report_says_is_started() {
        let steps = vec![NextStep::ListFailures, rerun_step()];
        assert_eq!(
            input_after(steps.clone(), &[]).unwrap(),
            r#"{"rerun_of":"first"}"#
        );
        assert_eq!(
            input_after(steps, &["1-2"]).unwrap(),
            r#"{"rerun_of":"first","shards":["1-2"]}"#
        );
        // With its own input, where no plan was made.
        let again = vec![NextStep::StartAgain(None)];
        assert_eq!(
            input_after(again.clone(), &[]).unwrap(),
            r#"{"mode":"copy"}"#
        );
        assert!(input_after(again, &["1-2"]).is_err());
    }

    #[test]
    fn what_would_be_refused_or_needs_a_decision_is_not_started() {
        let until = Timestamp::from_millis(1_795_311_901_000);
        for (steps, told) in [
            (vec![], "left nothing undone"),
            (vec![NextStep::StartCorrected], "--input"),
            (vec![NextStep::SaveDocuments], "bug report"),
            (vec![NextStep::AllowDeletions], "deletions"),
            (vec![NextStep::StartCopying(None)], "--dry-run=false"),
            (
                vec![NextStep::WaitForCopiers(until), rerun_step()],
                "2026-11-22 01:45:01 UTC",
            ),
        ] {
            let error = input_after(steps, &[]).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let running = end(ExecutionStatus::Running, Vec::new());
        let error = startable(&running, "--local ").unwrap_err().to_string();
        assert!(
            error.contains("shardlift --local watch nightly-1"),
            "{error}"
        );
    }
}
