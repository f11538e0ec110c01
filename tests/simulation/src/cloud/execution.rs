//! Executions of the state machine.

use std::{cell::RefCell, rc::Rc, time::Duration};

use serde_json::{Value, json};
use shardlift_core::{
    port::ExecutionState,
    shard::{ShardState, ShardWork},
    value::arn::ExecutionArn,
};

use super::{environment::error, lambda::Callee, world::Cloud};
use crate::{
    asl::{Ending, Interpreter, TaskError, Tasks},
    dice::happens,
    history::{Function, RunLog},
};

const INVOKE: &str = "arn:${Partition}:states:::lambda:invoke";
const PUBLISH: &str = "arn:${Partition}:states:::sns:publish";
/// The most states that a run may enter.
const TRANSITIONS_MAX: u32 = 10_000;

/// The name of a run.
fn name(run: usize) -> String {
    format!("night-{run}")
}

fn arn(run: usize) -> ExecutionArn {
    let arn = format!(
        "arn:aws:states:eu-central-1:111111111111:execution:shardlift:{}",
        name(run)
    );
    ExecutionArn::new(arn).expect("it is an ARN")
}

/// Runs a run from where it is to its end, or until it is stopped.
pub async fn execute(cloud: &Rc<Cloud>, run: usize, input: &Value) {
    let began_at = cloud.now();
    let (started_at, stop) = {
        let mut seen = cloud.chronicle().seen();
        seen.happened(began_at, &format!("{} starts", name(run)));
        if let Some(log) = seen.runs.get_mut(run).filter(|log| !log.id.is_empty()) {
            log.intervals += 1;
            log.ended_at = None;
            log.is_writing = false;
        } else {
            while seen.runs.len() <= run {
                // Runs that are started together are not always started in the order of their numbers.
                let mut unborn = RunLog::new(String::new(), Value::Null, began_at);
                unborn.ended_at = Some(began_at);
                seen.runs.push(unborn);
            }
            seen.runs[run] = RunLog::new(name(run), input.clone(), began_at);
        }
        (seen.runs[run].began_at, &cloud.sky.stops[run])
    };
    cloud.executions.set(&arn(run), ExecutionState::Running);
    let tasks = ExecutionTasks {
        cloud: Rc::clone(cloud),
        run,
        passes: RefCell::default(),
    };
    let interpreter = Interpreter {
        definition: &cloud.planted.definition,
        tasks: &tasks,
        context: json!({"Execution": {
            "Name": name(run), "Id": arn(run).as_str(), "StartTime": started_at.to_string(), "Input": input,
        }}),
        progress: Rc::clone(&cloud.progress[run]),
    };
    let ending = tokio::select! {
        biased;
        () = stop.notified() => None,
        ending = interpreter.run() => Some(ending),
    };
    cloud.executions.set(&arn(run), ExecutionState::Ended);
    let now = cloud.now();
    let mut seen = cloud.chronicle().seen();
    seen.happened(now, &format!("{} ends: {ending:?}", name(run)));
    if let Some(Ending::Broken(problem)) = &ending {
        seen.violated("state machine", run, problem.clone());
    }
    let log = &mut seen.runs[run];
    log.ended_at = Some(now);
    log.ending = ending;
}

/// The tasks of one execution.
struct ExecutionTasks {
    cloud: Rc<Cloud>,
    run: usize,
    passes: RefCell<u64>,
}

impl ExecutionTasks {
    fn trouble(&self, what: &str, permille: u32) -> bool {
        let mut passes = self.passes.borrow_mut();
        *passes += 1;
        let subject = format!("{} {what}", name(self.run));
        let mut rng = self.cloud.dice.about(&subject, *passes);
        let id = self.cloud.dice.id(&subject, *passes);
        happens(&mut rng, permille)
            && self
                .cloud
                .sky
                .fires(id, Some(self.run), || format!("{subject} fails"))
    }

    /// Nothing is deleted while a shard that copies has not ended.
    fn check_round(&self, items: &[Value]) {
        let shards = self.cloud.shards(&name(self.run));
        let is_offered = |id: &str| items.iter().any(|item| item == id);
        let deletes = shards.iter().any(|shard| {
            shard.work == ShardWork::DeleteObjects && is_offered(shard.shard_id.as_str())
        });
        let copies = shards
            .iter()
            .any(|shard| shard.work != ShardWork::DeleteObjects && shard.state != ShardState::Done);
        if deletes && copies {
            let text = "deletions are offered, and a shard that copies has not ended";
            let mut seen = self.cloud.chronicle().seen();
            seen.violated("deletions", self.run, text);
        }
    }

    async fn publish(&self, message: &Value) -> Result<Value, TaskError> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        if self.trouble("notice", self.cloud.sky.climate().others) {
            return Err(error("SNS.InternalErrorException", "no"));
        }
        let mut seen = self.cloud.chronicle().seen();
        seen.runs[self.run].notices += 1;
        if !message
            .as_str()
            .is_some_and(|text| text.contains(&name(self.run)))
        {
            seen.violated("P9", self.run, "the plain notice does not name the run");
        }
        Ok(json!({}))
    }
}

impl Tasks for ExecutionTasks {
    async fn run(&self, resource: &str, parameters: Value) -> Result<Value, TaskError> {
        if resource == PUBLISH {
            return self.publish(&parameters["Message"]).await;
        }
        let function = match parameters["FunctionName"].as_str() {
            Some("${PlannerFunctionArn}") => Function::Planner,
            Some("${CopierFunctionArn}") => Function::Copier,
            Some("${RendererFunctionArn}") => Function::Renderer,
            Some("${ReporterFunctionArn}") => Function::Reporter,
            other => {
                let problem = format!("{resource} of {other:?} is not simulated");
                return Err(error("Simulation.Unknown", &problem));
            }
        };
        if resource != INVOKE {
            return Err(error("Simulation.Unknown", resource));
        }
        let payload = parameters["Payload"].clone();
        let shard = payload["shard_id"].as_str().unwrap_or_default();
        let callee = Callee {
            run: self.run,
            function,
            subject: format!("{} {} {shard}", name(self.run), function.name()),
        };
        let invoked = self.cloud.invoke(callee, payload).await;
        let payload = invoked.inspect_err(|failed| {
            let log = &mut self.cloud.chronicle().seen().runs[self.run];
            log.task_errors.push((function, failed.error.clone()));
        })?;
        Ok(json!({"Payload": payload}))
    }

    async fn items(&self, parameters: Value) -> Result<Vec<Value>, TaskError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let failed = |problem: &str| {
            self.cloud.chronicle().seen().runs[self.run].reader_errors += 1;
            Err(error("States.ItemReaderFailed", problem))
        };
        if self.trouble("index", self.cloud.sky.climate().index) {
            return failed("no");
        }
        let key = parameters["Key"].as_str().unwrap_or_default();
        let body = self.cloud.control.body(key).unwrap_or_default();
        match serde_json::from_slice(&body) {
            Ok(Value::Array(items)) => {
                self.check_round(&items);
                Ok(items)
            }
            _ => failed("the index is no array"),
        }
    }

    fn jitter(&self, longest: Duration) -> Duration {
        let number = self.cloud.jitters.get();
        self.cloud.jitters.set(number + 1);
        longest.mul_f64(self.cloud.dice.about("machine jitter", number).f64())
    }

    fn enter(&self, state: &str, item: Option<&Value>) {
        let now = self.cloud.now();
        let mut seen = self.cloud.chronicle().seen();
        if item.is_none() {
            seen.happened(now, &format!("{} enters {state}", name(self.run)));
        }
        let log = &mut seen.runs[self.run];
        match (state, item) {
            ("CopyShards", _) => {
                log.planned_at.get_or_insert(now);
                log.proof_began_at = None;
            }
            ("ReportRun", _) => {
                log.planned_at.get_or_insert(now);
                log.report_entered_at.get_or_insert(now);
            }
            ("OpenRound", _) => log.report_entered_at = None,
            _ => {}
        }
        log.transitions += 1;
        if log.transitions == TRANSITIONS_MAX {
            seen.violated("bounded", self.run, format!("{TRANSITIONS_MAX} states"));
            drop(seen);
            self.cloud.sky.stops[self.run].notify_one();
        }
    }
}
