//! All that was seen, and what was found wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::Value;
use shardlift_core::value::{key::ObjectKey, time::Timestamp};
use shardlift_testkit::StoredObject;

use super::{
    runs::{Function, Invocation, RunLog},
    timeline::{Change, Timeline, Who},
};
use crate::{dice::Fingerprint, story::Ground};

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise of docs/SEMANTICS.md, or what else must hold.
    pub promise: &'static str,
    /// The run.
    pub run: String,
    /// What was seen.
    pub text: String,
}

/// A disturbance that came to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// What stands for the decision: taken out, it does not happen.
    pub id: u64,
    /// What happened.
    pub text: String,
}

pub(super) type Objects = BTreeMap<ObjectKey, StoredObject>;

/// All that was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The pair.
    pub ground: Ground,
    /// The versions of the source.
    pub source: Timeline,
    /// The versions of the target.
    pub target: Timeline,
    /// The runs.
    pub runs: Vec<RunLog>,
    /// The invocations.
    pub invocations: Vec<Invocation>,
    /// What was found wrong.
    pub violations: Vec<Violation>,
    /// What disturbed.
    pub fired: Vec<Fired>,
    /// The runs that opened uploads, by the upload's id.
    pub uploads: BTreeMap<String, usize>,
    /// A line for each thing that happened, if they are kept.
    pub tale: Option<Vec<String>>,
    pub(super) source_now: Objects,
    pub(super) target_now: Objects,
    fingerprint: Fingerprint,
}

impl Seen {
    /// Notes that something happened: it becomes a part of what two plays of one seed must have in common.
    pub fn happened(&mut self, at: Timestamp, text: &str) {
        self.fingerprint.add(&at.as_millis().to_le_bytes());
        self.fingerprint.add(text.as_bytes());
        if let Some(tale) = &mut self.tale {
            tale.push(format!("{:>9} ms  {text}", at.as_millis() % 100_000_000));
        }
    }

    /// What stands for all that happened.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.fingerprint.value()
    }

    /// Notes a violation.
    pub fn violated(&mut self, promise: &'static str, run: usize, text: impl Into<String>) {
        let run = self
            .runs
            .get(run)
            .map_or_else(String::new, |run| run.id.clone());
        let violation = Violation {
            promise,
            run,
            text: text.into(),
        };
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    /// A disturbance came to pass, in this run or in all that are under way.
    pub fn fire(&mut self, id: u64, run: Option<usize>, text: String) {
        let numbers = run.map_or(0..self.runs.len(), |run| run..run + 1);
        for log in &mut self.runs[numbers] {
            log.is_disturbed |= log.is_running();
        }
        self.fired.push(Fired { id, text });
    }

    /// Something happened that a run must bear without a trace in its report, such as little time.
    pub fn fire_harmless(&mut self, id: u64, text: String) {
        self.fired.push(Fired { id, text });
    }

    /// The input of a run, or of the run that it goes back to.
    #[must_use]
    pub fn asked(&self, run: usize) -> &Value {
        let mut run = &self.runs[run];
        while let Some(earlier) = run
            .rerun_of()
            .and_then(|id| self.runs.iter().find(|run| run.id == id))
        {
            run = earlier;
        }
        &run.input
    }

    /// A text of the input of a run, or of the run that it goes back to.
    #[must_use]
    pub fn asked_text<'a>(&'a self, run: usize, field: &str, default: &'a str) -> &'a str {
        let asked = self.asked(run).get(field);
        asked.and_then(Value::as_str).unwrap_or(default)
    }

    /// Somebody else changed an object.
    pub fn changed_by_other(
        &mut self,
        at: Timestamp,
        is_source: bool,
        key: &str,
        object: Option<StoredObject>,
    ) {
        let (timeline, now) = if is_source {
            (&mut self.source, &mut self.source_now)
        } else {
            (&mut self.target, &mut self.target_now)
        };
        let name = ObjectKey::new(key).expect("the story's keys are keys");
        let version = object.clone().map(Arc::new);
        match object {
            Some(object) => now.insert(name, object),
            None => now.remove(&name),
        };
        let who = Who::Other;
        timeline.note(key, Change { at, who, version });
    }

    /// What stands on both sides before the story.
    pub fn begin(&mut self, at: Timestamp, source: Objects, target: Objects) {
        for (timeline, objects) in [(&mut self.source, &source), (&mut self.target, &target)] {
            for (key, object) in objects {
                let change = Change {
                    at,
                    who: Who::Before,
                    version: Some(Arc::new(object.clone())),
                };
                timeline.note(key.as_str(), change);
            }
        }
        (self.source_now, self.target_now) = (source, target);
    }

    /// An invocation begins; its number.
    pub fn invoked(&mut self, run: usize, function: Function, at: Timestamp) -> usize {
        let interval = self.runs[run].intervals;
        self.invocations.push(Invocation {
            run,
            function,
            began_at: at,
            ended_at: None,
            error: None,
            is_ghost: false,
            is_disturbed: false,
            interval,
        });
        self.invocations.len() - 1
    }
}

/// All that was seen, shared by everything that sees.
#[derive(Debug, Clone, Default)]
pub struct Chronicle(Arc<Mutex<Seen>>);

impl Chronicle {
    /// What was seen so far.
    ///
    /// # Panics
    /// When something panicked while it held it.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0
            .lock()
            .expect("nothing panics while it holds the chronicle")
    }
}
