//! A process of a function: its handler over the ports in memory.

use std::{
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use futures::FutureExt;
use serde_json::{Value, json};
use shardlift_copier::copier::Copier;
use shardlift_core::{
    failure::Failure,
    run::event,
    value::{deadline::Deadline, time::Timestamp},
};
use shardlift_planner::{Planner, PlannerSettings};
use shardlift_renderer::{renderer::Renderer, room::Room};
use shardlift_reporter::Reporter;
use shardlift_testkit::{CallScript, MemoryListFiles};
use shardlift_worker::ports::Connections;

use super::{clock::VirtualClock, sky::EnvironmentSky};
use crate::{
    asl::TaskError,
    history::Function,
    mutation::{
        PlantedAccounts, PlantedControl, PlantedExecutions, PlantedLedger, PlantedNotifier,
    },
};

/// The memory of a renderer.
const RENDERER_MEMORY_MB: u32 = 2_048;

/// The ports in memory, each with a fault or with none.
pub(super) enum PortsInMemory {}

impl shardlift_planner::Ports for PortsInMemory {
    type Accounts = PlantedAccounts;
    type Ledger = PlantedLedger;
    type Control = PlantedControl;
    type Lists = MemoryListFiles;
    type Executions = PlantedExecutions;
    type Clock = VirtualClock;
}

impl shardlift_worker::ports::Ports for PortsInMemory {
    type Accounts = PlantedAccounts;
    type Ledger = PlantedLedger;
    type Control = PlantedControl;
    type Clock = VirtualClock;
}

impl shardlift_reporter::Ports for PortsInMemory {
    type Accounts = PlantedAccounts;
    type Ledger = PlantedLedger;
    type Control = PlantedControl;
    type Notifier = PlantedNotifier;
    type Clock = VirtualClock;
}

/// The adapters of one process.
pub(super) struct Adapters {
    pub(super) accounts: PlantedAccounts,
    pub(super) ledger: PlantedLedger,
    pub(super) control: PlantedControl,
    pub(super) lists: MemoryListFiles,
    pub(super) executions: PlantedExecutions,
    pub(super) notifier: PlantedNotifier,
    pub(super) clock: VirtualClock,
}

enum Handler {
    Planner(Box<Planner<PortsInMemory>>),
    Copier(Box<Copier<PortsInMemory>>),
    Renderer(Box<Renderer<PortsInMemory>>),
    Reporter(Box<Reporter<PortsInMemory>>),
}

/// A process.
pub(super) struct Environment {
    pub(super) script: CallScript,
    pub(super) sky: Arc<EnvironmentSky>,
    handler: Handler,
}

/// How the work of a process on an invocation ended.
pub(super) enum Worked {
    /// With a response.
    Responded(Result<Value, TaskError>),
    /// The process is dead.
    Died(TaskError),
}

impl Environment {
    pub(super) fn new(
        function: Function,
        adapters: Adapters,
        settings: PlannerSettings,
        script: CallScript,
        sky: Arc<EnvironmentSky>,
    ) -> Self {
        let Adapters {
            accounts,
            ledger,
            control,
            lists,
            executions,
            notifier,
            clock,
        } = adapters;
        let handler = match function {
            Function::Planner => Handler::Planner(Box::new(Planner {
                accounts,
                ledger,
                control,
                lists,
                executions,
                clock,
                settings,
            })),
            Function::Copier => {
                let ceilings = settings.ceilings;
                let copier = Copier::new(accounts, ledger, control, clock, ceilings);
                Handler::Copier(Box::new(copier))
            }
            Function::Renderer => {
                let ports = Connections {
                    accounts,
                    ledger,
                    control,
                    clock,
                };
                let room = Room::new(RENDERER_MEMORY_MB, 2);
                let renderer = Renderer::new(ports, settings.ceilings, room);
                Handler::Renderer(Box::new(renderer))
            }
            Function::Reporter => Handler::Reporter(Box::new(Reporter {
                accounts,
                ledger,
                control,
                notifier,
                clock,
                ceilings: Ok(settings.ceilings),
                max_concurrency: settings.max_concurrency,
            })),
        };
        Self {
            script,
            sky,
            handler,
        }
    }

    /// Works on one invocation until it responds, its process is killed, or its time is over.
    pub(super) async fn work(
        &self,
        payload: &Value,
        (now, ends_at): (Timestamp, Timestamp),
        polls_max: Option<u64>,
    ) -> Worked {
        let deadline = Deadline::new(now, ends_at);
        let work = AssertUnwindSafe(self.handle(payload, deadline)).catch_unwind();
        let has_threads = matches!(self.handler, Handler::Renderer(_));
        let responded = tokio::select! {
            biased;
            responded = polled(work, polls_max, has_threads) => responded,
            () = self.script.killed() => None,
            () = tokio::time::sleep(ends_at.since(now)) => {
                return Worked::Died(error("Sandbox.Timedout", "the time is over"));
            }
        };
        match responded {
            None => Worked::Died(error("Runtime.ExitError", "the process is gone")),
            Some(Ok(response)) => Worked::Responded(response.map_err(|failure| {
                let cause = json!({
                    "errorType": failure.code.name(), "errorMessage": failure.detail,
                });
                error(failure.code.name(), &cause.to_string())
            })),
            Some(Err(_panic)) => Worked::Died(error("Panic", "the handler panicked")),
        }
    }

    async fn handle(&self, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
        let reply = match &self.handler {
            Handler::Planner(planner) => {
                let event = event::parse_value(payload)?;
                serde_json::to_value(planner.plan(&event, deadline).await?)
            }
            Handler::Copier(copier) => {
                let event = event::parse_value(payload)?;
                serde_json::to_value(copier.copy_shard(&event, deadline).await?)
            }
            Handler::Renderer(renderer) => {
                let event = event::parse_value(payload)?;
                serde_json::to_value(renderer.render_shard(&event, deadline).await?)
            }
            Handler::Reporter(reporter) => {
                let event = event::parse_value(payload)?;
                serde_json::to_value(reporter.report(&event, deadline).await?)
            }
        };
        reply.map_err(|error| Failure::invariant(error.to_string()))
    }
}

pub(super) fn error(name: &str, cause: &str) -> TaskError {
    TaskError {
        error: name.to_owned(),
        cause: cause.to_owned(),
    }
}

/// Drives a future for at most so many polls; nothing if that does not suffice. What it gives to threads is done before
/// anything else happens.
async fn polled<F: Future>(
    work: F,
    polls_max: Option<u64>,
    has_threads: bool,
) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut polls = 0;
    poll_fn(|context| {
        if polls_max == Some(polls) {
            return Poll::Ready(None);
        }
        polls += 1;
        let polled = work.as_mut().poll(context).map(Some);
        if has_threads {
            wait_for_thread();
        }
        polled
    })
    .await
}

/// Waits until the runtime's only thread for blocking work has done all that it was given, so that a seed always tells the
/// same story.
fn wait_for_thread() {
    let (done, is_done) = std::sync::mpsc::channel();
    tokio::task::spawn_blocking(move || done.send(()));
    is_done.recv().expect("the thread takes what it is given");
}
