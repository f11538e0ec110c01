//! The story of a seed.

use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::{
    climate::Climate,
    events::{self, Deed, Event},
    keys,
    nights::{self, Step},
    places::Ground,
};
use crate::{
    dice::{Dice, happens, one_of},
    pictures,
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// An object that stands on one side before the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstObject {
    /// The full key.
    pub key: String,
    /// What it holds.
    pub content: String,
    /// Its size.
    pub size_bytes: u64,
    /// How long before the story it was written.
    pub age: Duration,
    /// A tag, if it has one.
    pub tag: Option<String>,
    /// Its class.
    pub class: &'static str,
}

/// The story of a seed.
#[derive(Debug, Clone)]
pub struct Story {
    /// The seed.
    pub seed: u64,
    /// The pair.
    pub ground: Ground,
    /// Keys on a page of a listing.
    pub page_objects: usize,
    /// Objects of a shard.
    pub shard_objects_max: u64,
    /// Ranges that are listed at once.
    pub listers_max: usize,
    /// Copiers at once.
    pub max_concurrency: u32,
    /// Whether the target encrypts under a KMS key.
    pub is_kms: bool,
    /// The source before the story.
    pub source: Vec<FirstObject>,
    /// The target before the story.
    pub target: Vec<FirstObject>,
    /// The lists that runs may name, by key, and what they name.
    pub lists: Vec<(String, Vec<String>)>,
    /// What happens.
    pub steps: Vec<Step>,
    /// How many runs there are.
    pub runs: usize,
    /// What others do meanwhile.
    pub events: Vec<Event>,
    /// The weather.
    pub climate: Climate,
}

impl Story {
    /// That of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let rng = &mut Dice::of(seed).about("story", 0);
        let climate = Climate::of(rng);
        let ground = Ground {
            source_prefix: one_of(rng, &["data/", "data/", "in/\u{fc}/", ""]).to_owned(),
            target_prefix: String::new(),
            excluded: happens(rng, 300).then(|| "skip/".to_owned()),
        };
        let ground = Ground {
            target_prefix: if ground.source_prefix.is_empty() {
                String::new()
            } else {
                one_of(rng, &["copy/", "data/", "backup/of/it/"]).to_owned()
            },
            ..ground
        };
        let is_of_pictures = pictures::is_of(seed);
        let has_parts = happens(rng, 350) && !is_of_pictures;
        let has_huge = has_parts && happens(rng, 80);
        let mut source = sources(rng, &ground, has_parts, has_huge);
        if is_of_pictures {
            source
                .iter_mut()
                .for_each(|object| make_whole(rng, &mut object.size_bytes));
        }
        let target = targets(rng, &ground, &source);
        let lists = lists(rng, &ground, &source);
        let mut base = json!({});
        if has_parts {
            base["multipart_threshold_bytes"] = json!(5 * MIB);
            base["part_bytes"] = json!(if has_huge { 5 * GIB } else { 5 * MIB });
        }
        let names: Vec<&str> = lists.iter().map(|(key, _)| key.as_str()).collect();
        let (mut steps, runs) = nights::steps(rng, &base, &names);
        let mut events = happenings(rng, &ground, &source, &target, runs - 1, has_parts);
        if is_of_pictures {
            nights::render(rng, &mut steps);
            for event in &mut events {
                if let Deed::PutSource { size_bytes, .. } = &mut event.deed {
                    make_whole(rng, size_bytes);
                }
            }
        }
        Self {
            seed,
            page_objects: rng.usize(1..6),
            shard_objects_max: rng.u64(1..9),
            listers_max: one_of(rng, &[1, 2, 4, 8]),
            max_concurrency: rng.u32(1..6),
            is_kms: happens(rng, 150),
            ground,
            source,
            target,
            lists,
            steps,
            runs,
            events,
            climate,
        }
    }

    /// What the objects of a story of pictures hold at any time; nothing in another one.
    #[must_use]
    pub fn contents(&self) -> Vec<&str> {
        if !pictures::is_of(self.seed) {
            return Vec::new();
        }
        let written = self.events.iter().filter_map(|event| match &event.deed {
            Deed::PutSource { content, .. } => Some(content.as_str()),
            _ => None,
        });
        let source = self.source.iter().map(|object| object.content.as_str());
        source.chain(written).collect()
    }

    /// Whether somebody changes something while a run is under way.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }
}

/// Most pictures are whole.
fn make_whole(rng: &mut Rng, size_bytes: &mut u64) {
    if *size_bytes > 0 && happens(rng, 950) {
        *size_bytes += pictures::PICTURE_BYTES;
    }
}

fn size(rng: &mut Rng, has_parts: bool) -> u64 {
    if happens(rng, 120) {
        0
    } else if has_parts && happens(rng, 150) {
        rng.u64(5 * MIB + 1..24 * MIB)
    } else {
        rng.u64(1..1_000)
    }
}

fn sources(rng: &mut Rng, ground: &Ground, has_parts: bool, has_huge: bool) -> Vec<FirstObject> {
    let is_hostile = happens(rng, 400);
    let count = one_of(rng, &[0, 1, 4, 8, 12, 18, 25, 40]);
    let mut objects: Vec<FirstObject> = (0..count)
        .map(|number| {
            let relative = keys::relative(rng, number, is_hostile);
            FirstObject {
                key: format!("{}{relative}", ground.source_prefix),
                content: format!("{relative}#1"),
                size_bytes: size(rng, has_parts),
                age: Duration::from_secs(rng.u64(3_600..7_200)),
                tag: happens(rng, 150).then(|| format!("t{number}")),
                class: if happens(rng, 15) {
                    "GLACIER"
                } else {
                    "STANDARD"
                },
            }
        })
        .collect();
    if has_huge && let Some(object) = objects.first_mut() {
        object.size_bytes = 530 * GIB;
    }
    if count > 0 && happens(rng, 30) {
        // One whose key does not fit the target, if that has the longer prefix.
        let relative = "o".repeat(1_024 - ground.source_prefix.len());
        objects[0].key = format!("{}{relative}", ground.source_prefix);
        objects[0].content = format!("{relative}#1");
    }
    objects
}

/// Some objects of the source as they are, some in an older version, some that the source lacks, some elsewhere.
fn targets(rng: &mut Rng, ground: &Ground, source: &[FirstObject]) -> Vec<FirstObject> {
    let mut objects = Vec::new();
    let share = one_of(rng, &[0, 0, 300, 700, 1_000]);
    for original in source {
        let relative = original.key[ground.source_prefix.len()..].to_owned();
        let key = format!("{}{relative}", ground.target_prefix);
        if key.len() > 1_024 || original.size_bytes > 5 * GIB || !happens(rng, share) {
            continue;
        }
        let kind = one_of(
            rng,
            &["same", "same", "same", "older", "other", "lookalike"],
        );
        let mut object = FirstObject {
            key,
            age: Duration::from_secs(1_800),
            class: "STANDARD",
            ..original.clone()
        };
        match kind {
            "older" => {
                object.age = Duration::from_secs(10_000);
                object.content = format!("{relative}#0");
            }
            "other" => {
                object.size_bytes += 1;
                object.content = format!("{relative}#0");
            }
            "lookalike" => object.content = format!("{relative}#like"),
            _ => {}
        }
        objects.push(object);
    }
    let plain = |key: String| FirstObject {
        content: format!("{key}#target"),
        key,
        size_bytes: 7,
        age: Duration::from_secs(9_000),
        tag: None,
        class: "STANDARD",
    };
    for number in 0..one_of(rng, &[0, 0, 1, 3, 12]) {
        let folder = one_of(rng, &["", "extra/", "skip/", "a/"]);
        objects.push(plain(format!("{}{folder}x{number}", ground.target_prefix)));
    }
    if !ground.target_prefix.is_empty() {
        objects.push(plain("a-neighbor".to_owned()));
        objects.push(plain("zz-neighbor".to_owned()));
    }
    objects
}

fn lists(rng: &mut Rng, ground: &Ground, source: &[FirstObject]) -> Vec<(String, Vec<String>)> {
    let mut keys: Vec<String> = source
        .iter()
        .filter(|_| happens(rng, 700))
        .map(|object| object.key.clone())
        .collect();
    rng.shuffle(&mut keys);
    keys.push(format!("{}gone-long-ago", ground.source_prefix));
    vec![("lists/some.csv".to_owned(), keys)]
}

fn happenings(
    rng: &mut Rng,
    ground: &Ground,
    source: &[FirstObject],
    target: &[FirstObject],
    runs: usize,
    has_parts: bool,
) -> Vec<Event> {
    let mut events = Vec::new();
    let count = one_of(rng, &[0, 0, 1, 3, 8, 16]);
    for number in 0..count {
        let below = |key: &str, prefix: &str| key.strip_prefix(prefix).map(str::to_owned);
        let original = source.get(rng.usize(0..source.len().max(1)));
        let of_source = original;
        let of_source = of_source.and_then(|object| below(&object.key, &ground.source_prefix));
        let of_target = target.get(rng.usize(0..target.len().max(1)));
        let of_target = of_target.and_then(|object| below(&object.key, &ground.target_prefix));
        let new = format!("new{number}");
        let either = match rng.u32(0..6) {
            0 => Some(new.clone()),
            1 | 2 => of_target.clone(),
            _ => of_source.clone(),
        };
        let relative = either.unwrap_or(new);
        // Only its content shows that an object of the same size is another one.
        let size_bytes = match original {
            Some(original) if happens(rng, 600) => original.size_bytes,
            _ => size(rng, has_parts),
        };
        let fits = ground.target_prefix.len() + relative.len() <= 1_024;
        let deed = match rng.u32(0..10) {
            0..4 => Deed::PutSource {
                content: format!("{relative}#e{number}"),
                relative,
                size_bytes,
            },
            4..6 => Deed::RemoveSource(relative),
            6 | 7 if fits => Deed::PutTarget {
                content: format!("{relative}#tampered{number}"),
                relative,
                size_bytes: if rng.bool() { size_bytes } else { 7 },
            },
            8 if fits => Deed::RemoveTarget(relative),
            _ => Deed::Stop,
        };
        events.push(Event {
            run: rng.usize(0..runs.max(1)),
            call: events::call(rng),
            deed,
        });
    }
    events
}
