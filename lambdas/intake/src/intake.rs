//! One batch of messages.

use std::time::Duration;

use shardlift_aws::telemetry::{
    field,
    metrics::{MetricLine, Unit},
};
use shardlift_core::{
    events::{
        EventBatch, EventRules, EventRun, HELD_FOR, HELD_KEY, HELD_MARK, Message, WaitingList,
        WaitingName,
    },
    failure::{Context, Failure},
    port::{
        Clock, ControlStore, EventLists, ExecutionState, Executions, RunStarts, StartOutcome,
        StoredEventList,
    },
    run::lock::{LockRecord, LockedPrefix},
    value::{arn::ExecutionArn, bucket::BucketName, id::RunId, printable::Printable},
};
use shardlift_lock::{Taken, TargetLock};

use crate::{
    payload::{BatchReply, FailedItem, QueueBatch},
    ports::Ports,
};

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
    /// What waited was done with. If this held the lock meanwhile, more may have come, which then saw the lock and left it at
    /// that.
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

impl ReadBatch {
    /// A message of which something cannot be read comes again as a whole. What of it can be read is taken each time.
    fn put_off(&mut self, id: String, problem: &str) {
        tracing::error!(
            message.id = id,
            { field::ERROR_DETAIL } = %Printable(problem),
            "a message cannot be read; it comes again, and then goes to the dead letters"
        );
        self.unreadable.push(FailedItem { id });
    }
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
            self.start_what_waits(&read.events).await?;
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
                Ok(Message::Events(told)) => {
                    for event in told.events {
                        read.received += 1;
                        if self.rules.concern(&event) {
                            read.events.add(event);
                        } else {
                            read.left_out += 1;
                        }
                    }
                    if !told.problems.is_empty() {
                        read.put_off(message.id, &told.problems.join("; "));
                    }
                }
                Err(problem) => read.put_off(message.id, &problem),
            }
        }
        read
    }

    /// Starts a run over the lists that wait, unless there is none, another run holds the pair, or the last one broke just
    /// now. In each of these cases they go on waiting: the end of a run and the clock send messages, too.
    async fn start_what_waits(&self, written: &EventBatch) -> Result<(), Failure> {
        for _ in 0..LOOKS_MAX {
            if self.look(written).await? == Looked::Done {
                break;
            }
        }
        Ok(())
    }

    /// One look at what waits.
    async fn look(&self, written: &EventBatch) -> Result<Looked, Failure> {
        let stored = self.control.waiting().await;
        let stored = stored.context("listing the events that wait")?;
        let waiting: Vec<WaitingList> = stored.iter().filter_map(waiting_list).collect();
        self.note_waiting(&waiting);
        let Some(run) = EventRun::of_waiting(waiting) else {
            return Ok(Looked::Done);
        };
        if self.is_held(&stored) {
            tracing::info!(
                "a run of events broke or was INCOMPLETE just now; what waits is held until the next try"
            );
            return Ok(Looked::Done);
        }
        for attempt in 1..=ATTEMPTS_MAX {
            let run_id = run.run_id(attempt).map_err(invariant)?;
            let execution = self.starts.execution_arn(&run_id);
            // Before the lock is taken: one that is held under the name of an execution that has ended is free to take.
            let state = self.executions.state(&execution).await;
            match state.context("looking for a run of the same events")? {
                ExecutionState::Unknown => {
                    return self.start_as(&run, (&run_id, &execution), written).await;
                }
                ExecutionState::Running => {
                    tracing::info!({ field::RUN_ID } = %run_id, "a run of the same events is under way");
                    return Ok(Looked::Done);
                }
                ExecutionState::Ended => {}
            }
            let has_succeeded = self.starts.has_succeeded(&execution).await;
            if has_succeeded.context("looking at an earlier run of the same events")? {
                self.forget(&run).await?;
                return Ok(Looked::Outdated);
            }
        }
        Err(Failure::invariant(format!(
            "{ATTEMPTS_MAX} runs over the same events broke; see their reports"
        )))
    }

    /// Takes the lock for a run under a name that none has had, and starts it.
    async fn start_as(
        &self,
        run: &EventRun,
        (run_id, execution): (&RunId, &ExecutionArn),
        written: &EventBatch,
    ) -> Result<Looked, Failure> {
        let lock = TargetLock {
            ledger: &self.ledger,
            executions: &self.executions,
            locked: &self.locked,
            run_id,
            execution_arn: execution,
            now: self.clock.now(),
        };
        let held = match lock.take().await? {
            Taken::Held(held, Some(before)) if self.broke_without_report(&before).await? => {
                self.hold_next().await?;
                lock.give_up(&held).await?;
                return Ok(Looked::Done);
            }
            Taken::Held(held, _) => Some(held),
            // Another intake may start the run at this moment: neither of the two may give up the lock then.
            Taken::HeldAlready(found) => {
                if !lock.renew(&found).await? {
                    return Ok(Looked::Outdated);
                }
                None
            }
            Taken::Busy(holder) => {
                tracing::info!(
                    lock.holder = %holder.lock.execution_arn,
                    "the events wait until this execution and its copiers end"
                );
                return Ok(Looked::Done);
            }
        };
        if let Some(objects) = self.write_list(run, run_id, written).await? {
            let run = EventRun {
                objects,
                ..run.clone()
            };
            let input = run
                .input(run_id, self.control.bucket(), self.rules.mode)
                .map_err(invariant)?;
            let started = self.starts.start(run_id, &input.to_string()).await;
            if started.context("starting a run of events")? == StartOutcome::Started {
                tracing::info!(
                    { field::RUN_ID } = %run_id,
                    { field::OBJECTS } = run.objects,
                    "started a run of events"
                );
                return Ok(Looked::Done);
            }
        }
        // Another intake was faster: its run has done with some of the lists, or even has ended under this name.
        if let Some(held) = held {
            lock.give_up(&held).await?;
        }
        Ok(Looked::Outdated)
    }

    /// Whether this lock was of a run of events that nobody reported: its reporter failed, or it was stopped. Such a run left no
    /// mark, and its end makes the intake look again at once.
    async fn broke_without_report(&self, lock: &LockRecord) -> Result<bool, Failure> {
        if !EventRun::is_one(&lock.run_id) {
            return Ok(false);
        }
        // An intake may have taken the lock and then failed to start the run.
        let state = self.executions.state(&lock.execution_arn).await;
        Ok(state.context("looking for the run that held the lock")? == ExecutionState::Ended)
    }

    /// Marks that a run broke, as the reporter does.
    async fn hold_next(&self) -> Result<(), Failure> {
        let marked = self
            .control
            .put(HELD_KEY, "text/plain", HELD_MARK.to_vec())
            .await;
        marked.context("holding the next run of events")?;
        tracing::warn!("a run of events ended without a report; its lists wait for the next try");
        Ok(())
    }

    /// Removes lists that came again after a run that took them had succeeded. It looked at each of their keys after the
    /// events that they tell of, since equal lists tell of the same events. So this is right at any time, whoever holds the
    /// lock: no run reads a list that waits, and an intake that misses one looks again.
    async fn forget(&self, run: &EventRun) -> Result<(), Failure> {
        for name in &run.lists {
            let removed = self.control.remove_waiting(&name.key()).await;
            removed.context("removing a list of events that a run has copied")?;
        }
        Ok(())
    }

    /// Writes the list of a run, each key of its lists once, and counts them. The same lists make the same bytes, so that a run that began
    /// meanwhile finds what it began with. Nothing where one of several lists is gone: a run has done with it.
    /// `written` is what this invocation wrote itself, which needs no look: at worst, a run that ended a moment ago copied it,
    /// and this one finds that nothing is left to do.
    async fn write_list(
        &self,
        run: &EventRun,
        run_id: &RunId,
        written: &EventBatch,
    ) -> Result<Option<u64>, Failure> {
        let (own, own_body) = written.written()?;
        let (objects, body) = if run.lists == [own] {
            (written.objects(), own_body)
        } else if let Some(merged) = self.merged_lists(run).await? {
            (merged.objects(), merged.written()?.1)
        } else {
            return Ok(None);
        };
        let key = EventRun::list_key(run_id);
        let written = self.control.put(&key, JSON_LINES, body).await;
        written.context("writing the list of a run")?;
        Ok(Some(objects))
    }

    /// The events of the lists of a run together; nothing where one of them is gone.
    async fn merged_lists(&self, run: &EventRun) -> Result<Option<EventBatch>, Failure> {
        let mut merged = EventBatch::default();
        for name in &run.lists {
            let body = self.control.get(&name.key()).await;
            let Some(body) = body.context("reading the events that wait")? else {
                return Ok(None);
            };
            let added = merged.add_list(&body);
            added.map_err(|problem| {
                Failure::invariant(format!("{} is no list of events: {problem}", name.key()))
            })?;
        }
        Ok(Some(merged))
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
