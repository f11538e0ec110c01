//! Judges each effect when it is seen: who may write what, where, and when.

use std::sync::Arc;

use shardlift_core::value::{key::ObjectKey, time::Timestamp};
use shardlift_testkit::{MemoryBuckets, StoredObject};

use super::{
    chronicle::{Objects, Seen},
    timeline::{Change, Who},
};
use crate::{
    pictures::arrival,
    story::{SOURCE, TARGET},
};

/// Operations that write at the target.
const WRITES: [&str; 7] = [
    "s3:CopyObject",
    "s3:PutObject",
    "s3:CompleteMultipartUpload",
    "s3:DeleteObject",
    "s3:PutObjectTagging",
    "s3:CreateMultipartUpload",
    "s3:UploadPartCopy",
];

impl Seen {
    /// Looks at both sides after a call of an invocation had its effect.
    pub fn look(
        &mut self,
        buckets: &MemoryBuckets,
        operation: &str,
        invocation: usize,
        at: Timestamp,
    ) {
        if !WRITES.contains(&operation) {
            return;
        }
        let run = self.invocations[invocation].run;
        if operation == "s3:CreateMultipartUpload" {
            for (id, key) in buckets.open_uploads() {
                if !self.uploads.contains_key(id.as_str()) {
                    self.uploads.insert(id.to_string(), run);
                    self.check_place(run, key.as_str());
                }
            }
            return;
        }
        if operation == "s3:UploadPartCopy" {
            return;
        }
        if buckets.objects(SOURCE) != self.source_now {
            self.violated("P3", run, format!("{operation} changed the source"));
            self.source_now = buckets.objects(SOURCE);
        }
        let target = buckets.objects(TARGET);
        for (key, before, after) in differences(&self.target_now, &target) {
            let change = Change {
                at,
                who: Who::Invocation(invocation),
                version: after.clone().map(Arc::new),
            };
            self.judge_change(&key, before.as_ref(), after.as_ref(), &change);
            self.target.note(&key, change);
        }
        self.target_now = target;
    }

    fn check_place(&mut self, run: usize, key: &str) {
        if !key.starts_with(&self.ground.target_prefix) {
            self.violated("P2", run, format!("{key:?} is outside the target prefix"));
        }
    }

    fn judge_change(
        &mut self,
        key: &str,
        before: Option<&StoredObject>,
        after: Option<&StoredObject>,
        change: &Change,
    ) {
        let Who::Invocation(invocation) = change.who else {
            return;
        };
        let run = self.invocations[invocation].run;
        self.check_place(run, key);
        let mode = self.asked_text(run, "mode", "sync").to_owned();
        if mode == "audit" || self.runs[run].is_dry() {
            self.violated("P2", run, format!("{mode} wrote {key:?}"));
        }
        if self.runs[run].planned_at.is_none() {
            self.violated("P11", run, format!("{key:?} was written before the plan"));
        }
        self.check_alone(run, invocation, key);
        let Some(relative) = key.strip_prefix(&self.ground.target_prefix) else {
            return;
        };
        let relative = relative.to_owned();
        match after {
            Some(after) => {
                self.check_once(run, invocation, key);
                self.judge_write(run, &relative, after, change.at);
            }
            None => self.judge_deletion(run, invocation, &relative, before, change.at),
        }
    }

    /// Of two runs that are under way, one writes.
    fn check_alone(&mut self, run: usize, invocation: usize, key: &str) {
        // What an execution began before it was stopped may go on for 15 minutes.
        let is_present = self.invocations[invocation].interval == self.runs[run].intervals
            && self.runs[run].is_running();
        if !is_present {
            return;
        }
        self.runs[run].is_writing = true;
        let others = self.runs.iter().enumerate();
        let mut others = others.filter(|(number, other)| {
            *number != run && other.is_running() && other.is_writing && other.published == 0
        });
        if let Some((_, other)) = others.next() {
            let text = format!("{key:?} was written while {} writes, too", other.id);
            self.violated("one run at a time", run, text);
        }
    }

    /// What an invocation settled and recorded is not copied again (P5).
    fn check_once(&mut self, run: usize, invocation: usize, key: &str) {
        let changes = self.target.changes(key);
        let Some(Who::Invocation(before)) = changes.last().map(|change| change.who) else {
            return;
        };
        let (first, now) = (&self.invocations[before], &self.invocations[invocation]);
        let is_recorded = first
            .ended_at
            .is_some_and(|ended_at| ended_at <= now.began_at)
            && first.error.is_none()
            && !first.is_ghost
            && !first.is_disturbed;
        if first.run == run && before != invocation && is_recorded {
            let text = format!("{key:?} was copied, recorded, and copied again");
            self.violated("P5", run, text);
        }
    }

    /// What is written is a version of the source that the run may copy (P1, P7).
    fn judge_write(&mut self, run: usize, relative: &str, after: &StoredObject, at: Timestamp) {
        let log = &self.runs[run];
        let source_key = format!("{}{relative}", self.ground.source_prefix);
        let on_change = self.asked_text(run, "on_change", "copy_newer");
        // A run that goes back to another one plans anew, too.
        let until = match (on_change, log.planned_at) {
            ("fail", Some(planned_at)) => planned_at,
            _ => at,
        };
        let versions = self.source.between(&source_key, log.began_at, until);
        let transform = &self.asked(run)["transform"];
        let mut versions = versions.iter().flatten();
        let is_of_source = versions.any(|version| arrival(transform, version).is(after));
        if !is_of_source {
            let text = format!(
                "{relative:?} was written with {:?}, which the source had at no time that counts",
                after.content
            );
            self.violated("P1/P7", run, text);
        }
        if !self.ground.admits(relative) {
            self.violated(
                "filters",
                run,
                format!("{relative:?} is excluded and was written"),
            );
        }
    }

    fn judge_deletion(
        &mut self,
        run: usize,
        invocation: usize,
        relative: &str,
        before: Option<&StoredObject>,
        at: Timestamp,
    ) {
        if self.asked_text(run, "mode", "sync") != "mirror" {
            self.violated("deletions", run, format!("{relative:?} was deleted"));
        }
        let source_key = format!("{}{relative}", self.ground.source_prefix);
        let since = self.invocations[invocation].began_at;
        let stood = self.source.between(&source_key, since, at);
        if stood.iter().all(Option::is_some) {
            let text = format!("{relative:?} was deleted, and the source has it again");
            self.violated("deletions", run, text);
        }
        let target_key = format!("{}{relative}", self.ground.target_prefix);
        let put_at = self.target.changes(&target_key).last();
        let put_at = put_at.map(|change| change.at);
        if put_at > self.runs[run].planned_at && before.is_some() {
            let text = format!("{relative:?} was deleted, and written after the plan");
            self.violated("deletions", run, text);
        }
        if !self.ground.admits(relative) {
            let text = format!("{relative:?} is excluded and was deleted");
            self.violated("deletions", run, text);
        }
        self.runs[run].deleted += 1;
        self.check_limit(run);
    }

    fn check_limit(&mut self, run: usize) {
        let log = &self.runs[run];
        let (Some(planned_at), None) = (log.planned_at, log.rerun_of()) else {
            return;
        };
        let number =
            |field: &str, default: u64| log.input[field].as_u64().map_or(default, |number| number);
        let (percent, least) = (
            number("delete_max_percent", 5),
            number("delete_max_objects", 10),
        );
        let prefix = &self.ground.target_prefix;
        // As many as stood there at any time of the plan.
        let deletable = self.target.keys().filter(|key| {
            let relative = key.strip_prefix(prefix.as_str());
            let stood = self.target.between(key, log.began_at, planned_at);
            relative.is_some_and(|relative| self.ground.admits(relative))
                && stood.iter().any(Option::is_some)
        });
        let limit = least.max(percent * deletable.count() as u64 / 100);
        if log.deleted > limit {
            let text = format!("{} objects were deleted, {limit} may be", log.deleted);
            self.violated("deletions", run, text);
        }
    }
}

type Difference = (String, Option<StoredObject>, Option<StoredObject>);

fn differences(before: &Objects, after: &Objects) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let mut note = |key: &ObjectKey, was: Option<&StoredObject>, is: Option<&StoredObject>| {
        found.push((key.to_string(), was.cloned(), is.cloned()));
    };
    for (key, object) in after {
        let was = before.get(key);
        if was != Some(object) {
            note(key, was, Some(object));
        }
    }
    for (key, object) in before {
        if !after.contains_key(key) {
            note(key, Some(object), None);
        }
    }
    found
}
