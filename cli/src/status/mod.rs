//! `shardlift status`: what the stack copies, when it runs next, and its latest runs.

mod run_table;
mod stack_setup;

use serde_json::json;
use shardlift_core::value::time::Timestamp;

use self::{run_table::LatestRun, stack_setup::StackSetup};
use crate::{
    Ending, Screen, arguments::StackArguments, connection::Connection, deployment::Deployment,
    error::CommandError,
};

/// Shows the pair and the schedule of the stack, then the latest runs, the newest first.
pub(crate) async fn show(
    stack: &StackArguments,
    count: u16,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let deployment = Deployment::find(stack).await?;
    let setup = StackSetup::of(stack, &deployment).await?;
    let connection = Connection::open(deployment);
    let runs = run_table::latest(&connection, count).await?;
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    if screen.is_json() {
        let runs: Vec<_> = runs.iter().map(LatestRun::json).collect();
        let mut document = setup.json(now);
        document["runs"] = json!(runs);
        screen.json(document)?;
        return Ok(Ending::Good);
    }
    setup.write(now, screen)?;
    if runs.is_empty() {
        writeln!(
            screen.out(),
            "No runs yet. Start one: shardlift {}start --watch",
            connection.flags
        )?;
    }
    for run in &runs {
        run.write(now, screen)?;
    }
    Ok(Ending::Good)
}
