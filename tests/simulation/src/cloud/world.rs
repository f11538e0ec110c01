//! Everything that outlives an invocation.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashSet},
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use shardlift_core::{
    access::ceilings::Ceilings,
    plan::ShardBounds,
    port::Clock,
    run::input::{RunInput, SourceInput, TargetInput},
    shard::ShardRecord,
    value::{bucket::BucketName, id::RunId, key::ObjectKey, time::Timestamp},
};
use shardlift_planner::{PlannerSettings, SortBounds};
use shardlift_testkit::{
    CallScript, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryExecutions, MemoryLedger,
    MemoryListFiles, RecordingNotifier, widest_ceilings,
};
use tokio::sync::Notify;

use super::{
    clock::{VirtualClock, began_at},
    environment::{Adapters, Environment},
    sky::{EnvironmentSky, Sky},
};
use crate::{
    asl::{self, Definition, Progress},
    dice::Dice,
    history::{Chronicle, Function},
    mutation::{
        PlantedAccounts, PlantedControl, PlantedExecutions, PlantedLedger, PlantedNotifier,
        PortFault,
    },
    pictures,
    story::{CONTROL, FirstObject, SOURCE, SOURCE_ACCOUNT, Story, TARGET, TARGET_ACCOUNT},
    sync_machine,
};

/// What is planted in the product.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The machine.
    pub definition: Rc<Definition>,
    /// A fault of the ports.
    pub port: Option<PortFault>,
}

impl Planted {
    /// Nothing: the product as it is.
    ///
    /// # Panics
    /// When the definition of the machine has something that is not simulated.
    #[must_use]
    pub fn nothing() -> Self {
        let definition = asl::read(&sync_machine()).expect("all of the definition is simulated");
        Self {
            definition: Rc::new(definition),
            port: None,
        }
    }

    /// A fault of the ports.
    #[must_use]
    pub fn in_ports(fault: PortFault) -> Self {
        Self {
            port: Some(fault),
            ..Self::nothing()
        }
    }
}

/// The world of a story.
pub struct Cloud {
    pub(super) story: Story,
    pub(super) planted: Planted,
    pub(super) dice: Dice,
    pub(super) sky: Arc<Sky>,
    pub(super) idle: RefCell<BTreeMap<Function, Vec<Environment>>>,
    pub(super) ordinals: RefCell<BTreeMap<String, u64>>,
    pub(super) invocations_of_run: RefCell<Vec<u32>>,
    pub(super) progress: Vec<Rc<RefCell<Progress>>>,
    pub(super) jitters: Cell<u64>,
    pub(super) executions: MemoryExecutions,
    settings: PlannerSettings,
    ledger: MemoryLedger,
    /// The control bucket.
    pub control: MemoryControlStore,
    lists: MemoryListFiles,
    notifier: RecordingNotifier,
}

impl Cloud {
    /// The world before the story.
    ///
    /// # Panics
    /// Never: the names in it are names.
    #[must_use]
    pub fn new(
        story: Story,
        planted: Planted,
        suppressed: HashSet<u64>,
        chronicle: Chronicle,
    ) -> Self {
        let buckets = MemoryBuckets::default()
            .with_bucket(SOURCE, SOURCE_ACCOUNT, "eu-central-1")
            .with_bucket(TARGET, TARGET_ACCOUNT, "us-east-1");
        furnish(&buckets, &story);
        for content in story.contents() {
            if let Some(picture) = pictures::picture_of(content) {
                buckets.hold_bytes(content, &picture);
            }
        }
        {
            let mut seen = chronicle.seen();
            seen.ground = story.ground.clone();
            let (source, target) = (buckets.objects(SOURCE), buckets.objects(TARGET));
            seen.begin(began_at().plus(Duration::ZERO), source, target);
        }
        let sky = Arc::new(Sky {
            dice: Dice::of(story.seed),
            climate: story.climate,
            is_calm: false.into(),
            suppressed,
            chronicle,
            buckets,
            clock: VirtualClock::begin(),
            ground: story.ground.clone(),
            events: story.events.clone(),
            stops: (0..story.runs).map(|_| Arc::new(Notify::new())).collect(),
        });
        let nobody = CallScript::default();
        let control = BucketName::new(CONTROL).expect("it is a name");
        let lists = MemoryListFiles::new(nobody.clone());
        for (key, keys) in &story.lists {
            lists.put(CONTROL, key, list_of(keys));
        }
        Self {
            dice: Dice::of(story.seed),
            settings: settings(&story),
            idle: RefCell::default(),
            ordinals: RefCell::default(),
            invocations_of_run: RefCell::new(vec![0; story.runs]),
            progress: (0..story.runs).map(|_| Rc::default()).collect(),
            jitters: Cell::default(),
            executions: MemoryExecutions::new(nobody.clone()),
            ledger: MemoryLedger::new(nobody.clone()),
            control: MemoryControlStore::new(control, nobody.clone()),
            notifier: RecordingNotifier::new(nobody),
            lists,
            sky,
            planted,
            story,
        }
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.sky.clock.now()
    }

    /// The story.
    #[must_use]
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// All that was seen.
    #[must_use]
    pub fn chronicle(&self) -> &Chronicle {
        &self.sky.chronicle
    }

    /// What the buckets hold.
    #[must_use]
    pub fn buckets(&self) -> &MemoryBuckets {
        &self.sky.buckets
    }

    /// The shards of a run, as the ledger has them.
    ///
    /// # Panics
    /// When the name is no run id.
    #[must_use]
    pub fn shards(&self, run: &str) -> Vec<ShardRecord> {
        let run_id = RunId::new(run).expect("the story's names are run ids");
        self.ledger.shards(&run_id)
    }

    /// From now on the weather is good.
    pub fn calm_down(&self) {
        self.sky.is_calm.store(true, Ordering::Relaxed);
    }

    /// A new process of a function.
    pub(super) fn environment(&self, function: Function) -> Environment {
        let script = CallScript::default();
        let sky = Arc::new(EnvironmentSky::new(Arc::clone(&self.sky)));
        script.govern(sky.clone());
        let fault = self.planted.port;
        let adapters = Adapters {
            accounts: PlantedAccounts {
                inner: MemoryAccounts::new(
                    self.sky.buckets.clone(),
                    SOURCE_ACCOUNT,
                    self.story.page_objects,
                    script.clone(),
                ),
                buckets: self.sky.buckets.clone(),
                fault,
            },
            ledger: PlantedLedger {
                inner: self.ledger.through(script.clone()),
                fault,
            },
            control: PlantedControl {
                inner: self.control.through(script.clone()),
                fault,
            },
            lists: self.lists.through(script.clone()),
            executions: PlantedExecutions {
                inner: self.executions.through(script.clone()),
                fault,
            },
            notifier: PlantedNotifier {
                inner: self.notifier.through(script.clone()),
                fault,
            },
            clock: self.sky.clock,
        };
        Environment::new(function, adapters, self.settings.clone(), script, sky)
    }
}

fn furnish(buckets: &MemoryBuckets, story: &Story) {
    if story.is_kms {
        buckets.encrypt_under_kms(TARGET);
    }
    let sides = [(SOURCE, &story.source), (TARGET, &story.target)];
    for (bucket, objects) in sides {
        for object in objects {
            let FirstObject {
                key,
                content,
                size_bytes,
                age,
                tag,
                class,
            } = object;
            let age_ms = i64::try_from(age.as_millis()).expect("ages are short");
            let written_at = Timestamp::from_millis(began_at().as_millis() - age_ms);
            buckets.set_time(written_at);
            buckets.put(bucket, key, content, *size_bytes);
            buckets.change(bucket, key, |stored| {
                stored.attributes.storage_class = (*class).to_owned();
                if let Some(tag) = tag {
                    stored.tags.insert("tag".to_owned(), tag.clone());
                    stored.attributes.tag_count = 1;
                }
            });
        }
    }
    buckets.set_time(began_at());
    buckets.let_time_pass();
}

fn settings(story: &Story) -> PlannerSettings {
    let excluded = story.ground.excluded.iter();
    let exclude: Vec<String> = excluded.map(|folder| format!("{folder}**")).collect();
    let defaults = json!({
        "source": {"bucket": SOURCE, "prefix": story.ground.source_prefix},
        "target": {
            "bucket": TARGET, "prefix": story.ground.target_prefix,
            "role_arn": format!("arn:aws:iam::{TARGET_ACCOUNT}:role/Target"),
        },
        "filters": {"exclude": exclude},
    });
    let run_defaults = RunInput::parse(&defaults).expect("the story's input is one");
    let anywhere = RunInput {
        source: SourceInput {
            prefix: None,
            ..run_defaults.source.clone()
        },
        target: TargetInput {
            prefix: None,
            ..run_defaults.target.clone()
        },
        ..RunInput::default()
    };
    PlannerSettings {
        function_roles: Vec::new(),
        ceilings: Ceilings::new(&anywhere, widest_ceilings()),
        run_defaults,
        max_concurrency: story.max_concurrency,
        writes_per_second_max: None,
        ledger_ttl_days: 30,
        copier_memory_mb: 256,
        renderer_memory_mb: 2_048,
        sort_bounds: SortBounds::default(),
        shard_bounds: ShardBounds {
            objects_max: story.shard_objects_max,
            kept_max: 7,
            ..ShardBounds::default()
        },
        listers_max: story.listers_max,
    }
}

/// A list as S3 Batch Operations has it: `bucket,key`, the key URL-encoded.
fn list_of(keys: &[String]) -> String {
    let encoded = |key: &str| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        key.bytes().map(byte).collect()
    };
    let line = |key: &String| format!("{SOURCE},{}\n", encoded(key));
    debug_assert!(keys.iter().all(|key| ObjectKey::new(&**key).is_ok()));
    keys.iter().map(line).collect()
}
