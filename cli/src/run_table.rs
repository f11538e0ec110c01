//! `shardlift status`: the latest runs.

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
    if executions.is_empty() {
        writeln!(
            screen.out(),
            "No runs yet. Start one: shardlift {}start --watch",
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
    let summary = report.map_or_else(String::new, |report| report.headline().summary);
    format!(
        "{}  {:<32} {}  {took:>12}  {}",
        screen.toned(tone, &format!("{word:<10}")),
        execution.name,
        execution.started_at,
        Printable(&summary),
    )
    .trim_end()
    .to_owned()
}
