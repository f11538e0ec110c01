//! Invokes functions as Lambda does at its worst: late, twice, not at all, or without telling how it went.

use std::{rc::Rc, time::Duration};

use fastrand::Rng;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    environment::{Environment, Worked, error},
    sky::{Blow, Present},
    world::Cloud,
};
use crate::{
    asl::TaskError,
    dice::{happens, one_of},
    history::Function,
    story::{Climate, time_of_invocation},
};

/// The most invocations of a run: far beyond what the worst weather needs.
pub(super) const INVOCATIONS_MAX: u32 = 2_000;

/// The time of an invocation.
const WHOLE_TIME: Duration = Duration::from_secs(900);

/// What becomes of an invocation beside what its calls meet.
#[derive(Debug, Clone)]
struct Fate {
    /// Lambda refuses it under this name.
    refused: Option<&'static str>,
    time: Duration,
    blow: Option<Blow>,
    polls_max: Option<u64>,
    /// Another one follows for the same event.
    second_after: Option<Duration>,
    /// The machine gives it up so soon, under this name.
    given_up: Option<(Duration, &'static str)>,
    /// Its response is lost.
    is_mute: bool,
}

const REFUSALS: &[&str] = &[
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
];
const GIVEN_UP: &[&str] = &[
    "Lambda.Unknown",
    "Lambda.SdkClientException",
    "States.Timeout",
];

impl Fate {
    fn of(rng: &mut Rng, climate: &Climate) -> Self {
        let calls = one_of(rng, &[6, 20, 60]);
        let call = rng.u64(0..calls);
        let blow = if happens(rng, climate.kills) {
            let takes_effect = rng.bool();
            Some(Blow::Kill { call, takes_effect })
        } else {
            None
        };
        let polls = rng.u64(1..120);
        let polls_max = happens(rng, climate.kills / 3).then_some(polls);
        let gap = Duration::from_millis(rng.u64(0..20_000));
        let mut fate = Self {
            refused: happens(rng, climate.lambda).then(|| one_of(rng, REFUSALS)),
            time: time_of_invocation(rng, climate),
            blow,
            polls_max,
            second_after: happens(rng, climate.twice).then_some(gap),
            given_up: None,
            is_mute: happens(rng, climate.lambda / 3),
        };
        if happens(rng, climate.ghosts) {
            let longest = one_of(rng, &[1_000, 30_000]);
            let wait = Duration::from_millis(rng.u64(10..longest));
            fate.given_up = Some((wait, one_of(rng, GIVEN_UP)));
            let longest = one_of(rng, &[2_000, 60_000, 700_000]);
            let time = Duration::from_millis(rng.u64(100..longest));
            if fate.blow.is_none() && rng.bool() {
                fate.blow = Some(Blow::Freeze { call, time });
            }
        }
        fate
    }
}

/// Who is invoked.
#[derive(Debug, Clone)]
pub(super) struct Callee {
    pub(super) run: usize,
    pub(super) function: Function,
    /// Names the invocations of one event, for example one shard of one run.
    pub(super) subject: String,
}

impl Cloud {
    /// Invokes a function and waits for what the machine sees of it.
    pub(super) async fn invoke(
        self: &Rc<Self>,
        callee: Callee,
        payload: Value,
    ) -> Result<Value, TaskError> {
        self.count(callee.run);
        let name = self.next_name(&callee);
        tokio::time::sleep(Duration::from_millis(20)).await;
        if self.crashes(&callee) {
            return Err(error("Runtime.ExitError", "it crashes each time"));
        }
        let fate = self.fate(&callee, &name);
        if let Some(refusal) = fate.refused {
            return Err(error(refusal, "Lambda does not begin it"));
        }
        if let Some(gap) = fate.second_after {
            let (cloud, callee, payload) = (Rc::clone(self), callee.clone(), payload.clone());
            let second = Fate {
                blow: None,
                polls_max: None,
                ..fate.clone()
            };
            let name = format!("{name}b");
            tokio::task::spawn_local(async move {
                tokio::time::sleep(gap).await;
                cloud.perform(callee, name, &second, payload, true).await
            });
        }
        let (sender, receiver) = oneshot::channel();
        let (cloud, performed) = (Rc::clone(self), fate.clone());
        tokio::task::spawn_local(async move {
            let is_ghost = performed.given_up.is_some();
            let ended = cloud.perform(callee, name, &performed, payload, is_ghost);
            // Nobody listens to one that was given up.
            drop(sender.send(ended.await));
        });
        let responded = async {
            let ended = receiver.await;
            ended.unwrap_or_else(|_| Err(error("Lambda.Unknown", "it is gone")))
        };
        let (wait, given_up_as) = fate.given_up.unwrap_or((Duration::from_secs(100_000), ""));
        match tokio::time::timeout(wait, responded).await {
            Err(_) => Err(error(given_up_as, "no response")),
            Ok(Ok(_)) if fate.is_mute => {
                Err(error("Lambda.SdkClientException", "the response is lost"))
            }
            Ok(ended) => ended,
        }
    }

    /// The name of the next invocation of a callee.
    fn next_name(&self, callee: &Callee) -> String {
        let mut ordinals = self.ordinals.borrow_mut();
        let ordinal = ordinals.entry(callee.subject.clone()).or_default();
        *ordinal += 1;
        format!("{}#{ordinal}", callee.subject)
    }

    /// What becomes of an invocation, without what is taken out of the story.
    fn fate(&self, callee: &Callee, name: &str) -> Fate {
        let climate = self.sky.climate();
        let mut fate = Fate::of(&mut self.dice.about(name, u64::MAX - 1), &climate);
        let fires = |what: &str, number: u64| {
            let id = self.dice.id(name, u64::MAX - number);
            let text = || format!("{name}: {what}");
            self.sky.fires(id, Some(callee.run), text)
        };
        fate.refused = fate.refused.filter(|refusal| fires(refusal, 2));
        if fate.refused.is_some() {
            return fate;
        }
        let little = || format!("{name}: has {:?}", fate.time);
        let id = self.dice.id(name, u64::MAX - 3);
        if fate.time < WHOLE_TIME && !self.sky.fires_harmless(id, little) {
            fate.time = WHOLE_TIME;
        }
        let killed = "is killed at an await";
        fate.polls_max = fate.polls_max.filter(|_| fires(killed, 4));
        fate.second_after = fate.second_after.filter(|_| fires("is delivered twice", 5));
        fate.given_up = fate
            .given_up
            .filter(|(_, error)| fires(&format!("is given up: {error}"), 6));
        fate.is_mute = fate.is_mute && fires("its response is lost", 7);
        fate
    }

    /// Whether this function crashes at each invocation of this run.
    fn crashes(&self, callee: &Callee) -> bool {
        let name = format!("crash of {} in run {}", callee.function.name(), callee.run);
        let mut rng = self.dice.about(&name, 0);
        happens(&mut rng, self.sky.climate().crashing)
            && self
                .sky
                .fires(self.dice.id(&name, 0), Some(callee.run), || name.clone())
    }

    /// Works on an event in a process, a warm one if there is one.
    async fn perform(
        &self,
        callee: Callee,
        name: String,
        fate: &Fate,
        payload: Value,
        is_ghost: bool,
    ) -> Result<Value, TaskError> {
        let function = callee.function;
        let began_at = self.now();
        let number = {
            let mut seen = self.chronicle().seen();
            let number = seen.invoked(callee.run, function, began_at);
            seen.invocations[number].is_ghost = is_ghost;
            seen.happened(began_at, &format!("{name} begins"));
            number
        };
        let idle = self.idle.borrow_mut().entry(function).or_default().pop();
        let environment = idle.unwrap_or_else(|| self.environment(function));
        *environment.sky.present() = Some(Present {
            number,
            run: callee.run,
            function,
            name: name.clone(),
            calls: 0,
            blow: fate.blow,
        });
        let times = (began_at, began_at.plus(fate.time));
        let worked = environment.work(&payload, times, fate.polls_max).await;
        self.ended(number, &name, environment, worked)
    }

    fn ended(
        &self,
        number: usize,
        name: &str,
        environment: Environment,
        worked: Worked,
    ) -> Result<Value, TaskError> {
        let now = self.now();
        let is_dead = matches!(worked, Worked::Died(_));
        let result = match worked {
            Worked::Responded(response) => {
                let function = self.chronicle().seen().invocations[number].function;
                let mut idle = self.idle.borrow_mut();
                idle.entry(function).or_default().push(environment);
                response
            }
            Worked::Died(error) => Err(error),
        };
        let mut seen = self.chronicle().seen();
        let run = seen.invocations[number].run;
        seen.invocations[number].ended_at = Some(now);
        let text = match &result {
            Ok(response) => format!("{name} responds {}", response["status"]),
            Err(error) => format!("{name} ends with {}: {}", error.error, error.cause),
        };
        seen.happened(now, &text);
        if is_dead {
            seen.runs[run].is_disturbed = true;
            seen.invocations[number].is_disturbed = true;
        }
        if let Err(error) = &result {
            seen.invocations[number].error = Some(error.error.clone());
            if ["Panic", "InvariantViolated"].contains(&error.error.as_str()) {
                seen.violated("no contradiction", run, text);
            }
        }
        result
    }

    fn count(&self, run: usize) {
        let mut counts = self.invocations_of_run.borrow_mut();
        counts[run] += 1;
        if counts[run] == INVOCATIONS_MAX {
            let mut seen = self.chronicle().seen();
            seen.violated("bounded", run, format!("{INVOCATIONS_MAX} invocations"));
            self.sky.stops[run].notify_one();
        }
    }
}
