//! Both sides and a list at random, and what the plan of it must be.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::CeilingParameters,
    plan::{ListCounts, ListWay},
    value::{bucket::BucketName, time::Timestamp},
};
use shardlift_testkit::widest_ceilings;

use crate::{
    list_writers::{
        CSV_SCHEMA, InventoryRow, inventory_csv, inventory_manifest, md5_of, url_encoded,
    },
    world::{SOURCE, TARGET, World, run_id},
};

pub(super) const INVENTORIES: &str = "inventory-bucket";
pub(super) const LIST: &str = "list";
pub(super) const MANIFEST: &str = "a/manifest.json";

/// How the list of a case is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Keys alone, each of which is looked up.
    Keys,
    /// Everything, in files.
    Inventory,
}

/// Both sides, a list, and what the plan of it must be.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) mode: &'static str,
    pub(super) written: Written,
    pub(super) is_sorted: bool,
    pub(super) sources: BTreeMap<String, u64>,
    pub(super) targets: BTreeMap<String, u64>,
    /// What the list names, in its order.
    pub(super) listed: Vec<(String, u64)>,
    files: usize,
    wrong: u64,
    repeated: u64,
    shard_objects: u64,
}

/// What a plan must be.
#[derive(Debug, PartialEq, Default)]
pub(super) struct Expected {
    pub(super) copies: BTreeMap<String, u64>,
    same: BTreeSet<String>,
    deletes: BTreeSet<String>,
    pub(super) objects: u64,
    looked_up: u64,
    gone: u64,
}

fn random_keys(random: &mut Rng, count: usize) -> BTreeSet<String> {
    let hostile = ["a b+c%,\"\n", "\u{1f680}", "x/", "x//y", "\u{e9}", "~"];
    let mut keys: BTreeSet<String> = (0..count)
        .map(|_| format!("{:x}/{:04x}", random.u8(..4), random.u16(..)))
        .collect();
    keys.extend(
        hostile
            .iter()
            .filter(|_| random.bool())
            .map(ToString::to_string),
    );
    keys
}

impl Case {
    pub(super) fn random(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let count = random.usize(20..160);
        let all: Vec<String> = random_keys(&mut random, count).into_iter().collect();
        let mut case = Self {
            mode: ["copy", "sync"][random.usize(..2)],
            written: [Written::Keys, Written::Inventory][random.usize(..2)],
            is_sorted: random.u8(..4) > 0,
            sources: BTreeMap::new(),
            targets: BTreeMap::new(),
            listed: Vec::new(),
            files: random.usize(1..7),
            wrong: random.u64(..4),
            repeated: random.u64(..4),
            shard_objects: random.u64(1..7),
        };
        for key in all {
            let size = random.u64(1..4);
            if random.u8(..10) > 0 {
                case.sources.insert(key.clone(), size);
            }
            if random.u8(..10) > 3 {
                let other = u64::from(random.u8(..5) == 0);
                case.targets.insert(key.clone(), size + other);
            }
            if random.u8(..10) > 1 {
                case.listed.push((key, size));
            }
        }
        if !case.is_sorted {
            random.shuffle(&mut case.listed);
        }
        case
    }

    pub(super) fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        for (key, size) in &self.listed {
            expected.objects += 1;
            if self.written == Written::Keys {
                expected.looked_up += 1;
                if !self.sources.contains_key(key) {
                    expected.gone += 1;
                    // Its copier names it.
                    expected.copies.insert(format!("data/{key}"), 0);
                    continue;
                }
            }
            if self.mode != "copy" && self.targets.get(key) == Some(size) {
                expected.same.insert(key.clone());
            } else {
                expected.copies.insert(format!("data/{key}"), *size);
            }
        }
        if self.mode == "mirror" {
            let listed: BTreeSet<&String> = self.listed.iter().map(|(key, _)| key).collect();
            let extra = self.targets.keys().filter(|key| !listed.contains(key));
            expected.deletes = extra.map(|key| format!("copy/{key}")).collect();
        }
        expected
    }

    pub(super) fn world(&self) -> World {
        let mut world = world();
        world.shard_bounds.objects_max = self.shard_objects;
        for (key, size) in &self.sources {
            world
                .buckets
                .put(SOURCE, &format!("data/{key}"), key, *size);
        }
        world.buckets.set_time(Timestamp::from_millis(60_000));
        for (key, size) in &self.targets {
            world
                .buckets
                .put(TARGET, &format!("copy/{key}"), key, *size);
        }
        match self.written {
            Written::Keys => world.lists.put(INVENTORIES, LIST, self.keys()),
            Written::Inventory => self.put_inventory(&world),
        }
        world
    }

    /// The keys alone; the first ones come twice in a row.
    fn keys(&self) -> String {
        let mut text = String::new();
        for (number, (key, _)) in (0_u64..).zip(&self.listed) {
            let line = format!("{SOURCE},{}\n", url_encoded(&format!("data/{key}")));
            text.push_str(&line);
            if number < self.repeated {
                text.push_str(&line);
            }
            if number < self.wrong {
                text.push_str("source,%zz\n");
            }
        }
        text
    }

    /// Files of about the same length, the last one first.
    fn put_inventory(&self, world: &World) {
        let per_file = self.listed.len().div_ceil(self.files).max(1);
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (number, listed) in self.listed.chunks(per_file).enumerate() {
            let mut rows: Vec<InventoryRow> = Vec::new();
            for (key, size) in listed {
                rows.push(row(&format!("data/{key}"), *size));
                rows.push(InventoryRow {
                    is_latest: false,
                    ..row(&format!("data/{key}"), 9)
                });
            }
            rows.push(row("elsewhere", 1));
            files.push((format!("data/{number}"), inventory_csv(SOURCE, &rows)));
        }
        files.reverse();
        put_inventory(world, &files);
    }

    pub(super) fn input(&self) -> Value {
        let (key, format) = match self.written {
            Written::Keys => (LIST, "csv"),
            Written::Inventory => (MANIFEST, "inventory"),
        };
        input(self.mode, key, format)
    }

    /// Holds what a world planned to what it should have.
    pub(super) fn check(&self, world: &World, seed: u64) {
        let plan = world.planned();
        let counts = counts(world);
        let same = plan.lists.kept.iter();
        let same = same.filter(|(_, outcome)| outcome.is_vouched());
        let found = Expected {
            copies: plan.copies,
            same: same.map(|(key, _)| key.clone()).collect(),
            deletes: plan.deletes.into_keys().collect(),
            objects: counts.objects,
            looked_up: counts.looked_up,
            gone: counts.gone,
        };
        assert_eq!(found, self.expected(), "seed {seed}");
        assert_eq!(plan.tally.gone.objects, 0, "seed {seed}");
        if self.written == Written::Keys {
            assert_eq!(counts.wrong, self.wrong.min(counts.objects), "seed {seed}");
            assert_eq!(
                counts.repeated,
                self.repeated.min(counts.objects),
                "seed {seed}"
            );
        } else {
            assert_eq!((counts.wrong, counts.repeated), (0, 0), "seed {seed}");
            assert!(counts.left_out > counts.objects, "seed {seed}");
        }
        let keys = self.listed.iter().map(|(key, _)| key);
        let found = (counts.way, counts.is_out_of_order);
        assert_eq!(found, (ListWay::Merged, !keys.is_sorted()), "seed {seed}");
        if self.mode != "mirror" {
            assert_eq!(plan.tally.at_target.objects, 0, "seed {seed}");
        }
    }
}

pub(super) fn world() -> World {
    let mut world = World::new();
    world.listers_max = 8;
    world.parameters = Some(CeilingParameters {
        list_buckets: vec![BucketName::new(INVENTORIES).unwrap()],
        ..widest_ceilings()
    });
    world
}

pub(super) fn row(key: &str, size: u64) -> InventoryRow {
    InventoryRow {
        key: key.to_owned(),
        version_id: "v".to_owned(),
        is_latest: true,
        is_delete_marker: false,
        size: i64::try_from(size).unwrap(),
        modified_ms: 0,
        etag: "e".to_owned(),
        storage_class: "STANDARD".to_owned(),
    }
}

pub(super) fn put_inventory(world: &World, files: &[(String, Vec<u8>)]) {
    for (name, file) in files {
        world.lists.put(INVENTORIES, name, file.clone());
    }
    let named: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, file)| (name.as_str(), file.as_slice()))
        .collect();
    let manifest = inventory_manifest(SOURCE, "CSV", CSV_SCHEMA, &named);
    world
        .lists
        .put(INVENTORIES, "a/manifest.checksum", md5_of(&manifest));
    world.lists.put(INVENTORIES, MANIFEST, manifest);
}

pub(super) fn input(mode: &str, key: &str, format: &str) -> Value {
    json!({
        "mode": mode, "delete_max_percent": 100, "allow_empty_source": true,
        "source": {"list": {"bucket": INVENTORIES, "key": key, "format": format}},
    })
}

pub(super) fn counts(world: &World) -> ListCounts {
    let run = world.ledger.run(&run_id()).unwrap();
    run.totals.list.expect("the run took a list")
}
