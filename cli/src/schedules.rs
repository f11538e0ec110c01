//! The schedules of a stack: that of its own pair, and that of each pair which `infra/pair.yaml` added to it.

use aws_sdk_scheduler::{
    Client,
    operation::get_schedule::GetScheduleError,
    types::{ScheduleState, Target},
};
use futures::{StreamExt, stream};
use shardlift_core::run::input::RunInput;

use crate::{deployment::Deployment, error::CommandError, schedule::Schedule};

/// Schedules that are read at once.
const READS_AT_ONCE: usize = 16;

/// Where the schedules are.
pub(crate) struct Schedules {
    client: Client,
    stack: String,
    machine: String,
}

/// A pair that was added to the stack.
pub(crate) struct FurtherPair {
    /// `PairName` of its stack.
    pub(crate) name: String,
    /// Its schedule and the input of its runs, or why they could not be read.
    pub(crate) scheduled: Result<Scheduled, CommandError>,
}

/// A schedule, and the input of the runs that it starts.
pub(crate) struct Scheduled {
    pub(crate) schedule: Schedule,
    pub(crate) input: String,
}

impl Schedules {
    /// Those of a stack; nothing is called yet.
    pub(crate) fn of(deployment: &Deployment) -> Self {
        Self {
            client: Client::new(&deployment.sdk),
            stack: deployment.stack_name(),
            machine: deployment.parts.state_machine_arn.to_string(),
        }
    }

    /// The schedule of the stack's own pair.
    ///
    /// # Errors
    /// When there is none, or the call is refused.
    pub(crate) async fn own(&self) -> Result<Schedule, CommandError> {
        Ok(self
            .read(&format!("{}-nightly", self.stack))
            .await?
            .schedule)
    }

    /// The further pairs, by name.
    ///
    /// # Errors
    /// When the schedules cannot be listed.
    pub(crate) async fn pairs(&self) -> Result<Vec<FurtherPair>, CommandError> {
        let prefix = self.name_of("");
        let mut pages = self
            .client
            .list_schedules()
            .group_name("default")
            .name_prefix(&prefix)
            .into_paginator()
            .items()
            .send();
        let mut names = Vec::new();
        while let Some(listed) = pages.next().await {
            let listed =
                listed.map_err(|error| CommandError::call("scheduler:ListSchedules", &error))?;
            // Another stack's name may begin like this.
            let is_ours = listed.target().is_some_and(|to| to.arn() == self.machine);
            let name = listed.name().and_then(|name| name.strip_prefix(&prefix));
            names.extend(name.filter(|_| is_ours).map(str::to_owned));
        }
        names.sort();
        let pairs = names.into_iter().map(|name| async move {
            let scheduled = self.read(&self.name_of(&name)).await;
            FurtherPair { name, scheduled }
        });
        Ok(stream::iter(pairs).buffered(READS_AT_ONCE).collect().await)
    }

    /// The input of the runs of a further pair.
    ///
    /// # Errors
    /// When there is no such pair, or the call is refused.
    pub(crate) async fn input_of_pair(&self, name: &str) -> Result<String, CommandError> {
        Ok(self.read(&self.name_of(name)).await?.input)
    }

    /// Of a pair, as `infra/pair.yaml` names it.
    fn name_of(&self, pair: &str) -> String {
        format!("{}-pair-{pair}", self.stack)
    }

    async fn read(&self, name: &str) -> Result<Scheduled, CommandError> {
        let found = self.client.get_schedule().name(name).send().await;
        let found = found.map_err(|error| {
            let is_missing = error
                .as_service_error()
                .is_some_and(GetScheduleError::is_resource_not_found_exception);
            if is_missing {
                return CommandError::usage(format!(
                    "there is no schedule {name}; `shardlift status` lists the pairs of the stack {}",
                    self.stack
                ));
            }
            CommandError::call("scheduler:GetSchedule", &error)
        })?;
        let input = found.target().and_then(Target::input);
        Ok(Scheduled {
            schedule: Schedule {
                is_enabled: found.state() == Some(&ScheduleState::Enabled),
                expression: found.schedule_expression().unwrap_or_default().to_owned(),
                zone: found
                    .schedule_expression_timezone()
                    .unwrap_or("UTC")
                    .to_owned(),
            },
            input: input.unwrap_or("{}").to_owned(),
        })
    }
}

impl Scheduled {
    /// What its runs are asked to do.
    ///
    /// # Errors
    /// When somebody has changed it into no input of a run.
    pub(crate) fn run_input(&self) -> Result<RunInput, CommandError> {
        let input = serde_json::from_str(&self.input).map_err(|error| {
            CommandError::usage(format!("the input of its schedule is not JSON: {error}"))
        })?;
        RunInput::parse(&input).map_err(|failure| CommandError::usage(failure.detail))
    }
}
