//! Executions as Step Functions would know them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use shardlift_core::{
    failure::fault::CallFault,
    port::{ExecutionState, Executions},
    value::arn::ExecutionArn,
};

use crate::CallScript;

/// Executions in memory; one that was never set is unknown.
#[derive(Debug, Clone, Default)]
pub struct MemoryExecutions {
    states: Arc<Mutex<BTreeMap<String, ExecutionState>>>,
    script: CallScript,
}

impl MemoryExecutions {
    /// No executions; calls go through `script`.
    #[must_use]
    pub fn new(script: CallScript) -> Self {
        Self {
            states: Arc::default(),
            script,
        }
    }

    /// The same executions as another caller sees it: its calls go through `script`.
    #[must_use]
    pub fn through(&self, script: CallScript) -> Self {
        Self {
            script,
            ..self.clone()
        }
    }

    /// Sets the state of an execution.
    pub fn set(&self, execution: &ExecutionArn, state: ExecutionState) {
        self.states
            .lock()
            .expect("not poisoned")
            .insert(execution.to_string(), state);
    }
}

impl Executions for MemoryExecutions {
    async fn state(&self, execution: &ExecutionArn) -> Result<ExecutionState, CallFault> {
        self.script
            .call("states:DescribeExecution", || {
                let states = self.states.lock().expect("not poisoned");
                Ok(states
                    .get(execution.as_str())
                    .copied()
                    .unwrap_or(ExecutionState::Unknown))
            })
            .await
    }
}
