//! An intake over the testkit, and a reporter of which only what concerns events is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shardlift_core::{
    events::{EventBatch, EventRules, EventRun, HELD_KEY},
    failure::Failure,
    port::{ControlStore, EventLists, Ledger},
    run::{
        filter::Filters,
        input::{FilterInput, RunInput},
        lock::LockedPrefix,
        option::Mode,
    },
    value::{arn::StateMachineArn, bucket::BucketName, id::RunId, key::KeyPrefix, time::Timestamp},
};
use shardlift_intake::{BatchReply, Intake, Ports, QueueBatch};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryControlStore, MemoryExecutions, MemoryLedger, MemoryRunStarts,
};

pub(crate) struct MemoryPorts;

impl Ports for MemoryPorts {
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Executions = MemoryExecutions;
    type Starts = MemoryRunStarts;
    type Clock = ManualClock;
}

pub(crate) struct World {
    pub(crate) script: CallScript,
    pub(crate) ledger: MemoryLedger,
    pub(crate) control: MemoryControlStore,
    pub(crate) executions: MemoryExecutions,
    pub(crate) starts: MemoryRunStarts,
    pub(crate) clock: ManualClock,
    pub(crate) mode: Mode,
}

pub(crate) fn machine() -> StateMachineArn {
    StateMachineArn::new("arn:aws:states:eu-west-1:111111111111:stateMachine:shardlift-sync")
        .unwrap()
}

pub(crate) fn noon() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

pub(crate) fn locked() -> LockedPrefix {
    LockedPrefix {
        bucket: BucketName::new("target").unwrap(),
        prefix: KeyPrefix::new("copy/").unwrap(),
    }
}

/// A message as the queue has it.
pub(crate) fn event(key: &str, sequencer: u32) -> Value {
    s3_event(key, "Object Created", sequencer)
}

pub(crate) fn s3_event(key: &str, kind: &str, sequencer: u32) -> Value {
    json!({
        "source": "aws.s3", "detail-type": kind, "time": "2026-11-22T11:59:00Z",
        "detail": {"bucket": {"name": "source"}, "object": {"key": key, "sequencer": format!("{sequencer:08X}")}},
    })
}

pub(crate) fn run_ended() -> Value {
    json!({"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": {}})
}

pub(crate) fn batch(messages: &[Value]) -> QueueBatch {
    let record = |(index, body): (usize, &Value)| json!({"messageId": format!("m{index}"), "body": body.to_string(), "attributes": {}});
    let records: Vec<Value> = messages.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let script = CallScript::default();
        let executions = MemoryExecutions::new(script.clone());
        let control = BucketName::new("control-bucket").unwrap();
        Self {
            ledger: MemoryLedger::new(script.clone()),
            control: MemoryControlStore::new(control, script.clone()),
            starts: MemoryRunStarts::new(machine(), executions.clone(), script.clone()),
            executions,
            clock: ManualClock::at(noon()),
            mode: Mode::Sync,
            script,
        }
    }

    pub(crate) fn intake(&self) -> Intake<MemoryPorts> {
        let filters = FilterInput {
            exclude: Some(vec!["**.tmp".to_owned()]),
            ..FilterInput::default()
        };
        Intake {
            ledger: self.ledger.clone(),
            control: self.control.clone(),
            executions: self.executions.clone(),
            starts: self.starts.clone(),
            clock: self.clock.clone(),
            source: BucketName::new("source").unwrap(),
            rules: EventRules {
                prefix: KeyPrefix::new("data/").unwrap(),
                filter: Filters::settle(filters).unwrap().compile().unwrap(),
                mode: self.mode,
            },
            locked: locked(),
            machine: machine().name().to_owned(),
        }
    }

    pub(crate) async fn take(&self, messages: &[Value]) -> Result<BatchReply, Failure> {
        self.intake().take(batch(messages)).await
    }

    /// The runs that are under way.
    pub(crate) fn running(&self) -> Vec<RunId> {
        let runs = self.starts.runs().into_iter();
        let running = runs.filter(|(_, run)| run.succeeded.is_none());
        running.map(|(id, _)| id).collect()
    }

    pub(crate) fn input(&self, run_id: &RunId) -> RunInput {
        let input: Value = serde_json::from_str(&self.starts.runs()[run_id].input).unwrap();
        RunInput::parse(&input).unwrap()
    }

    /// The keys that a run looks at.
    pub(crate) fn keys_of(&self, run_id: &RunId) -> BTreeSet<String> {
        let list = self.input(run_id).source.list.unwrap();
        let body = self.control.body(list.key.as_str()).unwrap();
        let mut read = EventBatch::default();
        read.add_list(&body).unwrap();
        let lines = String::from_utf8(body).unwrap();
        let key = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["key"].as_str().unwrap().to_owned()
        };
        lines.lines().map(key).collect()
    }

    /// Ends a run as its reporter does. Returns the keys that it looked at.
    pub(crate) async fn end(&self, run_id: &RunId, how: RunEnd) -> BTreeSet<String> {
        let keys = self.keys_of(run_id);
        let taken: EventRun = self.input(run_id).events.unwrap();
        match how {
            RunEnd::Planned => {
                for name in &taken.lists {
                    self.control.remove_waiting(&name.key()).await.unwrap();
                }
            }
            RunEnd::Overlapped | RunEnd::Unreported => {}
            RunEnd::Broken => {
                self.control.put(HELD_KEY, "", Vec::new()).await.unwrap();
                self.control.date(HELD_KEY, noon());
            }
        }
        if how != RunEnd::Unreported {
            self.ledger.delete_lock(&locked(), run_id).await.unwrap();
        }
        self.starts.end(run_id, how == RunEnd::Planned);
        if how == RunEnd::Planned {
            keys
        } else {
            BTreeSet::new()
        }
    }

    /// Ends whatever runs and wakes, until nothing waits. Returns how often each key was looked at.
    pub(crate) async fn settle(&self) -> BTreeMap<String, u32> {
        let mut looked: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..20 {
            assert!(self.running().len() <= 1, "one run at a time");
            for run_id in self.running() {
                for key in self.end(&run_id, RunEnd::Planned).await {
                    *looked.entry(key).or_default() += 1;
                }
            }
            self.take(&[run_ended()]).await.unwrap();
        }
        assert_eq!(self.running(), []);
        assert_eq!(self.control.waiting().await.unwrap(), []);
        looked
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// Its plan was finished.
    Planned,
    /// Another run held the pair.
    Overlapped,
    /// It broke for a reason of its own.
    Broken,
    /// Its reporter failed, or it was stopped: nothing was marked or released.
    Unreported,
}
