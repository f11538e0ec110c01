//! The index of a run's lists of receipts: one `s3://` address a line, as Athena's `SymlinkTextInputFormat` takes it.

use crate::{failure::Failure, value::bucket::BucketName};

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

fn broken(reason: &str) -> Failure {
    Failure::invariant(format!(
        "the index of the receipts cannot be read: {reason}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

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
