//! A planner over the testkit, and what its ledger and manifests add up to.

mod lists;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::{CeilingParameters, Ceilings},
    documents::{control_key, manifest::Manifest},
    failure::Failure,
    plan::{
        ShardBounds,
        range::{ListingTally, RangeState},
    },
    run::{
        event,
        input::{RunInput, SourceInput, TargetInput},
    },
    shard::ShardWork,
    value::{deadline::Deadline, id::RunId, time::Timestamp},
};
use shardlift_planner::{Planner, PlannerSettings, Ports, SortBounds};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryExecutions,
    MemoryLedger, MemoryListFiles, widest_ceilings,
};

use self::lists::WrittenLists;

pub(crate) const SOURCE: &str = "source";
pub(crate) const TARGET: &str = "target";
pub(crate) const SOURCE_ACCOUNT: &str = "111111111111";
pub(crate) const TARGET_ACCOUNT: &str = "222222222222";

/// Everything in memory.
pub(crate) struct MemoryPorts;

impl Ports for MemoryPorts {
    type Accounts = MemoryAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Lists = MemoryListFiles;
    type Executions = MemoryExecutions;
    type Clock = ManualClock;
}

/// Everything that outlives an invocation.
pub(crate) struct World {
    pub(crate) buckets: MemoryBuckets,
    pub(crate) ledger: MemoryLedger,
    pub(crate) control: MemoryControlStore,
    pub(crate) lists: MemoryListFiles,
    pub(crate) executions: MemoryExecutions,
    pub(crate) script: CallScript,
    pub(crate) page_objects: usize,
    pub(crate) shard_bounds: ShardBounds,
    pub(crate) sort_bounds: SortBounds,
    pub(crate) listers_max: usize,
    /// The ceilings of the stack; everything is allowed where there are none.
    pub(crate) parameters: Option<CeilingParameters>,
    /// What each look at the clock costs.
    pub(crate) clock_step: Duration,
}

pub(crate) fn run_id() -> RunId {
    RunId::new("nightly-1").unwrap()
}

pub(crate) fn noon() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let script = CallScript::default();
        let control = "control-bucket".to_owned().try_into().unwrap();
        Self {
            buckets: MemoryBuckets::default()
                .with_bucket(SOURCE, SOURCE_ACCOUNT, "eu-central-1")
                .with_bucket(TARGET, TARGET_ACCOUNT, "us-east-1"),
            ledger: MemoryLedger::new(script.clone()),
            control: MemoryControlStore::new(control, script.clone()),
            lists: MemoryListFiles::new(script.clone()),
            executions: MemoryExecutions::new(script.clone()),
            script,
            page_objects: 3,
            // Some 15 entries a run, and three a block.
            sort_bounds: SortBounds {
                run_bytes_max: 1_000,
                block_bytes: (100, 200),
                runs_at_once: 3,
            },
            shard_bounds: ShardBounds {
                objects_max: 5,
                ..ShardBounds::default()
            },
            listers_max: 1,
            parameters: None,
            clock_step: Duration::ZERO,
        }
    }

    pub(crate) fn planner(&self) -> Planner<MemoryPorts> {
        let defaults = json!({
            "source": {"bucket": SOURCE, "prefix": "data/"},
            "target": {"bucket": TARGET, "prefix": "copy/", "role_arn": format!("arn:aws:iam::{TARGET_ACCOUNT}:role/Target")},
        });
        let run_defaults = RunInput::parse(&defaults).unwrap();
        Planner {
            accounts: MemoryAccounts::new(
                self.buckets.clone(),
                SOURCE_ACCOUNT,
                self.page_objects,
                self.script.clone(),
            ),
            ledger: self.ledger.clone(),
            control: self.control.clone(),
            lists: self.lists.clone(),
            executions: self.executions.clone(),
            clock: ManualClock::stepping(noon(), self.clock_step),
            settings: PlannerSettings {
                function_roles: Vec::new(),
                ceilings: self.ceilings(&run_defaults),
                run_defaults,
                max_concurrency: 7,
                writes_per_second_max: None,
                ledger_ttl_days: 30,
                copier_memory_mb: 256,
                renderer_memory_mb: 2_048,
                shard_bounds: self.shard_bounds,
                sort_bounds: self.sort_bounds,
                listers_max: self.listers_max,
            },
        }
    }

    fn ceilings(&self, defaults: &RunInput) -> Ceilings {
        if let Some(parameters) = &self.parameters {
            return Ceilings::new(defaults, parameters.clone());
        }
        let anywhere = RunInput {
            source: SourceInput {
                prefix: None,
                ..defaults.source.clone()
            },
            target: TargetInput {
                prefix: None,
                ..defaults.target.clone()
            },
            ..RunInput::default()
        };
        Ceilings::new(&anywhere, widest_ceilings())
    }

    /// One invocation of 15 minutes.
    pub(crate) async fn invoke(&self, input: &Value) -> Result<Value, Failure> {
        self.invoke_by(&event(input)).await
    }

    /// One invocation of 15 minutes by an event of any kind.
    pub(crate) async fn invoke_by(&self, event: &Value) -> Result<Value, Failure> {
        let deadline = Deadline::new(noon(), noon().plus(Duration::from_secs(900)));
        let result = self
            .planner()
            .plan(&event::parse_value(event)?, deadline)
            .await?;
        Ok(serde_json::to_value(result).unwrap())
    }

    /// Invocations until one does not say CONTINUE; each failure that may pass is tried again, as the machine does.
    pub(crate) async fn plan(&self, input: &Value) -> Result<Value, Failure> {
        for _ in 0..2_000 {
            match self.invoke(input).await {
                Ok(result) if result["status"] == "CONTINUE" => {}
                other => return other,
            }
        }
        panic!("the plan never ends")
    }

    /// Writes source objects under `data/`.
    pub(crate) fn put_sources<'a>(&self, keys: impl IntoIterator<Item = &'a str>) {
        for key in keys {
            self.buckets
                .put(SOURCE, &format!("data/{key}"), key, key.len() as u64);
        }
    }

    /// What was planned.
    pub(crate) fn planned(&self) -> WrittenPlan {
        WrittenPlan::of(&self.ledger, &self.control)
    }

    /// Whether no copier can have begun: there is no index of a round.
    pub(crate) fn index_is_missing(&self) -> bool {
        self.control
            .body(&control_key::index(&run_id(), 1))
            .is_none()
    }

    /// The shard ids of the first round's index.
    pub(crate) fn index(&self) -> Vec<String> {
        let body = self.control.body(&control_key::index(&run_id(), 1));
        serde_json::from_slice(&body.expect("there is an index")).unwrap()
    }
}

/// What must not depend on where invocations ended: copies, deletions, counts and lists.
pub(crate) type PlanContent = (
    BTreeMap<String, u64>,
    BTreeMap<String, u64>,
    ListingTally,
    WrittenLists,
);

/// A plan as the ledger and the manifests have it, however it was cut.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct WrittenPlan {
    pub(crate) copies: BTreeMap<String, u64>,
    pub(crate) deletes: BTreeMap<String, u64>,
    pub(crate) tally: ListingTally,
    pub(crate) shard_sizes: Vec<u64>,
    pub(crate) ranges: usize,
    pub(crate) lists: WrittenLists,
}

impl WrittenPlan {
    /// What the ledger and the manifests say was planned. Checks on the way that they agree with each other.
    pub(crate) fn of(ledger: &MemoryLedger, control: &MemoryControlStore) -> Self {
        let mut plan = Self {
            lists: WrittenLists::of(ledger, control),
            ..Self::default()
        };
        for shard in ledger.shards(&run_id()) {
            if matches!(shard.work, ShardWork::CopyParts { .. }) {
                continue;
            }
            let key = control_key::manifest(&run_id(), &shard.shard_id);
            let bytes = control.body(&key).expect("a shard has its manifest");
            let manifest = Manifest::decode(&bytes, &run_id(), &shard.shard_id).unwrap();
            assert_eq!(manifest.objects.len() as u64, shard.planned.objects);
            let sorted = manifest
                .objects
                .windows(2)
                .all(|two| two[0].key < two[1].key);
            assert!(sorted, "a manifest is in key order");
            let list = match shard.work {
                ShardWork::DeleteObjects => &mut plan.deletes,
                _ => &mut plan.copies,
            };
            for object in manifest.objects {
                let before = list.insert(object.key.to_string(), object.size_bytes);
                assert_eq!(before, None, "{} is planned twice", object.key);
            }
            plan.shard_sizes.push(shard.planned.objects);
        }
        for range in ledger.ranges(&run_id()) {
            assert_eq!(range.state, RangeState::Done);
            plan.ranges += 1;
            plan.tally.add(&range.checkpoint.unwrap().tally);
        }
        assert_eq!(plan.tally.planned.objects, plan.copies.len() as u64);
        assert_eq!(plan.tally.deletes.objects, plan.deletes.len() as u64);
        plan
    }

    /// What must not depend on where invocations ended.
    pub(crate) fn content(&self) -> PlanContent {
        (
            self.copies.clone(),
            self.deletes.clone(),
            self.tally.clone(),
            self.lists.clone(),
        )
    }
}

pub(crate) fn event(input: &Value) -> Value {
    json!({
        "schema_version": 1,
        "run_id": run_id().as_str(),
        "execution_arn": "arn:aws:states:eu-central-1:111111111111:execution:shardlift:nightly-1",
        "started_at": noon().to_string(),
        "input": input,
    })
}
