//! `shardlift start`.

use std::path::Path;

use serde_json::json;
use shardlift_core::{
    failure::Failure,
    run::{event::INPUT_BYTES_MAX, input::RunInput, starter::text_without_starter},
    value::id::{RunId, ShardId},
};

use crate::{
    Ending, Screen,
    connection::Connection,
    error::CommandError,
    field_arguments::FieldArguments,
    list_upload, shell,
    start_arguments::{PlanArguments, StartArguments},
    watch,
};

/// Starts a run, and watches it when that was asked.
pub(crate) async fn start(
    connection: &Connection,
    arguments: StartArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let input = match (&arguments.rerun_of, &arguments.input_of) {
        (Some(earlier), _) => rerun_input(earlier, &arguments.shards),
        (None, Some(earlier)) => input_of(connection, earlier).await?,
        (None, None) => {
            chosen_input(connection, &arguments.input, arguments.pair.as_deref()).await?
        }
    };
    let input = with_fields(&input, &arguments.fields)?;
    let run = match arguments.new_run.name {
        Some(run) => run,
        None => name_by_time(jiff::Timestamp::now())?,
    };
    let input = match &arguments.list {
        Some(path) => {
            list_upload::upload(connection, &run, (path, arguments.list_format), &input).await?
        }
        None => input,
    };
    begin(
        connection,
        (Some(run), &input),
        arguments.new_run.watch,
        screen,
    )
    .await
}

/// Starts a run under this name, or under one made from the time, and watches it when that was asked.
pub(crate) async fn begin(
    connection: &Connection,
    (name, input): (Option<RunId>, &str),
    stays: bool,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let run = match name {
        Some(run) => run,
        None => name_by_time(jiff::Timestamp::now())?,
    };
    connection.machine.start(&run, input).await?;
    if stays {
        screen.note(&format!("run {run} started"))?;
        return watch::watch(connection, &run, screen).await;
    }
    let watch = format!(
        "shardlift {}watch {}",
        connection.flags,
        shell::quoted(&run)
    );
    if screen.is_json() {
        let input: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
        screen.json(json!({"run_id": run, "input": input, "watch": watch}))?;
    } else {
        writeln!(screen.out(), "{run}")?;
        screen.note(&format!("watch it: {watch}"))?;
    }
    Ok(Ending::Good)
}

/// Plans a run, and shows what it would do.
pub(crate) async fn plan(
    connection: &Connection,
    arguments: PlanArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let input = chosen_input(connection, &arguments.input, arguments.pair.as_deref()).await?;
    let input = with_fields(&input, &arguments.fields)?;
    let mut value: serde_json::Value =
        serde_json::from_str(&input).map_err(|error| not_json(&error))?;
    value["dry_run"] = json!(true);
    checked(&value)?;
    let run = name_by_time(jiff::Timestamp::now())?;
    connection.machine.start(&run, &value.to_string()).await?;
    screen.note(&format!("planning as run {run}"))?;
    watch::watch(connection, &run, screen).await
}

fn rerun_input(earlier: &RunId, shards: &[ShardId]) -> String {
    let mut input = json!({"rerun_of": earlier});
    if !shards.is_empty() {
        input["shards"] = json!(shards);
    }
    input.to_string()
}

/// What an earlier run was started with. Step Functions keeps it for 90 days after its end.
async fn input_of(connection: &Connection, earlier: &RunId) -> Result<String, CommandError> {
    let execution = connection.machine.describe(earlier).await?;
    execution.input.ok_or_else(|| {
        CommandError::usage(format!(
            "Step Functions does not show the input of run {earlier}"
        ))
    })
}

/// The input that was typed, or that of a further pair, whose schedule does not start this run.
async fn chosen_input(
    connection: &Connection,
    typed: &str,
    pair: Option<&str>,
) -> Result<String, CommandError> {
    match pair {
        Some(pair) => {
            let scheduled = connection.schedules.input_of_pair(pair).await;
            scheduled.map(text_without_starter)
        }
        None => read_input(typed),
    }
}

fn with_fields(input: &str, fields: &FieldArguments) -> Result<String, CommandError> {
    let input = fields.put_into(input)?;
    let value = serde_json::from_str(&input).map_err(|error| not_json(&error))?;
    checked(&value)?;
    Ok(input)
}

fn not_json(error: &serde_json::Error) -> CommandError {
    CommandError::usage(format!("the input is not JSON: {error}"))
}

fn checked(input: &serde_json::Value) -> Result<(), CommandError> {
    RunInput::parse(input)
        .map(drop)
        .map_err(|Failure { code, detail }| CommandError::usage(format!("{code}: {detail}")))
}

/// The input as it was typed, once it is known to be one: a wrong field is reported here, not minutes later by mail.
fn read_input(argument: &str) -> Result<String, CommandError> {
    let file = argument
        .strip_prefix('@')
        .or_else(|| argument.strip_prefix("file://"));
    let text = match file {
        None => argument.to_owned(),
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            CommandError::usage(format!("the input file {path} cannot be read: {error}"))
        })?,
    };
    if text.len() > INPUT_BYTES_MAX {
        return Err(CommandError::usage(format!(
            "the input has {} bytes; a run takes at most {INPUT_BYTES_MAX}",
            text.len()
        )));
    }
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| match file {
        None if Path::new(argument).exists() => CommandError::usage(format!(
            "the input is not JSON. {argument} is a file: write --input @{argument}"
        )),
        _ => not_json(&error),
    })?;
    checked(&value)?;
    Ok(text)
}

/// A run id that sorts by time, for example `run-20261122T014501123`.
fn name_by_time(now: jiff::Timestamp) -> Result<RunId, CommandError> {
    let time = now
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%S%3f")
        .to_string();
    RunId::new(format!("run-{time}")).map_err(|invalid| CommandError::usage(invalid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_input_is_refused_before_anything_is_started() {
        for (input, names) in [
            ("{", "not JSON"),
            (r#"{"modus": "copy"}"#, "modus"),
            (r#"{"rerun_of": "a", "mode": "copy"}"#, "`mode`"),
            (r#"{"source": {"bucket": "No Such"}}"#, "`source.bucket`"),
            ("@/no/such/file", "/no/such/file"),
            ("file:///no/such/file", "/no/such/file"),
            (
                concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
                "--input @/",
            ),
        ] {
            let error = read_input(input).unwrap_err().to_string();
            assert!(error.contains(names), "{input}: {error}");
        }
        assert_eq!(read_input("{}").unwrap(), "{}");
    }

    #[test]
    fn a_rerun_names_its_run_and_the_shards_that_were_chosen() {
        let earlier = RunId::new("nightly-1").unwrap();
        let shards = ["2-1", "2-7"].map(|id| ShardId::new(id).unwrap());
        for (shards, expected) in [
            (&shards[..0], r#"{"rerun_of":"nightly-1"}"#),
            (
                &shards[..],
                r#"{"rerun_of":"nightly-1","shards":["2-1","2-7"]}"#,
            ),
        ] {
            let input = rerun_input(&earlier, shards);
            assert_eq!(input, expected);
            assert!(read_input(&input).is_ok());
        }
    }

    #[test]
    fn a_run_is_named_by_its_time() {
        let now = jiff::Timestamp::from_millisecond(1_795_311_901_123).unwrap();
        assert_eq!(
            name_by_time(now).unwrap().as_str(),
            "run-20261122T014501123"
        );
    }
}
