//! `shardlift manifest`: the objects of a shard.

use std::io::Write;

use serde_json::{Value, json};
use shardlift_core::{
    documents::{DocumentError, manifest::Manifest},
    port::ControlStore,
    value::{
        object::ListedObject,
        printable::{Printable, printable_json},
    },
};

use crate::{
    Ending, Screen, connection::Connection, error::CommandError, json_output::JsonList,
    run_arguments::ManifestArguments, shell,
};

/// Prints the objects of a shard, one a line.
pub(crate) async fn show(
    connection: &Connection,
    arguments: &ManifestArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let (run, shard) = (&arguments.run, &arguments.shard);
    let documents = connection.documents(run);
    let manifest = documents
        .manifest(shard)
        .await
        .map_err(|error| match error {
            DocumentError::Missing { key } => CommandError::usage(format!(
                "the bucket {} has no manifest {key}; `shardlift shards {}` lists the shards",
                connection.control.bucket(),
                shell::quoted(run)
            )),
            error => error.into(),
        })?;
    if screen.is_json() {
        let mut list = JsonList::begin(screen, "objects")?;
        for object in &manifest.objects {
            list.add(&item(object), screen)?;
        }
        list.end(&json!({"run_id": run, "shard_id": shard}), screen)?;
    } else if arguments.json {
        for object in &manifest.objects {
            let line = item(object).to_string();
            writeln!(screen.out(), "{}", printable_json(&line))?;
        }
    } else {
        write_table(&manifest, screen.out())?;
    }
    Ok(Ending::Good)
}

fn item(object: &ListedObject) -> Value {
    json!({
        "key": object.key, "size_bytes": object.size_bytes, "etag": object.etag,
        "modified_at": object.modified_at.to_string(),
    })
}

/// Tabs between the columns; a tab within a key is escaped, so it is never mistaken for one of them.
fn write_table(manifest: &Manifest, out: &mut dyn Write) -> std::io::Result<()> {
    for object in &manifest.objects {
        writeln!(
            out,
            "{}\t{}\t{}\t{}",
            Printable(object.key.as_str()),
            object.size_bytes,
            Printable(object.etag.as_str()),
            object.modified_at
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::{
        id::{RunId, ShardId},
        key::ObjectKey,
        object::ETag,
        storage::ObjectStorage,
        time::Timestamp,
    };

    use super::*;

    #[test]
    fn every_object_is_one_line_of_four_columns_whatever_its_key() {
        let keys = [
            "plain",
            "tab\tand\nline",
            "\u{1b}]0;title\u{7}",
            "back\\slash",
        ];
        let manifest = Manifest {
            run_id: RunId::new("run").unwrap(),
            shard_id: ShardId::new("r0-1").unwrap(),
            objects: keys
                .iter()
                .map(|key| ListedObject {
                    key: ObjectKey::new(*key).unwrap(),
                    size_bytes: 1,
                    etag: ETag::new("e").unwrap(),
                    modified_at: Timestamp::from_millis(0),
                    storage: ObjectStorage::default(),
                    version_id: None,
                })
                .collect(),
        };
        let mut out = Vec::new();
        write_table(&manifest, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), keys.len());
        assert!(
            text.lines().all(|line| line.split('\t').count() == 4),
            "{text}"
        );
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
    }
}
