//! Decides what happens to each call of each environment, and does what others do meanwhile.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use shardlift_core::{failure::fault::FaultKind, port::Clock, value::key::ObjectKey};
use shardlift_testkit::{CallEnd, CallFate, CallWeather, MemoryBuckets};
use tokio::sync::Notify;

use super::{
    clock::VirtualClock,
    trouble::{plain, trouble},
};
use crate::{
    dice::Dice,
    history::{Chronicle, Function},
    story::{Climate, Deed, Event, Ground, SOURCE, TARGET},
};

/// What all environments have in common.
pub(super) struct Sky {
    pub(super) dice: Dice,
    pub(super) climate: Climate,
    pub(super) is_calm: AtomicBool,
    pub(super) suppressed: HashSet<u64>,
    pub(super) chronicle: Chronicle,
    pub(super) buckets: MemoryBuckets,
    pub(super) clock: VirtualClock,
    pub(super) ground: Ground,
    pub(super) events: Vec<Event>,
    /// Stops the execution of each run.
    pub(super) stops: Vec<Arc<Notify>>,
}

impl Sky {
    /// The climate at this time.
    pub(super) fn climate(&self) -> Climate {
        if self.is_calm.load(Ordering::Relaxed) {
            Climate::default()
        } else {
            self.climate
        }
    }

    /// Notes a disturbance, unless it is taken out of the story; whether it happens.
    pub(super) fn fires(&self, id: u64, run: Option<usize>, text: impl FnOnce() -> String) -> bool {
        if self.suppressed.contains(&id) {
            return false;
        }
        self.chronicle.seen().fire(id, run, text());
        true
    }

    /// The same for what a run must bear without a trace in its report.
    pub(super) fn fires_harmless(&self, id: u64, text: impl FnOnce() -> String) -> bool {
        let is_told = !self.suppressed.contains(&id);
        if is_told {
            self.chronicle.seen().fire_harmless(id, text());
        }
        is_told
    }

    /// What others do at this call of a run.
    fn do_deeds(&self, run: usize, call: u64) {
        for (number, event) in self.events.iter().enumerate() {
            if (event.run, event.call) == (run, call) {
                let id = self.dice.id("event", number as u64);
                let name = |deed: &Deed| format!("call {call} of run {run}: {deed:?}");
                if self.fires(id, None, || name(&event.deed)) {
                    self.do_deed(run, &event.deed);
                }
            }
        }
    }

    fn do_deed(&self, run: usize, deed: &Deed) {
        let now = self.clock.now();
        let (bucket, prefix, relative) = match deed {
            Deed::PutSource { relative, .. } | Deed::RemoveSource(relative) => {
                (SOURCE, &self.ground.source_prefix, relative)
            }
            Deed::PutTarget { relative, .. } | Deed::RemoveTarget(relative) => {
                (TARGET, &self.ground.target_prefix, relative)
            }
            Deed::Stop => {
                if self.chronicle.seen().runs[run].is_running() {
                    self.stops[run].notify_one();
                }
                return;
            }
        };
        let key = format!("{prefix}{relative}");
        match deed {
            Deed::PutSource {
                content,
                size_bytes,
                ..
            }
            | Deed::PutTarget {
                content,
                size_bytes,
                ..
            } => self.buckets.put(bucket, &key, content, *size_bytes),
            _ => self.buckets.remove(bucket, &key),
        }
        let name = ObjectKey::new(&*key).expect("the story's keys are keys");
        let object = self.buckets.objects(bucket).remove(&name);
        let mut seen = self.chronicle.seen();
        seen.changed_by_other(now, bucket == SOURCE, &key, object);
    }
}

/// What the process of an invocation meets at one of its calls.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blow {
    /// It is killed there, before or after the effect.
    Kill { call: u64, takes_effect: bool },
    /// The call takes so long.
    Freeze { call: u64, time: Duration },
}

/// The invocation that an environment works on.
#[derive(Debug, Clone)]
pub(super) struct Present {
    pub(super) number: usize,
    pub(super) run: usize,
    pub(super) function: Function,
    /// Names the invocation, whatever happened before it.
    pub(super) name: String,
    pub(super) calls: u64,
    pub(super) blow: Option<Blow>,
}

/// The sky over one environment.
pub(super) struct EnvironmentSky {
    pub(super) sky: Arc<Sky>,
    present: Mutex<Option<Present>>,
}

impl EnvironmentSky {
    pub(super) fn new(sky: Arc<Sky>) -> Self {
        Self {
            sky,
            present: Mutex::default(),
        }
    }

    pub(super) fn present(&self) -> MutexGuard<'_, Option<Present>> {
        self.present
            .lock()
            .expect("nothing panics while it holds it")
    }

    /// The fate of a call of this invocation.
    fn decide(&self, present: &Present, operation: &'static str) -> CallFate {
        let sky = &self.sky;
        let (call, run) = (present.calls, present.run);
        let id = sky.dice.id(&present.name, call);
        let mut rng = fastrand::Rng::with_seed(id);
        match present.blow {
            Some(Blow::Kill {
                call: at,
                takes_effect,
            }) if at == call => {
                let after = if takes_effect { "after" } else { "before" };
                let name = || format!("{}: killed {after} call {call}, {operation}", present.name);
                if sky.fires(sky.dice.id(&present.name, u64::MAX), Some(run), name) {
                    return CallFate {
                        takes_effect,
                        end: CallEnd::Killed,
                        ..plain(&mut rng)
                    };
                }
            }
            Some(Blow::Freeze { call: at, time }) if at == call => {
                sky.chronicle.seen().invocations[present.number].is_disturbed = true;
                return CallFate {
                    before: time,
                    ..plain(&mut rng)
                };
            }
            _ => {}
        }
        if let Some(fate) = trouble(operation, &sky.climate(), &mut rng) {
            let name = || {
                let effect = if fate.takes_effect {
                    "after"
                } else {
                    "without"
                };
                let slow = fate.before.max(fate.after);
                format!(
                    "{}: call {call}, {operation}: {:?} {effect} its effect, {slow:?}",
                    present.name, fate.end
                )
            };
            if sky.fires(id, Some(run), name) {
                sky.chronicle.seen().invocations[present.number].is_disturbed = true;
                return fate;
            }
        }
        plain(&mut rng)
    }
}

impl CallWeather for EnvironmentSky {
    fn fate(&self, operation: &'static str) -> CallFate {
        let mut guard = self.present();
        let present = guard.as_mut().expect("a call is made by an invocation");
        let (run, now) = (present.run, self.sky.clock.now());
        let call_of_run = {
            let mut seen = self.sky.chronicle.seen();
            let log = &mut seen.runs[run];
            log.calls += 1;
            let is_proof =
                present.function == Function::Reporter && operation == "s3:ListObjectsV2";
            if is_proof && log.proof_began_at.is_none() {
                log.proof_began_at = Some(now);
            }
            log.calls
        };
        self.sky.do_deeds(run, call_of_run);
        let fate = self.decide(present, operation);
        let line = format!(
            "{} {} {operation} {:?}",
            present.name, present.calls, fate.end
        );
        self.sky.chronicle.seen().happened(now, &line);
        present.calls += 1;
        fate
    }

    fn after_effect(&self, operation: &'static str, fault: Option<FaultKind>) {
        let guard = self.present();
        let present = guard.as_ref().expect("a call is made by an invocation");
        let now = self.sky.clock.now();
        let mut seen = self.sky.chronicle.seen();
        if fault.is_none() && operation == "sns:Publish" {
            seen.runs[present.run].published += 1;
        }
        if let Some(kind) = fault {
            seen.happened(
                now,
                &format!("{} {operation} refused: {kind:?}", present.name),
            );
        }
        seen.look(&self.sky.buckets, operation, present.number, now);
    }
}
