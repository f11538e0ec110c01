//! The index of a run's lists of receipts: one `s3://` address a line, as Athena's `SymlinkTextInputFormat` takes it.

use crate::{documents::RunDocument, failure::Failure, value::bucket::BucketName};

/// The line of a list.
#[must_use]
pub fn line(bucket: &BucketName, key: &str) -> String {
    format!("s3://{bucket}/{key}\n")
}

/// The keys of all lists, in the order of their lines.
///
/// # Errors
/// `InvariantViolated` when a line is no address in this bucket.
pub fn keys(bucket: &BucketName, text: &[u8]) -> Result<Vec<String>, Failure> {
    let begin = format!("s3://{bucket}/");
    let text = std::str::from_utf8(text).map_err(|error| broken(&error.to_string()))?;
    text.lines()
        .map(|line| match line.strip_prefix(&begin) {
            Some(key) if !key.is_empty() => Ok(key.to_owned()),
            _ => Err(broken(&format!("{line:?} does not begin with {begin}"))),
        })
        .collect()
}

/// Whether a document tells what became of objects of a run: receipts, what its plan kept, or the index of both. Nothing else
/// of a run can be named as a list.
#[must_use]
pub fn is_of_receipts(key: &str) -> bool {
    let run = key
        .strip_prefix("runs/")
        .and_then(|key| key.split_once('/'));
    run.is_some_and(|(run_id, document)| {
        let folders = ["receipts/", "kept/"];
        let is_list = folders.iter().any(|folder| document.starts_with(folder));
        !run_id.is_empty() && (is_list || document == RunDocument::ReceiptIndex.file_name())
    })
}

/// Whether a list with this key is such an index, wherever it lies.
#[must_use]
pub fn is_index(key: &str) -> bool {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    let index = RunDocument::ReceiptIndex.file_name();
    index
        .rsplit_once('/')
        .is_some_and(|(_, index)| index == name)
}

fn broken(reason: &str) -> Failure {
    Failure::invariant(format!(
        "the index of the receipts cannot be read: {reason}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::control_key,
        value::id::{RunId, ShardId},
    };

    #[test]
    fn the_receipts_of_a_run_are_known_by_their_keys() {
        let (run, shard) = (RunId::new("night.1").unwrap(), ShardId::new("1-0").unwrap());
        let index = control_key::report_document(&run, RunDocument::ReceiptIndex.file_name());
        assert!(is_index(&index) && is_index("lists/symlink.txt"));
        for key in [
            index,
            control_key::receipts(&run, &shard, 1),
            control_key::counted_receipts(&run, &shard),
            control_key::kept(&run, &shard),
        ] {
            assert!(is_of_receipts(&key), "{key}");
        }
        for key in [
            control_key::manifest(&run, &shard),
            control_key::failures(&run, &shard, 1),
            control_key::report_document(&run, "report.json"),
            "runs//receipts/1-0/1.jsonl.zst".to_owned(),
            "lists/runs/a/receipts/1".to_owned(),
            "runs/a/receipts-index/other".to_owned(),
        ] {
            assert!(!is_of_receipts(&key) && !is_index(&key), "{key}");
        }
    }

    #[test]
    fn what_was_written_is_read_and_another_bucket_is_refused() {
        let bucket = BucketName::new("control").unwrap();
        let text = [
            "runs/a/kept/1-0.jsonl.zst",
            "runs/a b/receipts/1-1/2.jsonl.zst",
        ]
        .map(|key| line(&bucket, key))
        .concat();
        assert_eq!(
            keys(&bucket, text.as_bytes()).unwrap(),
            [
                "runs/a/kept/1-0.jsonl.zst",
                "runs/a b/receipts/1-1/2.jsonl.zst"
            ]
        );
        assert!(keys(&bucket, b"").unwrap().is_empty());
        for wrong in ["s3://controls/k\n", "s3://control/\n", "\n", "runs/a\n"] {
            assert!(keys(&bucket, wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(keys(&bucket, b"s3://control/\xff\n").is_err());
    }
}
