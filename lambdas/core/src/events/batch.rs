//! Many events become one list of keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    digest::digest_of,
    message::{EventKind, SourceEvent},
    waiting::WaitingName,
};
use crate::{
    failure::Failure,
    run::{filter::ObjectFilter, option::Mode},
    value::{
        key::{KeyPrefix, ObjectKey},
        time::{Timestamp, rfc3339},
    },
};

/// Which events concern a pair.
#[derive(Debug)]
pub struct EventRules {
    /// The prefix of the source.
    pub prefix: KeyPrefix,
    /// Which objects take part.
    pub filter: ObjectFilter,
    /// What its runs do.
    pub mode: Mode,
}

impl EventRules {
    /// Whether the event may change something at the target. Sizes and times are the plan's to look at: those of the object
    /// that stands there then decide. A key with a NUL is left to the nightly run, since it is a wrong line of any list.
    #[must_use]
    pub fn concern(&self, event: &SourceEvent) -> bool {
        if event.key.as_str().contains('\0') {
            return false;
        }
        let relative = event.key.relative_to(&self.prefix);
        let is_kept = event.kind == EventKind::Deleted && self.mode != Mode::Mirror;
        !is_kept && relative.is_some_and(|relative| self.filter.admits_key(relative))
    }
}

/// One line of the list: the key, and what else is worth knowing of it. A list is read by its `key` alone.
#[derive(Debug, Serialize, Deserialize)]
struct EventLine {
    key: ObjectKey,
    sequencer: String,
    deleted: bool,
    #[serde(with = "rfc3339")]
    event_time: Timestamp,
    #[serde(with = "rfc3339")]
    first_event_time: Timestamp,
}

/// The keys of many events, each once, with the last event of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EventBatch {
    /// By key: its last event, and when its first one was.
    keys: BTreeMap<ObjectKey, (SourceEvent, Timestamp)>,
}

impl EventBatch {
    /// Adds an event. The order in which events are added does not matter, nor how often one is.
    pub fn add(&mut self, event: SourceEvent) {
        let first = event.at;
        self.add_since(event, first);
    }

    fn add_since(&mut self, event: SourceEvent, since: Timestamp) {
        let found = self.keys.entry(event.key.clone());
        let (last, first) = found.or_insert_with(|| (event.clone(), since));
        *first = since.min(*first);
        if event.is_after(last) {
            *last = event;
        }
    }

    /// How many keys there are.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// When the first event of any of the keys was.
    #[must_use]
    pub fn oldest_at(&self) -> Option<Timestamp> {
        self.keys.values().map(|(_, first)| *first).min()
    }

    /// The list, a JSON object a line in the order of the keys, and its name. Equal events make the same list under the same
    /// name, however often and in whatever order they arrived.
    ///
    /// # Errors
    /// Never for keys that were read.
    pub fn written(&self) -> Result<(WaitingName, Vec<u8>), Failure> {
        let mut body = Vec::new();
        for (event, first) in self.keys.values() {
            let line = EventLine {
                key: event.key.clone(),
                sequencer: event.sequencer.clone(),
                deleted: event.kind == EventKind::Deleted,
                event_time: event.at,
                first_event_time: *first,
            };
            serde_json::to_writer(&mut body, &line)
                .map_err(|error| Failure::invariant(format!("a list of events: {error}")))?;
            body.push(b'\n');
        }
        let oldest_at = self.oldest_at().unwrap_or_default();
        let name = WaitingName::new(oldest_at, self.objects(), &digest_of(&body));
        Ok((name, body))
    }

    /// Adds the events of a list that was written.
    ///
    /// # Errors
    /// When it is none.
    pub fn add_list(&mut self, body: &[u8]) -> Result<(), String> {
        let lines = body.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let line: EventLine =
                serde_json::from_slice(line).map_err(|error| error.to_string())?;
            let kind = if line.deleted {
                EventKind::Deleted
            } else {
                EventKind::Created
            };
            let event = SourceEvent {
                key: line.key,
                kind,
                sequencer: line.sequencer,
                at: line.event_time,
            };
            self.add_since(event, line.first_event_time);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::run::{filter::Filters, input::FilterInput};

    fn event(key: &str, kind: EventKind, number: i64) -> SourceEvent {
        SourceEvent {
            key: ObjectKey::new(key).unwrap(),
            kind,
            sequencer: format!("{number:04X}"),
            at: Timestamp::from_millis(number * 1_000),
        }
    }

    fn batch(events: &[SourceEvent]) -> EventBatch {
        let mut batch = EventBatch::default();
        events.iter().cloned().for_each(|event| batch.add(event));
        batch
    }

    #[test]
    fn only_what_may_change_the_target_concerns_a_pair() {
        let rules = |mode| EventRules {
            prefix: KeyPrefix::new("data/").unwrap(),
            filter: Filters::settle(FilterInput {
                exclude: Some(vec!["**.tmp".to_owned()]),
                ..FilterInput::default()
            })
            .and_then(|filters| filters.compile())
            .unwrap(),
            mode,
        };
        let (created, deleted) = (EventKind::Created, EventKind::Deleted);
        assert!(rules(Mode::Sync).concern(&event("data/a", created, 1)));
        assert!(!rules(Mode::Sync).concern(&event("data/a", deleted, 1)));
        assert!(rules(Mode::Mirror).concern(&event("data/a", deleted, 1)));
        assert!(!rules(Mode::Mirror).concern(&event("data/a.tmp", created, 1)));
        assert!(!rules(Mode::Mirror).concern(&event("other/a", created, 1)));
        assert!(!rules(Mode::Mirror).concern(&event("data/nul\0", created, 1)));
    }

    #[test]
    fn the_last_event_of_a_key_counts_and_the_first_one_tells_how_long_it_waits() {
        let events = [
            event("a", EventKind::Created, 5),
            event("a", EventKind::Deleted, 7),
            event("a", EventKind::Created, 6),
        ];
        let batch = batch(&events);
        assert_eq!(batch.objects(), 1);
        assert_eq!(batch.oldest_at(), Some(Timestamp::from_millis(5_000)));
        let (_, body) = batch.written().unwrap();
        let line = String::from_utf8(body).unwrap();
        assert!(line.contains(r#""deleted":true"#) && line.contains(r#""sequencer":"0007""#));
    }

    fn some_events() -> impl Strategy<Value = Vec<SourceEvent>> {
        let one = ("[ab%+ \n\u{fc}/]{1,3}", any::<bool>(), 0_i64..20);
        let one = one.prop_map(|(key, is_deleted, number)| {
            let kind = if is_deleted {
                EventKind::Deleted
            } else {
                EventKind::Created
            };
            event(&key, kind, number)
        });
        prop::collection::vec(one, 1..30)
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            events in some_events(),
            seed in any::<u64>(),
        ) {
            let once = batch(&events);
            let mut again = events.clone();
            again.extend(events.iter().cloned());
            let mut random = seed;
            for place in (1..again.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                again.swap(place, usize::try_from(random >> 33).unwrap() % (place + 1));
            }
            prop_assert_eq!(once.written().unwrap(), batch(&again).written().unwrap());
        }

        #[test]
        fn what_is_written_is_read_again(events in some_events()) {
            let written = batch(&events);
            let (_, body) = written.written().unwrap();
            let mut read = EventBatch::default();
            read.add_list(&body).unwrap();
            prop_assert_eq!(&read, &written);
            prop_assert_eq!(body.iter().filter(|byte| **byte == b'\n').count() as u64, written.objects());
        }

        #[test]
        fn a_list_of_parts_is_the_list_of_all(events in some_events(), cut in 0_usize..30) {
            let (one, two) = events.split_at(cut.min(events.len()));
            let mut merged = EventBatch::default();
            for part in [one, two] {
                merged.add_list(&batch(part).written().unwrap().1).unwrap();
            }
            prop_assert_eq!(merged, batch(&events));
        }
    }
}
