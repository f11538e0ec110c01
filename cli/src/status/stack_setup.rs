//! What a stack copies, pair by pair, and when it does so next.

use serde_json::{Value, json};
use shardlift_core::value::{printable::Printable, time::Timestamp};

use super::{pair_setup::PairSetup, run_place::RunPlace, run_table::LatestRun};
use crate::{
    Screen,
    arguments::StackArguments,
    deployment::{Deployment, StackDescription},
    error::CommandError,
    schedules::Schedules,
    screen::Tone,
};

/// How a stack is set up. Empty where its parts were named one by one, by somebody who may not read the stack.
pub(super) struct StackSetup(Option<Setup>);

struct Setup {
    stack: String,
    own: PairSetup,
    starts_on_events: bool,
    flags: String,
    /// Or why they could not be listed.
    further: Result<Vec<PairSetup>, CommandError>,
}

impl StackSetup {
    /// Reads the stack and its schedules.
    ///
    /// # Errors
    /// When the stack cannot be read.
    pub(super) async fn of(
        arguments: &StackArguments,
        deployment: &Deployment,
    ) -> Result<Self, CommandError> {
        if arguments.stack.is_none() && !arguments.local {
            return Ok(Self(None));
        }
        let stack = deployment.stack_name();
        let schedules = Schedules::of(deployment);
        let (description, schedule, further) = futures::join!(
            StackDescription::read(&deployment.sdk, &stack),
            schedules.own(),
            schedules.pairs(),
        );
        let description = description?;
        let place = |bucket, prefix| {
            let value = |name| description.parameter(name).unwrap_or_default();
            format!("s3://{}/{}", value(bucket), value(prefix))
        };
        let own = RunPlace {
            source: place("SourceBucketName", "SourcePrefix"),
            target: place("TargetBucketName", "TargetPrefix"),
        };
        let mode = description.parameter("RunMode").unwrap_or_default();
        let own = (own, mode.to_owned());
        let further = further.map(|pairs| {
            let pairs = pairs.into_iter();
            pairs
                .map(|pair| PairSetup::of_further(pair, &own))
                .collect()
        });
        Ok(Self(Some(Setup {
            starts_on_events: description.parameter("StartOnEvents") == Some("true"),
            flags: deployment.flags.clone(),
            own: PairSetup {
                name: None,
                place: Some(own),
                schedule,
            },
            further,
            stack,
        })))
    }

    /// Whether pairs were added to the stack, so that its runs have to be told apart.
    pub(super) fn has_further_pairs(&self) -> bool {
        !self.further().is_empty()
    }

    /// The name of the further pair whose run this is.
    pub(super) fn pair_of(&self, run: &LatestRun) -> Option<&str> {
        let pair = self.further().iter().find(|pair| pair.has(run))?;
        pair.name.as_deref()
    }

    fn further(&self) -> &[PairSetup] {
        let setup = self.0.as_ref();
        setup.map_or(&[][..], |setup| {
            setup.further.as_deref().unwrap_or_default()
        })
    }

    /// The fields of the document. `runs` are those that the last run of each pair is among.
    pub(super) fn json(&self, now: Timestamp, runs: &[LatestRun]) -> Value {
        let Some(setup) = &self.0 else {
            return json!({
                "stack": null, "pair": null, "schedule": null, "last_run": null, "further_pairs": null,
            });
        };
        let further = setup.further.as_ref().ok().map(|pairs| {
            let pairs = pairs.iter().map(|pair| pair.json_with(now, runs));
            pairs.collect::<Vec<_>>()
        });
        json!({
            "stack": setup.stack,
            "pair": setup.own.json(),
            "events": setup.starts_on_events,
            "schedule": setup.own.schedule_json(now),
            "last_run": setup.own.last_run(runs).map(LatestRun::end_json),
            "further_pairs": further,
        })
    }

    /// Above the runs.
    pub(super) fn write(
        &self,
        now: Timestamp,
        runs: &[LatestRun],
        screen: &mut Screen,
    ) -> std::io::Result<()> {
        let Some(setup) = &self.0 else {
            return Ok(());
        };
        setup.own.write(&format!("Stack {}", setup.stack), screen)?;
        screen.paragraph(Tone::Plain, 0, &setup.own.next_run(now))?;
        if setup.starts_on_events {
            let line = format!(
                "Events of the source start runs, too: shardlift {}events",
                setup.flags
            );
            screen.paragraph(Tone::Plain, 0, &line)?;
        }
        if self.has_further_pairs() {
            screen.paragraph(Tone::Plain, 0, &setup.own.last_run_line(runs))?;
        }
        for pair in self.further() {
            writeln!(screen.out())?;
            let name = pair.name.as_deref().unwrap_or_default();
            pair.write(&format!("Pair {name}"), screen)?;
            screen.paragraph(Tone::Plain, 0, &pair.next_run(now))?;
            screen.paragraph(Tone::Plain, 0, &pair.last_run_line(runs))?;
        }
        if let Err(error) = &setup.further {
            let line = format!(
                "Further pairs: not known. {}",
                Printable(&error.to_string())
            );
            screen.paragraph(Tone::Plain, 0, &line)?;
        }
        writeln!(screen.out())
    }
}
