//! `shardlift status`: the latest runs.

use shardlift_core::{
    report::Report,
    value::{
        figures::{bytes, counted, duration, grouped},
        id::RunId,
    },
};

use crate::{
    Ending, Screen, connection::Connection, error::CommandError, machine::Execution, screen::Tone,
};

/// Lists the latest runs, the youngest first, with the verdict of those that ended.
pub(crate) async fn show(
    connection: &Connection,
    count: u16,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let executions = connection.machine.latest(count).await?;
    if executions.is_empty() {
        writeln!(
            screen.out(),
            "There was no run yet. Start one: shardlift {}start --watch",
            connection.flags
        )?;
    }
    for execution in &executions {
        let report = match RunId::new(execution.name.as_str()) {
            Ok(run) if !execution.is_running() => connection.report(&run).await?,
            _ => None,
        };
        let line = line(execution, report.as_ref(), screen);
        writeln!(screen.out(), "{line}")?;
    }
    Ok(Ending::Good)
}

fn line(execution: &Execution, report: Option<&Report>, screen: &Screen) -> String {
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
    let counts = report.map_or_else(String::new, |report| {
        let mut counts = format!(
            "{} copied ({}), {} skipped",
            counted(report.copied.objects, "object"),
            bytes(report.copied.bytes),
            grouped(report.skipped.objects),
        );
        if report.failed.objects > 0 {
            counts.push_str(&format!(", {} failed", grouped(report.failed.objects)));
        }
        if let Some(problem) = &report.problem {
            counts.push_str(&format!(
                ", {}",
                shardlift_core::value::printable::Printable(&problem.code)
            ));
        }
        counts
    });
    format!(
        "{}  {:<32} {}  {took:>12}  {counts}",
        screen.toned(tone, &format!("{word:<10}")),
        execution.name,
        execution.started_at,
    )
    .trim_end()
    .to_owned()
}
