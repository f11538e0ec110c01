//! `shardlift events`: whether what is written at the source starts runs, what waits, and what could not be taken.

mod event_parts;
mod notifications;
mod queues;
mod retry;
mod standing;

use crate::{
    Ending, Screen,
    arguments::StackArguments,
    connection::Connection,
    deployment::Deployment,
    error::CommandError,
    events_arguments::{EventsArguments, EventsCommand},
};
use event_parts::EventParts;
pub(crate) use notifications::Notifications;
pub(crate) use queues::Queues;

/// Does what was asked about events.
pub(crate) async fn run(
    stack: &StackArguments,
    arguments: &EventsArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let deployment = Deployment::find(stack).await?;
    let parts = EventParts::find(stack, &deployment, arguments.source_bucket.as_ref()).await?;
    let notifications = Notifications::new(&deployment.sdk, &parts.source_bucket);
    let queues = Queues::new(&deployment.sdk, &parts.stack);
    match arguments.command.as_ref().unwrap_or(&EventsCommand::Status) {
        EventsCommand::Status => {
            let connection = Connection::open(deployment);
            standing::show(&connection, &parts, (&notifications, &queues), screen).await
        }
        EventsCommand::On { yes } => {
            queues.find().await?;
            notifications.switch(true, *yes, screen).await
        }
        EventsCommand::Off { yes } => notifications.switch(false, *yes, screen).await,
        EventsCommand::Redrive => queues.redrive(screen).await,
        EventsCommand::Retry => {
            let connection = Connection::open(deployment);
            retry::retry(&connection, &queues, screen).await
        }
    }
}
