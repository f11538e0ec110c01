//! One batch of messages.

use std::time::Duration;

use shardlift_aws::telemetry::{
    field,
    metrics::{MetricLine, Unit},
};
use shardlift_core::{
    events::{EventBatch, EventRules, EventRun, HELD_KEY, Message, WaitingList, WaitingName},
    failure::{Context, Failure},
    port::{Clock, ControlStore, EventLists, RunStarts, StartOutcome, StoredEventList},
    run::lock::LockedPrefix,
    value::{bucket::BucketName, id::RunId, printable::Printable},
};

use crate::{
    pair_lock::{PairLock, Taken},
    payload::{BatchReply, FailedItem, QueueBatch},
    ports::Ports,
};

/// How long no run is started after one of events broke for a reason of its own. What made it break rarely ends within a
/// minute, and each broken run notifies.
pub const HELD_FOR: Duration = Duration::from_secs(10 * 60);
const JSON_LINES: &str = "application/x-ndjson";
/// The most runs over the same lists. Each of those before broke, or lost the pair to another run.
const ATTEMPTS_MAX: u32 = 1_000;

/// How often what waits is looked at again at most, because it was gone when the lock was held.
const LOOKS_MAX: u32 = 10;

/// What came of a look at what waits.
#[derive(Debug, PartialEq, Eq)]
enum Looked {
    /// A run is started, or nothing is to be started now.
    Done,
    /// What waited was done with. While this held the lock, more may have come, which then saw the lock and left it at that.
    Outdated,
}

/// The intake over its ports.
pub struct Intake<P: Ports> {
    /// The ledger.
    pub ledger: P::Ledger,
    /// The control bucket.
    pub control: P::Control,
    /// The executions behind locks.
    pub executions: P::Executions,
    /// Starts runs.
    pub starts: P::Starts,
    /// The clock.
    pub clock: P::Clock,
    /// The source bucket.
    pub source: BucketName,
    /// Which events concern the pair.
    pub rules: EventRules,
    /// What its runs write.
    pub locked: LockedPrefix,
    /// The name of the state machine, of which the metrics are.
    pub machine: String,
}

/// What a batch of messages says.
#[derive(Default)]
struct ReadBatch {
    events: EventBatch,
    received: u64,
    left_out: u64,
    wakes: bool,
    unreadable: Vec<FailedItem>,
}

impl<P: Ports> Intake<P> {
    /// Takes a batch. It may arrive twice, and so may each message of it.
    ///
    /// # Errors
    /// When a list cannot be written, or a run cannot be started: then all messages come again, and end as dead letters if
    /// that does not help.
    pub async fn take(&self, batch: QueueBatch) -> Result<BatchReply, Failure> {
        let read = self.read(batch);
        // A list is written before the lock is looked at: from here on the messages are not needed any more.
        if !read.events.is_empty() {
            let (name, body) = read.events.written()?;
            let written = self.control.put(&name.key(), JSON_LINES, body).await;
            written.context("writing a list of events")?;
        }
        if !read.events.is_empty() || read.wakes {
            self.start_what_waits().await?;
        }
        self.note(&read);
        Ok(BatchReply {
            failures: read.unreadable,
        })
    }

    fn read(&self, batch: QueueBatch) -> ReadBatch {
        let mut read = ReadBatch::default();
        for message in batch.records {
            match Message::read(&message.body, &self.source) {
                Ok(Message::Wake) => read.wakes = true,
                Ok(Message::Events(events)) => {
                    for event in events {
                        read.received += 1;
                        if self.rules.concern(&event) {
                            read.events.add(event);
                        } else {
                            read.left_out += 1;
                        }
                    }
                }
                Err(problem) => {
                    tracing::error!(
                        message.id = message.id,
                        { field::ERROR_DETAIL } = %Printable(&problem),
                        "a message cannot be read; it comes again, and then goes to the dead letters"
                    );
                    read.unreadable.push(FailedItem { id: message.id });
                }
            }
        }
        read
    }

    /// Starts a run over the lists that wait, unless there is none, another run holds the pair, or the last one broke just
    /// now. In each of these cases they go on waiting: the end of a run and the clock send messages, too.
    async fn start_what_waits(&self) -> Result<(), Failure> {
        for _ in 0..LOOKS_MAX {
            if self.look().await? == Looked::Done {
                break;
            }
        }
        Ok(())
    }

    /// One look at what waits.
    async fn look(&self) -> Result<Looked, Failure> {
        let stored = self.control.waiting().await;
        let stored = stored.context("listing the events that wait")?;
        let waiting: Vec<WaitingList> = stored.iter().filter_map(waiting_list).collect();
        self.note_waiting(&waiting);
        let Some(run) = EventRun::of_waiting(waiting) else {
            return Ok(Looked::Done);
        };
        if self.is_held(&stored) {
            tracing::info!("a run of events broke just now; its lists wait for the next try");
            return Ok(Looked::Done);
        }
        let lock = PairLock {
            ledger: &self.ledger,
            executions: &self.executions,
            locked: &self.locked,
        };
        for attempt in 1..=ATTEMPTS_MAX {
            let run_id = run.run_id(attempt).map_err(invariant)?;
            let execution = self.starts.execution_arn(&run_id);
            let held = match lock.take(&run_id, &execution).await? {
                Taken::Held(held) => held,
                Taken::Busy(holder) => {
                    tracing::info!(lock.holder = %holder, "the events wait until this execution ends");
                    return Ok(Looked::Done);
                }
            };
            match self.start(&run, &run_id).await? {
                Some(StartOutcome::Started) => {
                    tracing::info!(
                        { field::RUN_ID } = %run_id,
                        { field::OBJECTS } = run.objects,
                        "started a run of events"
                    );
                    return Ok(Looked::Done);
                }
                None => {
                    lock.give_up(&held).await?;
                    return Ok(Looked::Outdated);
                }
                Some(StartOutcome::NameTaken) => {}
            }
            let has_succeeded = self.starts.has_succeeded(&execution).await;
            if has_succeeded.context("looking at an earlier run of the same events")? {
                // It did all of this: the messages came again.
                for name in &run.lists {
                    let removed = self.control.remove_waiting(&name.key()).await;
                    removed.context("removing a list of events that a run has copied")?;
                }
                lock.give_up(&held).await?;
                return Ok(Looked::Outdated);
            }
        }
        Err(Failure::invariant(format!(
            "{ATTEMPTS_MAX} runs over the same events broke; see their reports"
        )))
    }

    /// Starts the run; nothing where none of its lists is left.
    async fn start(&self, run: &EventRun, run_id: &RunId) -> Result<Option<StartOutcome>, Failure> {
        if !self.merge(run, run_id).await? {
            return Ok(None);
        }
        let input = run
            .input(run_id, self.control.bucket(), self.rules.mode)
            .map_err(invariant)?;
        let started = self.starts.start(run_id, &input.to_string()).await;
        started.context("starting a run of events").map(Some)
    }

    /// Writes one list of several: each key once. A list that is alone stays as it is. The answer is no where a run that ended
    /// since they were listed has done with all of them: under the lock nobody else removes any.
    async fn merge(&self, run: &EventRun, run_id: &RunId) -> Result<bool, Failure> {
        let mut merged = EventBatch::default();
        for name in &run.lists {
            let body = self.control.get(&name.key()).await;
            // One that is gone was done with by the run that ended a moment ago.
            let body = body.context("reading the events that wait")?;
            let added = merged.add_list(&body.unwrap_or_default());
            added.map_err(|problem| {
                Failure::invariant(format!("{} is no list of events: {problem}", name.key()))
            })?;
        }
        if merged.is_empty() || run.lists.len() == 1 {
            return Ok(!merged.is_empty());
        }
        let (_, body) = merged.written()?;
        let key = run.list_key(run_id);
        let written = self.control.put(&key, JSON_LINES, body).await;
        written.context("writing the list of a run")?;
        Ok(true)
    }

    fn is_held(&self, stored: &[StoredEventList]) -> bool {
        let mark = stored.iter().find(|object| object.key == HELD_KEY);
        mark.is_some_and(|mark| self.clock.now().since(mark.written_at) < HELD_FOR)
    }

    fn note(&self, read: &ReadBatch) {
        tracing::info!(
            events.received = read.received,
            events.left_out = read.left_out,
            { field::OBJECTS } = read.events.objects(),
            "events taken"
        );
        let line = self
            .metrics()
            .with("EventsReceived", Unit::Count, read.received)
            .with("EventsLeftOut", Unit::Count, read.left_out);
        emit(&line);
    }

    /// How much waits and how long, before this invocation starts anything.
    fn note_waiting(&self, waiting: &[WaitingList]) {
        let now = self.clock.now();
        let oldest = waiting.iter().map(|list| list.name.oldest_at()).min();
        let objects = waiting.iter().map(|list| list.name.objects()).sum();
        let age = oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let line = self
            .metrics()
            .with("EventsWaiting", Unit::Count, objects)
            .with("EventsWaitingFor", Unit::Milliseconds, millis)
            // An alarm compares it with a parameter of the stack, which is in hours.
            .with("EventsWaitingHours", Unit::Count, age.as_secs() / 3_600);
        emit(&line);
    }

    fn metrics(&self) -> MetricLine {
        let dimensions = vec![("StateMachine", self.machine.clone())];
        MetricLine::new(self.clock.now(), dimensions)
    }
}

fn emit(line: &MetricLine) {
    if let Err(error) = line.emit() {
        tracing::warn!({ field::ERROR_DETAIL } = %error, "the metrics of the events could not be printed");
    }
}

fn waiting_list(stored: &StoredEventList) -> Option<WaitingList> {
    Some(WaitingList {
        name: WaitingName::of_key(&stored.key)?,
        size_bytes: stored.size_bytes,
    })
}

fn invariant(problem: impl std::fmt::Display) -> Failure {
    Failure::invariant(format!("a run of events: {problem}"))
}
