//! Runs as Step Functions would start them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use shardlift_core::{
    failure::fault::CallFault,
    port::{ExecutionState, RunStarts, StartOutcome},
    value::{
        arn::{ExecutionArn, StateMachineArn},
        id::RunId,
    },
};

use crate::{CallScript, MemoryExecutions};

/// A run that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedRun {
    /// Its input.
    pub input: String,
    /// How it ended; nothing while it runs.
    pub succeeded: Option<bool>,
}

/// Runs in memory. Their executions are those of [`MemoryExecutions`].
#[derive(Debug, Clone)]
pub struct MemoryRunStarts {
    machine: StateMachineArn,
    runs: Arc<Mutex<BTreeMap<RunId, StartedRun>>>,
    executions: MemoryExecutions,
    script: CallScript,
}

impl MemoryRunStarts {
    /// No runs; calls go through `script`.
    #[must_use]
    pub fn new(machine: StateMachineArn, executions: MemoryExecutions, script: CallScript) -> Self {
        Self {
            machine,
            runs: Arc::default(),
            executions,
            script,
        }
    }

    /// The same runs as another caller sees them: its calls go through `script`.
    #[must_use]
    pub fn through(&self, script: CallScript) -> Self {
        Self {
            script,
            ..self.clone()
        }
    }

    /// Every run that was ever started.
    #[must_use]
    pub fn runs(&self) -> BTreeMap<RunId, StartedRun> {
        self.runs.lock().expect("not poisoned").clone()
    }

    /// Ends a run.
    pub fn end(&self, run_id: &RunId, succeeded: bool) {
        let mut runs = self.runs.lock().expect("not poisoned");
        let run = runs.get_mut(run_id).expect("it was started");
        run.succeeded = Some(succeeded);
        let execution = self.machine.execution(run_id);
        self.executions.set(&execution, ExecutionState::Ended);
    }
}

impl RunStarts for MemoryRunStarts {
    fn execution_arn(&self, run_id: &RunId) -> ExecutionArn {
        self.machine.execution(run_id)
    }

    async fn start(&self, run_id: &RunId, input: &str) -> Result<StartOutcome, CallFault> {
        self.script
            .call("states:StartExecution", || {
                let mut runs = self.runs.lock().expect("not poisoned");
                if let Some(run) = runs.get(run_id) {
                    let is_same = run.succeeded.is_none() && run.input == input;
                    return Ok(if is_same {
                        StartOutcome::Started
                    } else {
                        StartOutcome::NameTaken
                    });
                }
                let run = StartedRun {
                    input: input.to_owned(),
                    succeeded: None,
                };
                runs.insert(run_id.clone(), run);
                let execution = self.machine.execution(run_id);
                self.executions.set(&execution, ExecutionState::Running);
                Ok(StartOutcome::Started)
            })
            .await
    }

    async fn has_succeeded(&self, execution: &ExecutionArn) -> Result<bool, CallFault> {
        self.script
            .call("states:DescribeExecution", || {
                let runs = self.runs.lock().expect("not poisoned");
                let of = |(id, run): (&RunId, &StartedRun)| {
                    (self.machine.execution(id) == *execution && run.succeeded == Some(true))
                        .then_some(())
                };
                Ok(runs.iter().any(|run| of(run).is_some()))
            })
            .await
    }
}
