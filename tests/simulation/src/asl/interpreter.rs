//! Walks the states of an execution.

use std::{cell::RefCell, future::Future, rc::Rc, time::Duration};

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    choice,
    definition::{Catcher, Definition, Map, State, States, Succeed, Task},
    retry::{Attempts, catcher},
    template::{Scope, place},
};

/// The error of a task, as the machine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskError {
    /// Its name, which retriers and catchers match.
    pub error: String,
    /// Its cause.
    pub cause: String,
}

/// What the machine reaches the world through.
pub trait Tasks {
    /// Runs a task of a resource; its result.
    fn run(
        &self,
        resource: &str,
        parameters: Value,
    ) -> impl Future<Output = Result<Value, TaskError>>;

    /// The items of a Map.
    fn items(&self, parameters: Value) -> impl Future<Output = Result<Vec<Value>, TaskError>>;

    /// A wait of at most this.
    fn jitter(&self, longest: Duration) -> Duration;

    /// A state is entered, in the execution itself or in the child of an item.
    fn enter(&self, state: &str, item: Option<&Value>);
}

/// Where an execution is: what a redrive begins with.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The state that it is in; empty before it began.
    pub state: String,
    /// The input of that state.
    pub input: Value,
    /// In a Map: the items whose children succeeded.
    pub done_items: Vec<Value>,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// In a Succeed state.
    Succeeded,
    /// In a Fail state, or by an error that nothing caught.
    Failed(TaskError),
    /// By something that no state machine may meet, or that is not simulated.
    Broken(String),
}

/// An execution of a definition.
pub struct Interpreter<'a, T> {
    /// The machine.
    pub definition: &'a Definition,
    /// Its world.
    pub tasks: &'a T,
    /// The context object, `$$`.
    pub context: Value,
    /// Where it is, kept while it runs.
    pub progress: Rc<RefCell<Progress>>,
}

/// Why a walk ends before a Succeed state.
enum Stop {
    Error(TaskError),
    Broken(String),
}

impl From<String> for Stop {
    fn from(problem: String) -> Self {
        Self::Broken(problem)
    }
}

type Next = Result<(String, Value), Stop>;

/// Whose states are walked.
#[derive(Clone, Copy)]
struct Walk<'s> {
    states: &'s States,
    context: &'s Value,
    item: Option<&'s Value>,
}

impl<T: Tasks> Interpreter<'_, T> {
    /// Runs the execution from where it is to its end.
    pub async fn run(&self) -> Ending {
        let begins = self.progress.borrow().state.is_empty();
        if begins {
            let mut progress = self.progress.borrow_mut();
            progress.state.clone_from(&self.definition.start_at);
            progress.input = self.context["Execution"]["Input"].clone();
        }
        let (state, input) = {
            let progress = self.progress.borrow();
            (progress.state.clone(), progress.input.clone())
        };
        let walk = Walk {
            states: &self.definition.states,
            context: &self.context,
            item: None,
        };
        let limit = Duration::from_secs(self.definition.timeout_seconds);
        match tokio::time::timeout(limit, self.walk(walk, state, input)).await {
            Err(_) => Ending::Broken("the execution timed out".to_owned()),
            Ok(Ok(())) => Ending::Succeeded,
            Ok(Err(Stop::Error(error))) => Ending::Failed(error),
            Ok(Err(Stop::Broken(problem))) => Ending::Broken(problem),
        }
    }

    async fn walk(&self, walk: Walk<'_>, mut name: String, mut input: Value) -> Result<(), Stop> {
        loop {
            self.tasks.enter(&name, walk.item);
            if walk.item.is_none() {
                let mut progress = self.progress.borrow_mut();
                progress.state.clone_from(&name);
                progress.input = input.clone();
            }
            let state = walk.states.get(&name);
            let state = state.ok_or_else(|| format!("there is no state {name}"))?;
            let scope = Scope {
                input: &input,
                context: walk.context,
            };
            (name, input) = match state {
                State::Succeed(Succeed { .. }) => return Ok(()),
                State::Fail(fail) => {
                    let text = |path: &str| scope.get(path).map(|value| as_text(&value));
                    return Err(Stop::Error(TaskError {
                        error: text(&fail.error_path)?,
                        cause: text(&fail.cause_path)?,
                    }));
                }
                State::Choice(rules) => (choice::next(rules, scope)?.to_owned(), input),
                State::Pass(pass) => {
                    let result = scope.fill(&pass.parameters)?;
                    let output = place(input, pass.result_path.as_deref(), result)?;
                    (pass.next.clone(), output)
                }
                State::Task(task) => self.task(task, walk, input).await?,
                State::Map(map) => Box::pin(self.map(map, walk, input)).await?,
            };
        }
    }

    async fn task(&self, task: &Task, walk: Walk<'_>, input: Value) -> Next {
        let scope = Scope {
            input: &input,
            context: walk.context,
        };
        let parameters = scope.fill(&task.parameters)?;
        let limit = Duration::from_secs(task.timeout_seconds);
        let mut attempts = Attempts::new(&task.retry);
        let error = loop {
            let call = self.tasks.run(&task.resource, parameters.clone());
            let result = tokio::time::timeout(limit, call).await;
            let error = match result.unwrap_or_else(|_| Err(timeout())) {
                Ok(result) => {
                    let selected = match &task.result_selector {
                        Some(selector) => Scope {
                            input: &result,
                            context: walk.context,
                        }
                        .fill(selector)?,
                        None => result,
                    };
                    let output = place(input, task.result_path.as_deref(), selected)?;
                    return Ok((task.next.clone(), output));
                }
                Err(error) => error,
            };
            match attempts.wait_max(&error.error)? {
                Some(longest) => tokio::time::sleep(self.tasks.jitter(longest)).await,
                None => break error,
            }
        };
        caught(&task.catch, error, input)
    }

    async fn map(&self, map: &Map, walk: Walk<'_>, input: Value) -> Next {
        let scope = Scope {
            input: &input,
            context: walk.context,
        };
        let parameters = scope.fill(&map.item_reader.parameters)?;
        scope.fill(&map.result_writer.parameters)?;
        let mut attempts = Attempts::new(&map.retry);
        let items = loop {
            let error = match self.tasks.items(parameters.clone()).await {
                Ok(items) => break items,
                Err(error) => error,
            };
            match attempts.wait_max(&error.error)? {
                Some(longest) => tokio::time::sleep(self.tasks.jitter(longest)).await,
                None => return caught(&map.catch, error, input),
            }
        };
        let concurrency = scope.get(&map.max_concurrency_path)?;
        let concurrency = concurrency.as_u64().and_then(|n| usize::try_from(n).ok());
        let concurrency = concurrency.ok_or_else(|| "no concurrency".to_owned())?;
        let done = self.progress.borrow().done_items.clone();
        let open: Vec<&Value> = items.iter().filter(|item| !done.contains(item)).collect();
        let children = stream::iter(open).map(|item| self.child(map, walk, &input, item));
        // Without a limit, Step Functions runs 10,000 children.
        let limit = if concurrency == 0 {
            10_000
        } else {
            concurrency
        };
        let mut children = children.buffer_unordered(limit);
        let mut failed = 0_usize;
        while let Some(ended) = children.next().await {
            match ended {
                Ok(item) => self.progress.borrow_mut().done_items.push(item.clone()),
                Err(Stop::Error(_)) => failed += 1,
                Err(broken) => return Err(broken),
            }
        }
        drop(children);
        self.progress.borrow_mut().done_items.clear();
        #[expect(clippy::cast_precision_loss, reason = "few items")]
        let share = 100.0 * failed as f64 / items.len().max(1) as f64;
        if share > map.tolerated_failure_percentage {
            let error = TaskError {
                error: "States.ExceedToleratedFailureThreshold".to_owned(),
                cause: format!("{failed} of {} children failed", items.len()),
            };
            return caught(&map.catch, error, input);
        }
        let output = place(input, map.result_path.as_deref(), Value::Null)?;
        Ok((map.next.clone(), output))
    }

    async fn child<'i>(
        &self,
        map: &Map,
        walk: Walk<'_>,
        input: &Value,
        item: &'i Value,
    ) -> Result<&'i Value, Stop> {
        let mut context = walk.context.clone();
        context["Map"] = json!({"Item": {"Value": item}});
        let scope = Scope {
            input,
            context: &context,
        };
        let child_input = scope.fill(&map.item_selector)?;
        let child = Walk {
            states: &map.item_processor.states,
            context: &context,
            item: Some(item),
        };
        let start = map.item_processor.start_at.clone();
        self.walk(child, start, child_input).await?;
        Ok(item)
    }
}

/// The way of a catcher, or the error itself.
fn caught(catchers: &[Catcher], error: TaskError, input: Value) -> Next {
    let Some(found) = catcher(catchers, &error.error) else {
        return Err(Stop::Error(error));
    };
    let result = json!({"Error": error.error, "Cause": error.cause});
    let output = place(input, found.result_path.as_deref(), result)?;
    Ok((found.next.clone(), output))
}

fn timeout() -> TaskError {
    TaskError {
        error: "States.Timeout".to_owned(),
        cause: "the task took too long".to_owned(),
    }
}

fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
