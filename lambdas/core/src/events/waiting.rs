//! Lists of events that wait for a run, and the run that takes them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::digest::digest_of;
use crate::{
    run::{
        list::{ListFormat, SourceList},
        option::{Mode, Verify},
    },
    value::{
        bucket::BucketName,
        id::RunId,
        key::ObjectKey,
        text::InvalidText,
        time::{Timestamp, rfc3339},
    },
};

/// Where lists of events wait in the control bucket: written before their messages are deleted from the queue, removed when
/// a run has done what they say.
pub const WAITING_FOLDER: &str = "lists/events/waiting/";
/// Where the lists of runs lie: what each takes, together. Nothing but their age removes them.
pub const MERGED_FOLDER: &str = "lists/events/merged/";
/// Written when a run of events broke or was INCOMPLETE: until some time after it, no other one is started. It comes before
/// every list.
pub const HELD_KEY: &str = "lists/events/waiting/.held";

/// How long that is. What made a run break rarely ends within a minute, and each run that is not COMPLETE notifies: an object
/// that cannot be copied and is written every minute would make a run and a mail a minute.
pub const HELD_FOR: Duration = Duration::from_secs(10 * 60);
/// What it contains, for people.
pub const HELD_MARK: &[u8] = b"The last run of events broke or was INCOMPLETE. Until ten minutes after this was written, no other one starts.\n";

/// What the ids of runs of events begin with.
const RUN_PREFIX: &str = "events-";

/// The most keys of a small run.
const SMALL_OBJECTS_MAX: u64 = 1_000;

/// The most lists that one run takes: their names stand in its input.
const TAKEN_LISTS_MAX: usize = 100;
/// The most bytes of lists that one run takes: they are merged in memory.
const TAKEN_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The name of a waiting list: when its oldest event was, how many keys it has, and a digest of it. So lists are named in
/// the order of their events, equal lists have equal names, and nobody has to read a list to know how long it waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WaitingName(String);

impl WaitingName {
    pub(super) fn new(oldest_at: Timestamp, objects: u64, digest: &str) -> Self {
        let millis = oldest_at.as_millis().max(0);
        Self(format!("{millis:015}-{objects:09}-{digest}"))
    }

    /// The key of the list in the control bucket.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{WAITING_FOLDER}{}.jsonl", self.0)
    }

    /// The name of the list with this key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let name = key.strip_prefix(WAITING_FOLDER)?.strip_suffix(".jsonl")?;
        Self::try_from(name.to_owned()).ok()
    }

    fn parts(text: &str) -> Option<(i64, u64)> {
        let mut parts = text.split('-');
        let (millis, objects, digest) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_digest = digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_name = parts.next().is_none()
            && (millis.len(), objects.len()) == (15, 9)
            && is_number(millis)
            && is_number(objects)
            && is_digest;
        is_name.then_some((millis.parse().ok()?, objects.parse().ok()?))
    }

    /// When the oldest event of the list was.
    #[must_use]
    pub fn oldest_at(&self) -> Timestamp {
        Timestamp::from_millis(Self::parts(&self.0).map_or(0, |(millis, _)| millis))
    }

    /// How many keys the list has.
    #[must_use]
    pub fn objects(&self) -> u64 {
        Self::parts(&self.0).map_or(0, |(_, objects)| objects)
    }
}

impl TryFrom<String> for WaitingName {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        if Self::parts(&text).is_none() {
            return Err(InvalidText::new(
                "name of a list of events",
                &text,
                "expected its age, its keys and its digest",
            ));
        }
        Ok(Self(text))
    }
}

impl From<WaitingName> for String {
    fn from(name: WaitingName) -> Self {
        name.0
    }
}

/// A waiting list as it stands in the control bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingList {
    /// Its name.
    pub name: WaitingName,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// What a run of events takes up, as it stands in its input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRun {
    /// The waiting lists; they are removed once the run has done what they say.
    pub lists: Vec<WaitingName>,
    /// How many keys they have; until they are merged, a key that is in several of them is counted in each.
    pub objects: u64,
    /// When the oldest of their events was.
    #[serde(with = "rfc3339")]
    pub oldest_at: Timestamp,
}

impl EventRun {
    /// The lists that the next run takes: the oldest ones, as many as one run may have. Nothing when none waits.
    #[must_use]
    pub fn of_waiting(mut waiting: Vec<WaitingList>) -> Option<Self> {
        waiting.sort_by(|one, other| one.name.cmp(&other.name));
        let mut bytes = 0;
        let fits = |list: &WaitingList| {
            let is_first = bytes == 0;
            bytes += list.size_bytes.max(1);
            is_first || bytes <= TAKEN_BYTES_MAX
        };
        let taken = waiting.into_iter().take(TAKEN_LISTS_MAX).take_while(fits);
        let lists: Vec<WaitingName> = taken.map(|list| list.name).collect();
        Some(Self {
            oldest_at: lists.first()?.oldest_at(),
            objects: lists.iter().map(WaitingName::objects).sum(),
            lists,
        })
    }

    /// The id of the run that takes these lists: the same ones make the same run, so that it is started once. A run that
    /// broke, though, is followed by another attempt.
    ///
    /// # Errors
    /// Never.
    pub fn run_id(&self, attempt: u32) -> Result<RunId, InvalidText> {
        let names: Vec<&str> = self.lists.iter().map(|name| name.0.as_str()).collect();
        let digest = digest_of(names.join("\n").as_bytes());
        let oldest = self.oldest_at.as_epoch_seconds().max(0);
        RunId::new(format!("{RUN_PREFIX}{oldest}-{digest}-{attempt}"))
    }

    /// Whether the run of this id is one of events.
    #[must_use]
    pub fn is_one(run_id: &RunId) -> bool {
        run_id.as_str().starts_with(RUN_PREFIX)
    }

    /// Whether the run is so small that what a large one prepares would be most of its work.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.objects <= SMALL_OBJECTS_MAX
    }

    /// Where the list of the run lies: one of all that it takes together, which is its own. It reads no list that waits, since
    /// others may remove that.
    #[must_use]
    pub fn list_key(run_id: &RunId) -> String {
        format!("{MERGED_FOLDER}{run_id}.jsonl")
    }

    /// The input of the run. It compares, so that what is already there is not copied again, and deletes only where the
    /// stack's own runs do. The target is not listed afterwards: that costs as much for one object as for all.
    ///
    /// # Errors
    /// Never for keys that this type makes.
    pub fn input(
        &self,
        run_id: &RunId,
        control_bucket: &BucketName,
        stack_mode: Mode,
    ) -> Result<Value, InvalidText> {
        let list = SourceList {
            bucket: control_bucket.clone(),
            key: ObjectKey::new(Self::list_key(run_id))?,
            format: ListFormat::Jsonl,
        };
        let mode = match stack_mode {
            Mode::Mirror => Mode::Mirror,
            Mode::Copy | Mode::Sync | Mode::Audit => Mode::Sync,
        };
        Ok(json!({
            "source": {"list": list},
            "mode": mode,
            "verify": Verify::None,
            "events": self,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::input::RunInput;

    fn list(millis: i64, size_bytes: u64) -> WaitingList {
        let digest = digest_of(&millis.to_be_bytes());
        WaitingList {
            name: WaitingName::new(Timestamp::from_millis(millis), 3, &digest),
            size_bytes,
        }
    }

    #[test]
    fn a_name_tells_the_age_and_is_found_again_by_its_key() {
        let name = list(1_700_000_000_123, 1).name;
        assert_eq!(name.oldest_at(), Timestamp::from_millis(1_700_000_000_123));
        assert_eq!(name.objects(), 3);
        assert_eq!(WaitingName::of_key(&name.key()), Some(name));
        for wrong in [
            HELD_KEY,
            "lists/events/waiting/../x.jsonl",
            "lists/x.jsonl",
            "",
        ] {
            assert_eq!(WaitingName::of_key(wrong), None, "{wrong}");
        }
        assert!(HELD_KEY < list(0, 1).name.key().as_str());
    }

    #[test]
    fn the_oldest_lists_are_taken_and_one_at_least() {
        assert_eq!(EventRun::of_waiting(Vec::new()), None);
        let taken = |waiting| EventRun::of_waiting(waiting).unwrap().lists.len();
        assert_eq!(taken(vec![list(1, u64::MAX / 2)]), 1);
        assert_eq!(taken(vec![list(2, TAKEN_BYTES_MAX), list(1, 1)]), 1);
        assert_eq!(taken((0..150).map(|millis| list(millis, 9)).collect()), 100);
        let two = EventRun::of_waiting(vec![list(7, 1), list(5, 1)]).unwrap();
        assert_eq!(two.oldest_at, Timestamp::from_millis(5));
        assert_eq!(two.objects, 6);
    }

    #[test]
    fn the_same_lists_make_the_same_run_and_its_input_can_be_read() {
        let one = EventRun::of_waiting(vec![list(7, 1), list(5, 1)]).unwrap();
        let two = EventRun::of_waiting(vec![list(5, 1), list(7, 1)]).unwrap();
        let id = one.run_id(1).unwrap();
        assert_eq!(id, two.run_id(1).unwrap());
        assert_ne!(id, one.run_id(2).unwrap());
        assert_ne!(
            id,
            EventRun::of_waiting(vec![list(5, 1)])
                .unwrap()
                .run_id(1)
                .unwrap()
        );
        let control = BucketName::new("control").unwrap();
        let input = one.input(&id, &control, Mode::Copy).unwrap();
        let read = RunInput::parse(&input).unwrap();
        assert_eq!(read.mode, Some(Mode::Sync));
        assert_eq!(read.events, Some(one));
    }
}
