//! A list on its way to the control bucket.

use std::{fs::File, io::Read, path::Path};

use serde_json::{Value, json};
use shardlift_core::{
    failure::Failure,
    port::{ControlStore, ControlWriter},
    run::{
        input::RunInput,
        list::{LISTS_FOLDER, ListFormat},
    },
    value::id::RunId,
};

use crate::{connection::Connection, error::CommandError};

/// How much of the file is in memory.
const PIECE_BYTES: usize = 4 << 20;

/// Uploads the list of a run, and returns the input with it.
pub(crate) async fn upload(
    connection: &Connection,
    run: &RunId,
    (path, format): (&Path, Option<ListFormat>),
    input: &str,
) -> Result<String, CommandError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        CommandError::usage(format!("the file name {} is not UTF-8", path.display()))
    })?;
    let format = format.or_else(|| format_of(name));
    let format = format.ok_or_else(|| CommandError::usage(without_format(name)))?;
    let key = format!("{LISTS_FOLDER}{run}/{name}");
    let input = with_list(connection, input, &key, format)?;
    send(connection, path, &key).await?;
    Ok(input)
}

fn with_list(
    connection: &Connection,
    input: &str,
    key: &str,
    format: ListFormat,
) -> Result<String, CommandError> {
    let mut input: Value = serde_json::from_str(input)
        .map_err(|error| CommandError::usage(format!("the input is not JSON: {error}")))?;
    let source = &mut input["source"];
    if !source["list"].is_null() {
        return Err(CommandError::usage(
            "the input already names a list (source.list): leave out one of the two",
        ));
    }
    source["list"] = json!({
        "bucket": connection.control.bucket(), "key": key, "format": format,
    });
    RunInput::parse(&input)
        .map_err(|Failure { code, detail }| CommandError::usage(format!("{code}: {detail}")))?;
    Ok(input.to_string())
}

async fn send(connection: &Connection, path: &Path, key: &str) -> Result<(), CommandError> {
    let unreadable = |error: std::io::Error| {
        CommandError::usage(format!(
            "the list {} cannot be read: {error}",
            path.display()
        ))
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut writer = connection.control.open(key, "application/octet-stream");
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).map_err(unreadable);
        let written = match read {
            Ok(0) => break,
            Ok(bytes) => writer
                .write(&piece[..bytes])
                .await
                .map_err(CommandError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            // The first fault tells more than that of giving up.
            let _ = writer.abandon().await;
            return Err(error);
        }
    }
    Ok(writer.finish().await?)
}

/// Why a name does not tell the format, and what to do.
fn without_format(name: &str) -> String {
    if name.ends_with(".orc") {
        return format!(
            "{name} is Apache ORC, which is not read: write the list as Parquet, CSV or JSON lines"
        );
    }
    if name == "manifest.json" {
        return "the manifest.json of an S3 Inventory is not uploaded, since it names files beside it: leave it where S3 wrote \
            it, and name it in the input: {\"source\":{\"list\":{\"bucket\":\"…\",\"key\":\"…/manifest.json\",\"format\":\"inventory\"}}}. The \
            stack's parameter AllowedListBuckets must have the bucket"
            .to_owned();
    }
    format!(
        "the name {name} does not show the list's format: add --list-format csv, jsonl, parquet or receipts"
    )
}

/// The format that a name tells.
fn format_of(name: &str) -> Option<ListFormat> {
    let plain = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(name);
    match plain.rsplit_once('.')?.1 {
        "csv" => Some(ListFormat::Csv),
        "jsonl" | "ndjson" => Some(ListFormat::Jsonl),
        "parquet" => Some(ListFormat::Parquet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format() {
        for (name, format) in [
            ("failures.csv", Some(ListFormat::Csv)),
            ("keys.csv.gz", Some(ListFormat::Csv)),
            ("a.b.jsonl.zst", Some(ListFormat::Jsonl)),
            ("part-0.parquet", Some(ListFormat::Parquet)),
            ("keys", None),
            ("keys.txt", None),
            (".gz", None),
        ] {
            assert_eq!(format_of(name), format, "{name}");
        }
    }

    #[test]
    fn a_name_without_a_format_says_what_to_do() {
        for (name, told) in [
            ("list.orc", "Apache ORC, which is not read"),
            ("manifest.json", "\"format\":\"inventory\""),
            ("list.txt", "--list-format"),
        ] {
            assert_eq!(format_of(name), None);
            let message = without_format(name);
            assert!(message.contains(told), "{message}");
        }
    }
}
