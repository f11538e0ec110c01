//! What a stack copies, and when it does so next.

use jiff::Zoned;
use serde_json::{Value, json};
use shardlift_core::value::{figures::duration, printable::Printable, time::Timestamp};

use crate::{
    Screen,
    arguments::StackArguments,
    deployment::{Deployment, StackDescription},
    error::CommandError,
    schedule::Schedule,
    screen::Tone,
};

/// How a stack is set up. Empty where its parts were named one by one, by somebody who may not read the stack.
pub(super) struct StackSetup(Option<Setup>);

struct Setup {
    stack: String,
    source: String,
    target: String,
    mode: String,
    starts_on_events: bool,
    flags: String,
    /// Or why it could not be read.
    schedule: Result<Schedule, CommandError>,
}

impl StackSetup {
    /// Reads the stack and its schedule.
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
        let description = StackDescription::read(&deployment.sdk, &stack).await?;
        let place = |bucket, prefix| {
            let value = |name| description.parameter(name).unwrap_or_default();
            format!("s3://{}/{}", value(bucket), value(prefix))
        };
        Ok(Self(Some(Setup {
            source: place("SourceBucketName", "SourcePrefix"),
            target: place("TargetBucketName", "TargetPrefix"),
            mode: description.parameter("RunMode").unwrap_or_default().into(),
            starts_on_events: description.parameter("StartOnEvents") == Some("true"),
            flags: deployment.flags.clone(),
            schedule: Schedule::read(&deployment.sdk, &stack).await,
            stack,
        })))
    }

    /// The fields of the document.
    pub(super) fn json(&self, now: Timestamp) -> Value {
        let Some(setup) = &self.0 else {
            return json!({"stack": null, "pair": null, "schedule": null});
        };
        let schedule = setup.schedule.as_ref().ok().map(|schedule| {
            json!({
                "enabled": schedule.is_enabled,
                "expression": schedule.expression,
                "timezone": schedule.zone,
                "next_run_at": schedule.next_after(instant(now)).map(|at| utc(&at)),
            })
        });
        json!({
            "stack": setup.stack,
            "pair": {"source": setup.source, "target": setup.target, "mode": setup.mode},
            "events": setup.starts_on_events,
            "schedule": schedule,
        })
    }

    /// Above the runs.
    pub(super) fn write(&self, now: Timestamp, screen: &mut Screen) -> std::io::Result<()> {
        let Some(setup) = &self.0 else {
            return Ok(());
        };
        let (source, target) = (Printable(&setup.source), Printable(&setup.target));
        let pair = format!("{source} to {target}, {}", setup.mode);
        let stack = format!("Stack {}", setup.stack);
        if screen.fits(stack.len() + pair.chars().count() + 2) {
            let stack = screen.toned(Tone::Strong, &stack);
            writeln!(screen.out(), "{stack}: {pair}")?;
        } else {
            let line = screen.toned(Tone::Strong, &stack);
            writeln!(screen.out(), "{line}")?;
            screen.paragraph(Tone::Plain, 2, &pair)?;
        }
        screen.paragraph(Tone::Plain, 0, &setup.next_run(now))?;
        if setup.starts_on_events {
            let line = format!(
                "Events of the source start runs, too: shardlift {}events",
                setup.flags
            );
            screen.paragraph(Tone::Plain, 0, &line)?;
        }
        writeln!(screen.out())
    }
}

impl Setup {
    fn next_run(&self, now: Timestamp) -> String {
        let schedule = match &self.schedule {
            Ok(schedule) => schedule,
            Err(error) => {
                return format!("Next run: not known. {}", Printable(&error.to_string()));
            }
        };
        if !schedule.is_enabled {
            return "Next run: none, the schedule is disabled (ScheduleState).".to_owned();
        }
        match schedule.next_after(instant(now)) {
            Some(at) => {
                let millis = at.timestamp().as_millisecond();
                let wait = Timestamp::from_millis(millis).since(now);
                let (time, wait) = (at.strftime("%Y-%m-%d %H:%M"), duration(wait));
                format!("Next run: {time} {}, in {wait}", schedule.zone)
            }
            None => format!(
                "Next run: by {} {}",
                Printable(&schedule.expression),
                Printable(&schedule.zone)
            ),
        }
    }
}

fn instant(now: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn utc(at: &Zoned) -> String {
    at.timestamp().to_string()
}
