//! Runs and invocations, as they were seen.

use serde_json::Value;
use shardlift_core::value::time::Timestamp;

use crate::asl::Ending;

/// A function of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Plans.
    Planner,
    /// Copies.
    Copier,
    /// Renders images.
    Renderer,
    /// Reports.
    Reporter,
}

impl Function {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Copier => "copier",
            Self::Renderer => "renderer",
            Self::Reporter => "reporter",
        }
    }
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its run, by its number.
    pub run: usize,
    /// Its function.
    pub function: Function,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended, whatever the way.
    pub ended_at: Option<Timestamp>,
    /// The error that it ended with.
    pub error: Option<String>,
    /// Whether its end was hidden from the machine, or it was one of two.
    pub is_ghost: bool,
    /// Whether anything disturbed it.
    pub is_disturbed: bool,
    /// Which interval of its run began it: a stop ends one, a redrive begins another.
    pub interval: usize,
}

/// One run.
#[derive(Debug, Clone)]
pub struct RunLog {
    /// The execution's name.
    pub id: String,
    /// The input.
    pub input: Value,
    /// When it started.
    pub began_at: Timestamp,
    /// When it ended; nothing while it is under way.
    pub ended_at: Option<Timestamp>,
    /// How it ended; nothing if it was stopped.
    pub ending: Option<Ending>,
    /// How often it was started: once, and once for each redrive.
    pub intervals: usize,
    /// When the first state after planning was entered.
    pub planned_at: Option<Timestamp>,
    /// When the reporter was last entered from another state.
    pub report_entered_at: Option<Timestamp>,
    /// When the reporter first listed the target since.
    pub proof_began_at: Option<Timestamp>,
    /// Whether it wrote objects at the target in its present interval.
    pub is_writing: bool,
    /// Reports published.
    pub published: u32,
    /// Plain notices published.
    pub notices: u32,
    /// Errors of the Map's reader.
    pub reader_errors: u32,
    /// Calls of the functions so far.
    pub calls: u64,
    /// States entered.
    pub transitions: u32,
    /// Whether anything disturbed it.
    pub is_disturbed: bool,
    /// Objects deleted at the target.
    pub deleted: u64,
    /// The errors of its tasks that the machine saw.
    pub task_errors: Vec<(Function, String)>,
}

impl RunLog {
    /// A run that begins.
    #[must_use]
    pub fn new(id: String, input: Value, began_at: Timestamp) -> Self {
        Self {
            id,
            input,
            began_at,
            ended_at: None,
            ending: None,
            intervals: 1,
            planned_at: None,
            report_entered_at: None,
            proof_began_at: None,
            is_writing: false,
            published: 0,
            notices: 0,
            reader_errors: 0,
            calls: 0,
            transitions: 0,
            is_disturbed: false,
            deleted: 0,
            task_errors: Vec::new(),
        }
    }

    /// Whether it is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.ended_at.is_none()
    }

    /// A text of its input.
    #[must_use]
    pub fn asks(&self, field: &str) -> Option<&str> {
        self.input.get(field)?.as_str()
    }

    /// Its mode, as asked for.
    #[must_use]
    pub fn mode(&self) -> &str {
        self.asks("mode").unwrap_or("sync")
    }

    /// Whether it is a dry run.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.input["dry_run"] == Value::Bool(true)
    }

    /// The run that it reruns.
    #[must_use]
    pub fn rerun_of(&self) -> Option<&str> {
        self.asks("rerun_of")
    }
}
