//! Which call is disturbed, and how.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use shardlift_core::failure::{
    fault::{CallFault, FaultKind},
    refusal::RefusalReason,
};
use tokio::sync::Notify;

use crate::weather::{CallEnd, CallFate, CallWeather, Governor};

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// It fails with this kind before it has any effect.
    RefusedBefore(FaultKind),
    /// It takes effect, and its response is this fault.
    EffectThenFault(FaultKind),
    /// It has no response and no effect: the process is killed.
    KilledBefore,
    /// It takes effect and has no response: the process is killed.
    KilledAfter,
    /// It has its effect only after [`CallScript::release`]: the process was frozen meanwhile.
    Frozen,
}

impl Disturbance {
    /// One of each, for matrices: refused, throttled, error after the effect, silence after the effect, killed before
    /// and after.
    pub const MATRIX: &[Self] = &[
        Self::RefusedBefore(FaultKind::ServiceError),
        Self::RefusedBefore(FaultKind::Throttled),
        Self::EffectThenFault(FaultKind::ServiceError),
        Self::EffectThenFault(FaultKind::NoResponse),
        Self::KilledBefore,
        Self::KilledAfter,
    ];
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<&'static str>,
    disturbed: Option<(usize, Disturbance)>,
    denied: Vec<(&'static str, Option<RefusalReason>)>,
    silence: Duration,
    exhausted: Option<Exhausted>,
    failing_keys: Vec<FailingKey>,
    governor: Option<Governor>,
}

/// A key of a batch that fails by itself so often.
#[derive(Debug)]
struct FailingKey {
    key: String,
    kind: FaultKind,
    failures_left: usize,
}

/// An operation that S3 takes so often and then no more.
#[derive(Debug)]
struct Exhausted {
    operation: &'static str,
    calls_left: usize,
    kind: FaultKind,
}

/// Counts the calls of every port that shares it, and disturbs the one that was chosen.
#[derive(Debug, Clone, Default)]
pub struct CallScript {
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
    released: Arc<Notify>,
}

impl CallScript {
    /// Disturbs the call with this number, counted from 0 over all ports.
    pub fn disturb(&self, call: usize, disturbance: Disturbance) {
        self.lock().disturbed = Some((call, disturbance));
    }

    /// From now on this operation succeeds so often, and then always fails.
    pub fn exhaust_after(&self, calls: usize, operation: &'static str, kind: FaultKind) {
        self.lock().exhausted = Some(Exhausted {
            operation,
            calls_left: calls,
            kind,
        });
    }

    /// From now on this key fails by itself so often in calls that name several keys, which succeed for the others.
    pub fn fail_key(&self, key: impl Into<String>, kind: FaultKind, failures: usize) {
        self.lock().failing_keys.push(FailingKey {
            key: key.into(),
            kind,
            failures_left: failures,
        });
    }

    /// The fault of one key of a batch, if it is to fail.
    pub(crate) fn fault_of_key(&self, operation: &'static str, key: &str) -> Option<CallFault> {
        let mut state = self.lock();
        let failing = state
            .failing_keys
            .iter_mut()
            .find(|failing| failing.key == key && failing.failures_left > 0)?;
        failing.failures_left -= 1;
        Some(fault(operation, failing.kind))
    }

    /// From now on a call whose response is lost is waited for so long, and has its effect halfway.
    pub fn keep_silent_for(&self, silence: Duration) {
        self.lock().silence = silence;
    }

    /// From now on no call is disturbed, and counting begins anew.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    /// From now on every call of this operation (an IAM action name) is denied.
    pub fn deny(&self, operation: &'static str) {
        self.lock().denied.push((operation, None));
    }

    /// As [`deny`](Self::deny), and the response says why.
    pub fn deny_because(&self, operation: &'static str, reason: RefusalReason) {
        self.lock().denied.push((operation, Some(reason)));
    }

    /// `calls_left` more calls of this operation (an IAM action name) succeed, all further ones are throttled.
    pub fn throttle_after(&self, operation: &'static str, calls_left: usize) {
        self.exhaust_after(calls_left, operation, FaultKind::Throttled);
    }

    /// From now on `weather` decides what happens to each call that is not denied.
    pub fn govern(&self, weather: Arc<dyn CallWeather>) {
        self.lock().governor = Some(Governor(weather));
    }

    /// The operations called since the start or the last [`clear`](Self::clear), in order.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.lock().calls.clone()
    }

    /// Lets the frozen call go on.
    pub fn release(&self) {
        self.released.notify_one();
    }

    /// Resolves when a call was disturbed by a kill or a freeze: drop the future that made it, or keep it, then.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Runs `effect` as the call `operation`, disturbed if it is its turn.
    ///
    /// # Errors
    /// The fault of the effect, or of the disturbance.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce() -> Result<T, CallFault>,
    ) -> Result<T, CallFault> {
        if let Some(denial) = self.denial_of(operation) {
            return Err(denial);
        }
        if let Some(exhaustion) = self.exhaustion_of(operation) {
            return Err(exhaustion);
        }
        let governor = self.lock().governor.clone();
        if let Some(Governor(weather)) = governor {
            return self.call_under(&*weather, operation, effect).await;
        }
        match self.disturbance() {
            None => effect(),
            Some(Disturbance::RefusedBefore(kind)) => Err(fault(operation, kind)),
            Some(Disturbance::EffectThenFault(kind)) => {
                let silence = self.silence_before(kind);
                tokio::time::sleep(silence / 2).await;
                effect()?;
                tokio::time::sleep(silence / 2).await;
                Err(fault(operation, kind))
            }
            Some(Disturbance::KilledBefore) => self.die().await,
            Some(Disturbance::KilledAfter) => {
                effect()?;
                self.die().await
            }
            Some(Disturbance::Frozen) => {
                self.killed.notify_one();
                self.released.notified().await;
                effect()
            }
        }
    }

    async fn call_under<T>(
        &self,
        weather: &dyn CallWeather,
        operation: &'static str,
        effect: impl FnOnce() -> Result<T, CallFault>,
    ) -> Result<T, CallFault> {
        let CallFate {
            before,
            takes_effect,
            after,
            end,
        } = weather.fate(operation);
        tokio::time::sleep(before).await;
        let response = takes_effect.then(|| {
            let response = effect();
            let refused = response.as_ref().err().map(|fault| fault.kind);
            weather.after_effect(operation, refused);
            response
        });
        tokio::time::sleep(after).await;
        match (end, response) {
            (CallEnd::Response, Some(response)) => response,
            (CallEnd::Response, None) => Err(fault(operation, FaultKind::NoResponse)),
            (CallEnd::Fault(kind), _) => Err(fault(operation, kind)),
            (CallEnd::Killed, _) => self.die().await,
        }
    }

    /// Counts the call. Its denial, if it is denied.
    fn denial_of(&self, operation: &'static str) -> Option<CallFault> {
        let mut state = self.lock();
        state.calls.push(operation);
        let (_, reason) = state
            .denied
            .iter()
            .find(|(denied, _)| *denied == operation)?;
        Some(CallFault {
            reason: reason.clone(),
            ..fault(operation, FaultKind::AccessDenied)
        })
    }

    fn exhaustion_of(&self, operation: &'static str) -> Option<CallFault> {
        let mut state = self.lock();
        let exhausted = state
            .exhausted
            .as_mut()
            .filter(|exhausted| exhausted.operation == operation)?;
        if exhausted.calls_left == 0 {
            return Some(fault(operation, exhausted.kind));
        }
        exhausted.calls_left -= 1;
        None
    }

    /// What happens to the call that was counted last.
    fn disturbance(&self) -> Option<Disturbance> {
        let state = self.lock();
        let number = state.calls.len() - 1;
        state
            .disturbed
            .and_then(|(call, disturbance)| (call == number).then_some(disturbance))
    }

    fn silence_before(&self, kind: FaultKind) -> Duration {
        match kind {
            FaultKind::NoResponse => self.lock().silence,
            _ => Duration::ZERO,
        }
    }

    async fn die<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the script")
    }
}

fn fault(operation: &'static str, kind: FaultKind) -> CallFault {
    CallFault::new(operation, kind, format!("scripted {kind:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_disturbed_call_fails_before_or_after_its_effect() {
        let script = CallScript::default();
        script.disturb(1, Disturbance::RefusedBefore(FaultKind::Throttled));
        let mut effects = 0;
        for _ in 0..3 {
            let _outcome = script
                .call("s3:CopyObject", || {
                    effects += 1;
                    Ok(())
                })
                .await;
        }
        assert_eq!(effects, 2);

        script.clear();
        script.disturb(0, Disturbance::EffectThenFault(FaultKind::NoResponse));
        let outcome = script
            .call("s3:CopyObject", || {
                effects += 1;
                Ok(())
            })
            .await;
        assert_eq!(outcome.unwrap_err().kind, FaultKind::NoResponse);
        assert_eq!(effects, 3);
    }

    #[tokio::test]
    async fn a_killed_call_has_no_response_and_the_test_learns_of_it() {
        let script = CallScript::default();
        script.disturb(0, Disturbance::KilledAfter);
        let mut effects = 0;
        tokio::select! {
            biased;
            _ = script.call("s3:CopyObject", || { effects += 1; Ok(()) }) => panic!("it responded"),
            () = script.killed() => {}
        }
        assert_eq!(effects, 1);
    }

    #[tokio::test]
    async fn a_denied_operation_is_always_denied() {
        let script = CallScript::default();
        script.deny("s3:ListBucket");
        for _ in 0..2 {
            let fault = script.call("s3:ListBucket", || Ok(())).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::AccessDenied);
        }
        assert!(script.call("s3:CopyObject", || Ok(())).await.is_ok());
    }
}
