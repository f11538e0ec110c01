//! Faults of the state machine's definition.

use serde_json::{Value, json};

/// A fault of the definition, and how it is planted.
#[derive(Debug, Clone, Copy)]
pub struct MachineFault {
    /// What is wrong.
    pub name: &'static str,
    plant: fn(&mut Value),
}

impl MachineFault {
    /// Plants it.
    pub fn plant(&self, definition: &mut Value) {
        (self.plant)(definition);
    }
}

fn of(name: &'static str, plant: fn(&mut Value)) -> MachineFault {
    MachineFault { name, plant }
}

fn without(value: &mut Value, field: &str) {
    if let Some(object) = value.as_object_mut() {
        object.remove(field);
    }
}

fn copy_shard(definition: &mut Value) -> &mut Value {
    &mut definition["States"]["CopyShards"]["ItemProcessor"]["States"]
}

/// Makes every retrier of a state try for ever.
fn unbounded(state: &mut Value) {
    for retrier in state["Retry"].as_array_mut().into_iter().flatten() {
        retrier["MaxAttempts"] = json!(1_000_000);
        retrier["MaxDelaySeconds"] = json!(1);
    }
}

/// Leads the rule of a Choice for this status elsewhere.
fn reroute(choice: &mut Value, status: &str, next: &str) {
    for rule in choice["Choices"].as_array_mut().into_iter().flatten() {
        let conditions = rule["And"].as_array();
        let is_its = conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["StringEquals"] == status);
        if is_its {
            rule["Next"] = json!(next);
        }
    }
}

/// Each fault.
#[must_use]
pub fn machine_faults() -> Vec<MachineFault> {
    let mut faults = faults_of_retries();
    faults.extend(faults_of_routes());
    faults
}

fn faults_of_retries() -> Vec<MachineFault> {
    vec![
        of("PlanShards has no Catch", |it| {
            without(&mut it["States"]["PlanShards"], "Catch");
        }),
        of("PlanShards has no Retry", |it| {
            without(&mut it["States"]["PlanShards"], "Retry");
        }),
        of("PlanShards is retried without a bound", |it| {
            unbounded(&mut it["States"]["PlanShards"]);
        }),
        of("CopyShard is retried without a bound", |it| {
            unbounded(&mut copy_shard(it)["CopyShard"]);
        }),
        of("CopyShards has no Catch", |it| {
            without(&mut it["States"]["CopyShards"], "Catch");
        }),
        of("CopyShards tolerates no failed child", |it| {
            it["States"]["CopyShards"]["ToleratedFailurePercentage"] = json!(0);
        }),
        of("ReportRun has no Catch", |it| {
            without(&mut it["States"]["ReportRun"], "Catch");
        }),
        of("ReportRun has no Retry", |it| {
            without(&mut it["States"]["ReportRun"], "Retry");
        }),
        of("ReportRun always reports the first round", |it| {
            let payload = &mut it["States"]["ReportRun"]["Parameters"]["Payload"];
            without(payload, "round.$");
            payload["round"] = json!(1);
        }),
    ]
}

fn faults_of_routes() -> Vec<MachineFault> {
    vec![
        of("no plain notice when the reporter failed", |it| {
            it["States"]["RecordReporterFailure"]["Next"] = json!("RunFailed");
        }),
        of("a yielded plan counts as planned", |it| {
            reroute(&mut it["States"]["CheckPlan"], "CONTINUE", "ReportRun");
        }),
        of("a plan is reported before it is copied", |it| {
            reroute(&mut it["States"]["CheckPlan"], "COPY", "ReportRun");
        }),
        of("a yielded shard counts as done", |it| {
            reroute(&mut copy_shard(it)["CheckShard"], "YIELD", "ShardDone");
        }),
        of("a further round is not opened", |it| {
            reroute(&mut it["States"]["CheckReport"], "ROUND", "RunComplete");
        }),
        of("an incomplete run succeeds", |it| {
            reroute(
                &mut it["States"]["CheckReport"],
                "INCOMPLETE",
                "RunComplete",
            );
        }),
        of("a yielded report ends the run", |it| {
            reroute(&mut it["States"]["CheckReport"], "CONTINUE", "RunComplete");
        }),
        of("a failed plan is not passed on to the reporter", |it| {
            it["States"]["RecordPlanProblem"]["ResultPath"] = json!("$.forgotten");
        }),
    ]
}
