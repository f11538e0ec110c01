//! `shardlift status`: what each pair of the stack copies, when it runs next, and the latest runs.

mod pair_setup;
mod run_place;
mod run_table;
mod stack_setup;

use serde_json::json;
use shardlift_core::value::time::Timestamp;

use self::stack_setup::StackSetup;
use crate::{
    Ending, Screen, arguments::StackArguments, connection::Connection, deployment::Deployment,
    error::CommandError,
};

/// Where there are several pairs, the last run of each is looked for among this many: what a busy pair does should not push
/// the night of another one out.
const RUNS_LOOKED_AT: u16 = 100;

/// Shows the pairs and schedules of the stack, then the latest runs, the newest first.
pub(crate) async fn show(
    stack: &StackArguments,
    count: u16,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let deployment = Deployment::find(stack).await?;
    let setup = StackSetup::of(stack, &deployment).await?;
    let connection = Connection::open(deployment);
    let looked_at = match setup.has_further_pairs() {
        true => count.max(RUNS_LOOKED_AT),
        false => count,
    };
    let looked_at = run_table::latest(&connection, looked_at).await?;
    let runs = &looked_at[..looked_at.len().min(usize::from(count))];
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    if screen.is_json() {
        let runs: Vec<_> = runs
            .iter()
            .map(|run| run.json(setup.pair_of(run)))
            .collect();
        let mut document = setup.json(now, &looked_at);
        document["runs"] = json!(runs);
        screen.json(document)?;
        return Ok(Ending::Good);
    }
    setup.write(now, &looked_at, screen)?;
    if runs.is_empty() {
        writeln!(
            screen.out(),
            "No runs yet. Start one: shardlift {}start --watch",
            connection.flags
        )?;
    }
    for run in runs {
        run.write(now, setup.pair_of(run), screen)?;
    }
    Ok(Ending::Good)
}
