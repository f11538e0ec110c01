//! One run that has ended, and what was seen of it.

use std::{rc::Rc, sync::MutexGuard};

use serde_json::Value;
use shardlift_core::value::time::Timestamp;

use crate::{
    cloud::Cloud,
    history::{Change, RunLog, Seen, Who},
    story::Story,
};

/// One run that has ended.
pub(super) struct View<'a> {
    pub(super) cloud: &'a Rc<Cloud>,
    pub(super) seen: MutexGuard<'a, Seen>,
    pub(super) run: usize,
    pub(super) report: Value,
}

impl<'a> View<'a> {
    pub(super) fn of(cloud: &'a Rc<Cloud>, run: usize) -> Self {
        let body = cloud.control.body(&format!("runs/night-{run}/report.json"));
        let report = body.and_then(|body| serde_json::from_slice(&body).ok());
        Self {
            cloud,
            seen: cloud.chronicle().seen(),
            run,
            report: report.unwrap_or_default(),
        }
    }

    pub(super) fn log(&self) -> &RunLog {
        &self.seen.runs[self.run]
    }

    pub(super) fn story(&self) -> &Story {
        self.cloud.story()
    }

    /// Whether there is a report, and the run ended by itself.
    pub(super) fn has_report(&self) -> bool {
        self.report.is_object() && self.log().ending.is_some() && self.log().notices == 0
    }

    pub(super) fn verdict(&self) -> &str {
        self.report["verdict"].as_str().unwrap_or("none")
    }

    /// A number of the report, by its JSON pointer.
    pub(super) fn number(&self, pointer: &str) -> u64 {
        let value = self.report.pointer(pointer);
        value.and_then(Value::as_u64).unwrap_or_default()
    }

    pub(super) fn has_problem(&self) -> bool {
        self.report.get("problem").is_some_and(Value::is_object)
    }

    /// Whether the run was planned to its end and not a dry one.
    pub(super) fn is_settled(&self) -> bool {
        !self.has_problem() && !self.log().is_dry()
    }

    pub(super) fn asked(&self, field: &str, default: &'static str) -> &str {
        self.seen.asked_text(self.run, field, default)
    }

    pub(super) fn mode(&self) -> &str {
        self.asked("mode", "sync")
    }

    /// What the run makes of each object instead of a copy; null in a run of copies.
    pub(super) fn transform(&self) -> &Value {
        &self.seen.asked(self.run)["transform"]
    }

    /// The keys of the list that names the objects, if one does.
    pub(super) fn list(&self) -> Option<&[String]> {
        let asked = self.seen.asked(self.run);
        let key = asked.pointer("/source/list/key")?.as_str()?;
        let lists = &self.story().lists;
        let list = lists.iter().find(|(name, _)| name == key);
        list.map(|(_, keys)| keys.as_slice())
    }

    /// When the run, or the one that it goes back to, began.
    pub(super) fn origin_began_at(&self) -> Timestamp {
        self.origin().began_at
    }

    pub(super) fn origin(&self) -> &RunLog {
        let mut log = self.log();
        while let Some(earlier) = log.rerun_of() {
            match self.seen.runs.iter().find(|run| run.id == earlier) {
                Some(earlier) => log = earlier,
                None => break,
            }
        }
        log
    }

    /// When its origin was planned.
    pub(super) fn planned_at(&self) -> Timestamp {
        let planned_at = self.origin().planned_at;
        planned_at.unwrap_or(self.log().began_at)
    }

    pub(super) fn ended_at(&self) -> Timestamp {
        self.log().ended_at.unwrap_or_else(|| self.cloud.now())
    }

    /// From when on changes by others are not seen by the run: when it began to list the target for its proof, or else when
    /// it began.
    pub(super) fn blind_since(&self) -> Timestamp {
        let is_listed = self.report.pointer("/proof/method") == Some(&"listing".into());
        let listed_at = self.log().proof_began_at.filter(|_| is_listed);
        listed_at.unwrap_or_else(|| self.origin_began_at())
    }

    /// Whether a change is this run's own.
    pub(super) fn is_own(&self, change: &Change) -> bool {
        match change.who {
            Who::Invocation(number) => self.seen.invocations[number].run == self.run,
            Who::Before | Who::Other => false,
        }
    }

    /// Whether others changed this key of the target since then.
    pub(super) fn is_touched(&self, target_key: &str, since: Timestamp) -> bool {
        let changes = self.seen.target.changes(target_key);
        let is_by_others = |change: &&Change| change.at >= since && !self.is_own(change);
        changes
            .iter()
            .filter(|change| change.who != Who::Before)
            .any(|change| is_by_others(&change))
    }

    /// Whether others changed anything under the target prefix since then.
    pub(super) fn is_any_touched(&self, since: Timestamp) -> bool {
        let prefix = &self.seen.ground.target_prefix;
        let mut keys = self.seen.target.keys();
        keys.any(|key| key.starts_with(prefix) && self.is_touched(key, since))
    }

    pub(super) fn source_key(&self, relative: &str) -> String {
        format!("{}{relative}", self.seen.ground.source_prefix)
    }

    pub(super) fn target_key(&self, relative: &str) -> String {
        format!("{}{relative}", self.seen.ground.target_prefix)
    }

    /// The relative keys that ever stood under a prefix and that the globs admit.
    pub(super) fn relatives(&self, is_source: bool) -> Vec<String> {
        let ground = &self.seen.ground;
        let (timeline, prefix) = if is_source {
            (&self.seen.source, &ground.source_prefix)
        } else {
            (&self.seen.target, &ground.target_prefix)
        };
        let relatives = timeline
            .keys()
            .filter_map(|key| key.strip_prefix(&**prefix));
        relatives
            .filter(|relative| !relative.is_empty() && ground.admits(relative))
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn fits(&self, relative: &str) -> bool {
        self.target_key(relative).len() <= 1_024
    }
}
