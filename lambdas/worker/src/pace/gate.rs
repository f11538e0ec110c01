//! When a call to the target may be made: how many at once, and how many a second.

use std::{
    future::Future,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use shardlift_core::{
    copy::{pacer::Pacer, retry_budget::RetryBudget},
    failure::fault::{CallFault, FaultKind},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

/// The most calls of one copier under way at once: 3,500 calls a second of up to 140 ms each.
const CALLS_IN_FLIGHT_MAX: usize = 512;
/// The most writes a second of one copier, whatever S3 allows and no cap is set. The cap of a run is this times the Map's
/// concurrency.
const WRITES_PER_SECOND_MAX: f64 = 5_000.0;

/// The most parts that one object has in flight. The gate bounds the calls of all objects together.
pub const PARTS_IN_FLIGHT_MAX: u32 = 64;
/// The most parts of all objects under way at once: they fill the gate, and more objects would only wait in memory.
const PARTS_MAX: usize = CALLS_IN_FLIGHT_MAX;
/// The most objects in parts under way at once, for objects of few parts: the record names every open upload, and 64 of
/// them make it some 10 KB.
const OBJECTS_IN_PARTS_MAX: usize = 64;

/// Decides when a call may be made. One gate serves every shard of a process, so that a warm copier begins at the pace that the
/// shard before had found.
#[derive(Debug)]
pub struct Gate {
    slots: Semaphore,
    parts: Semaphore,
    objects_in_parts: Semaphore,
    writes_taken: AtomicU64,
    /// Waiting calls queue here, so that a pace that falls holds for all of them.
    turn: tokio::sync::Mutex<()>,
    pacer: Mutex<Pacer>,
    retry_budget: Mutex<RetryBudget>,
    began: Instant,
}

/// The permit of an object that is copied in parts.
#[derive(Debug)]
pub struct MultipartPermit<'a> {
    _object: SemaphorePermit<'a>,
    _parts: SemaphorePermit<'a>,
}

async fn permits(of: &Semaphore, count: u32) -> SemaphorePermit<'_> {
    of.acquire_many(count)
        .await
        .expect("the gate is never closed")
}

impl Default for Gate {
    /// A gate at the greatest pace of one worker.
    fn default() -> Self {
        Self::with_writes_per_second_max(WRITES_PER_SECOND_MAX)
    }
}

impl Gate {
    /// A gate that lets no more writes a second through than these, nor than any other gate.
    #[must_use]
    pub fn with_writes_per_second_max(max: f64) -> Self {
        Self {
            slots: Semaphore::new(CALLS_IN_FLIGHT_MAX),
            parts: Semaphore::new(PARTS_MAX),
            objects_in_parts: Semaphore::new(OBJECTS_IN_PARTS_MAX),
            writes_taken: AtomicU64::new(0),
            turn: tokio::sync::Mutex::new(()),
            pacer: Mutex::new(Pacer::new(max.min(WRITES_PER_SECOND_MAX))),
            retry_budget: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// Makes a call that only reads as soon as there is room for it. S3 counts reads apart from writes, and few are made.
    pub async fn read<T>(
        &self,
        call: impl Future<Output = Result<T, CallFault>>,
    ) -> Result<T, CallFault> {
        let _slot = self.slot().await;
        let response = call.await;
        if response.is_ok() {
            self.retry_budget().earn();
        }
        response
    }

    /// Makes a call that writes when it is its turn, and learns from the response.
    pub async fn write<T>(
        &self,
        call: impl Future<Output = Result<T, CallFault>>,
    ) -> Result<T, CallFault> {
        let _slot = self.slot().await;
        self.wait_for_turn().await;
        let response = call.await;
        if response.is_ok() {
            self.writes_taken.fetch_add(1, Ordering::Relaxed);
            self.retry_budget().earn();
        }
        self.learn_pace(response.as_ref().err().map(|fault| fault.kind));
        response
    }

    /// Takes one retry of a call that failed without being throttled; returns whether there was one.
    pub fn take_retry(&self) -> bool {
        self.retry_budget().take()
    }

    /// Before the first write of the process: how many copiers may begin at once.
    pub fn begin_among(&self, copiers: u64) {
        self.pacer().begin_among(copiers);
    }

    /// The present pace, in writes a second.
    pub fn writes_per_second(&self) -> f64 {
        self.pacer().rate()
    }

    /// How many writes S3 took so far.
    pub fn writes_taken(&self) -> u64 {
        self.writes_taken.load(Ordering::Relaxed)
    }

    /// Waits until one more object of so many parts may be copied. Dropping the permit lets the next one in.
    pub async fn multipart_permit(&self, parts: u32) -> MultipartPermit<'_> {
        MultipartPermit {
            _object: permits(&self.objects_in_parts, 1).await,
            _parts: permits(&self.parts, parts.min(PARTS_IN_FLIGHT_MAX)).await,
        }
    }

    async fn slot(&self) -> SemaphorePermit<'_> {
        permits(&self.slots, 1).await
    }

    async fn wait_for_turn(&self) {
        let _turn = self.turn.lock().await;
        let now = self.now();
        let delay = self.pacer().take_turn(now);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
            let came = self.now();
            self.pacer()
                .came_late(came, came.saturating_sub(now + delay));
        }
    }

    /// Only what S3 takes, or refuses for a reason of its own, shows that it takes calls at this pace; one that failed
    /// shows neither that it does nor that it does not. When so many fail that no retry is left, each call would cost an
    /// object: then failures slow the copier down as throttling does, until S3 is back.
    fn learn_pace(&self, fault: Option<FaultKind>) {
        let now = self.now();
        match fault {
            Some(FaultKind::Throttled) => self.pacer().throttled(now),
            Some(
                FaultKind::ServiceError | FaultKind::NoResponse | FaultKind::MalformedResponse,
            ) => {
                if self.retry_budget().is_spent() {
                    self.pacer().throttled(now);
                }
            }
            _ => self.pacer().responded(now),
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn retry_budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.retry_budget
            .lock()
            .expect("nothing panics while it holds it")
    }

    fn pacer(&self) -> MutexGuard<'_, Pacer> {
        self.pacer.lock().expect("nothing panics while it holds it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writes_take_turns_and_reads_do_not() {
        let gate = Gate::default();
        let began = Instant::now();
        for _ in 0..100 {
            gate.read(async { Ok(()) }).await.unwrap();
        }
        assert!(began.elapsed().is_zero());
        let writes = (0..100).map(|_| gate.write(async { Ok(()) }));
        futures::future::join_all(writes).await;
        assert!(
            began.elapsed() > Duration::from_millis(500),
            "{:?}",
            began.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_cap_holds_from_the_first_second_on() {
        let gate = Gate::with_writes_per_second_max(5.0);
        let began = Instant::now();
        let writes = (0..50).map(|_| gate.write(async { Ok(()) }));
        futures::future::join_all(writes).await;
        let took = began.elapsed();
        assert!(took > Duration::from_millis(9_700), "{took:?}");
        assert!(took < Duration::from_millis(10_300), "{took:?}");
    }

    /// How many objects of so many parts get a permit.
    async fn permits_for(parts: u32) -> usize {
        let gate = Gate::default();
        let mut taken = Vec::new();
        while let Ok(permit) =
            tokio::time::timeout(Duration::from_secs(1), gate.multipart_permit(parts)).await
        {
            taken.push(permit);
        }
        taken.len()
    }

    #[tokio::test(start_paused = true)]
    async fn objects_in_parts_fill_the_gate_and_not_the_record() {
        assert_eq!(permits_for(1).await, OBJECTS_IN_PARTS_MAX);
        assert_eq!(permits_for(2).await, OBJECTS_IN_PARTS_MAX);
        assert_eq!(permits_for(32).await, 16);
        assert_eq!(permits_for(64).await, 8);
        assert_eq!(permits_for(10_000).await, 8);
    }

    /// How much a hundred writes at once, all with this response, change the pace.
    async fn pace_after(response: Result<(), FaultKind>) -> f64 {
        let gate = Gate::default();
        let before = gate.writes_per_second();
        let fault = |kind| CallFault::new("s3:CopyObject", kind, "");
        let writes = (0..100).map(|_| gate.write(async { response.map_err(fault) }));
        for met in futures::future::join_all(writes).await {
            assert_eq!(met.map_err(|fault| fault.kind), response);
        }
        gate.writes_per_second() - before
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_lowers_the_pace_and_responses_raise_it() {
        assert!(pace_after(Err(FaultKind::Throttled)).await < 0.0);
        assert!(pace_after(Ok(())).await > 0.0);
        assert!(pace_after(Err(FaultKind::ConditionFailed)).await > 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn failed_calls_do_not_change_the_pace() {
        for kind in [
            FaultKind::ServiceError,
            FaultKind::NoResponse,
            FaultKind::MalformedResponse,
        ] {
            assert!(pace_after(Err(kind)).await.abs() < f64::EPSILON, "{kind:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_leaves_no_retries_lowers_the_pace() {
        let gate = Gate::default();
        let before = gate.writes_per_second();
        let fail =
            || async { Err::<(), _>(CallFault::new("s3:CopyObject", FaultKind::ServiceError, "")) };
        assert!(gate.write(fail()).await.is_err());
        assert!((gate.writes_per_second() - before).abs() < 1e-9);
        while gate.take_retry() {}
        assert!(gate.write(fail()).await.is_err());
        assert!(gate.writes_per_second() < before);
    }
}
