//! `shardlift status`: the latest runs.

use serde_json::{Value, json};
use shardlift_core::{
    report::Report,
    value::{figures::duration, id::RunId, printable::Printable},
};

use crate::{
    Ending, Screen, connection::Connection, error::CommandError, machine::Execution, screen::Tone,
};

/// Lists the latest runs, the newest first, each finished one with its headline.
pub(crate) async fn show(
    connection: &Connection,
    count: u16,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let executions = connection.machine.latest(count).await?;
    if screen.is_json() {
        let mut runs = Vec::new();
        for execution in &executions {
            runs.push(run_json(
                execution,
                report_of(connection, execution).await?.as_ref(),
            ));
        }
        screen.json(json!({"runs": runs}))?;
        return Ok(Ending::Good);
    }
    if executions.is_empty() {
        writeln!(
            screen.out(),
            "No runs yet. Start one: shardlift {}start --watch",
            connection.flags
        )?;
    }
    for execution in &executions {
        let report = report_of(connection, execution).await?;
        write_run(execution, report.as_ref(), screen)?;
    }
    Ok(Ending::Good)
}

async fn report_of(
    connection: &Connection,
    execution: &Execution,
) -> Result<Option<Report>, CommandError> {
    match RunId::new(execution.name.as_str()) {
        Ok(run) if !execution.is_running() => connection.report(&run).await,
        _ => Ok(None),
    }
}

fn run_json(execution: &Execution, report: Option<&Report>) -> Value {
    json!({
        "run_id": execution.name, "status": execution.status.as_str(),
        "verdict": report.map(|report| report.verdict),
        "summary": report.map(|report| report.headline().summary),
        "started_at": execution.started_at.to_string(),
        "ended_at": execution.ended_at.map(|at| at.to_string()),
    })
}

/// A run in one line, or with its headline below where that does not fit.
fn write_run(
    execution: &Execution,
    report: Option<&Report>,
    screen: &mut Screen,
) -> std::io::Result<()> {
    let word = match report {
        Some(report) => report.verdict.to_string(),
        None => execution.status.as_str().to_owned(),
    };
    let tone = match word.as_str() {
        "COMPLETE" | "PLANNED" => Tone::Good,
        "RUNNING" => Tone::Strong,
        _ => Tone::Bad,
    };
    let took = execution
        .ended_at
        .map(|end| duration(end.since(execution.started_at)))
        .unwrap_or_default();
    let summary = report.map_or_else(String::new, |report| {
        Printable(&report.headline().summary).to_string()
    });
    // To the second: milliseconds tell nobody anything here.
    let started = execution.started_at.to_string();
    let started = started.split('.').next().unwrap_or_default();
    let word = format!("{word:<10}");
    let rest = format!("{:<24} {started}Z {took:>11}", execution.name);
    let toned = screen.toned(tone, &word);
    let whole = format!("{toned}  {rest}  {summary}");
    if screen.fits(word.len() + rest.chars().count() + summary.chars().count() + 4) {
        return writeln!(screen.out(), "{}", whole.trim_end());
    }
    if screen.fits(word.len() + rest.trim_end().chars().count() + 2) {
        writeln!(screen.out(), "{toned}  {}", rest.trim_end())?;
    } else {
        writeln!(screen.out(), "{toned}  {}", execution.name)?;
        screen.paragraph(Tone::Plain, 2, format!("{started}Z {took}").trim_end())?;
    }
    if !summary.is_empty() {
        screen.paragraph(Tone::Plain, 2, &summary)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::types::ExecutionStatus;
    use shardlift_core::value::time::Timestamp;

    use super::*;
    use crate::screen::paper::Paper;

    #[test]
    fn a_run_is_one_line_where_that_fits() {
        let execution = Execution {
            name: "run-20261122T014501123".into(),
            status: ExecutionStatus::Aborted,
            started_at: Timestamp::from_millis(1_795_311_901_123),
            ended_at: Some(Timestamp::from_millis(1_795_311_961_123)),
            error: None,
            cause: None,
            input: None,
        };
        for columns in [200, 80] {
            let (screen, paper) = Paper::in_a_screen();
            let mut screen = screen.with_columns(columns);
            write_run(&execution, None, &mut screen).unwrap();
            assert_eq!(
                paper.text(),
                "ABORTED     run-20261122T014501123   2026-11-22T01:45:01Z   1 min 0 s\n"
            );
        }
    }
}
