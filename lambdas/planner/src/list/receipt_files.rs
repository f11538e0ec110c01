//! The lists of receipts that an index of a run names.

use shardlift_core::{failure::Failure, run::list::SourceList, value::bucket::BucketName};

use super::list_file::refused;

const ACTION: &str = "name the receipts-index/symlink.txt of a run as its reporter wrote it, and start a new execution";

/// A list of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceiptFile {
    pub(super) bucket: BucketName,
    pub(super) key: String,
}

/// The lists that the index `list` with this text names, in the order of their lines.
///
/// # Errors
/// `InvalidRun` when it is none, is cut off, or is longer than `bytes_max`.
pub(super) fn read(
    list: &SourceList,
    text: &[u8],
    bytes_max: u64,
) -> Result<Vec<ReceiptFile>, Failure> {
    let wrong = |problem: &str| refused(&list.bucket, list.key.as_str(), problem, ACTION);
    if text.len() as u64 >= bytes_max {
        return Err(wrong(&format!("the index has {bytes_max} bytes or more")));
    }
    // The reporter ends each line, so a last one without an end is a part of one.
    if !text.is_empty() && !text.ends_with(b"\n") {
        return Err(wrong("the index is cut off within a line"));
    }
    let text = std::str::from_utf8(text).map_err(|_| wrong("the index is not UTF-8"))?;
    let file = |(number, line): (usize, &str)| {
        let place = line
            .strip_prefix("s3://")
            .and_then(|place| place.split_once('/'));
        let file = place.and_then(|(bucket, key)| {
            let bucket = BucketName::new(bucket).ok()?;
            let key = key.to_owned();
            (1..=1024)
                .contains(&key.len())
                .then_some(ReceiptFile { bucket, key })
        });
        let number = number + 1;
        file.ok_or_else(|| {
            wrong(&format!(
                "line {number} of the index is no s3:// address of a list"
            ))
        })
    };
    text.lines().enumerate().map(file).collect()
}

#[cfg(test)]
mod tests {
    use shardlift_core::{run::list::ListFormat, value::key::ObjectKey};

    use super::*;

    fn files(text: &[u8]) -> Result<Vec<String>, String> {
        let list = SourceList {
            bucket: BucketName::new("control").unwrap(),
            key: ObjectKey::new("runs/a/receipts-index/symlink.txt").unwrap(),
            format: ListFormat::Receipts,
        };
        let name = |file: ReceiptFile| format!("{} {}", file.bucket, file.key);
        let files = read(&list, text, 200).map_err(|failure| failure.detail)?;
        Ok(files.into_iter().map(name).collect())
    }

    #[test]
    fn an_index_names_lists_and_nothing_else() {
        assert_eq!(files(b""), Ok(Vec::new()));
        assert_eq!(
            files(b"s3://control/runs/a/kept/1-0\ns3://other-bucket/b c\r\n"),
            Ok(vec![
                "control runs/a/kept/1-0".into(),
                "other-bucket b c".into()
            ])
        );
        for (text, problem) in [
            (
                &b"s3://control/runs/a/kept/1-0"[..],
                "cut off within a line",
            ),
            (b"s3://control/a\nruns/a\n", "line 2 of the index"),
            (b"s3://control/\n", "line 1"),
            (b"s3://C/k\n", "line 1"),
            (b"\n", "line 1"),
            (b"\xff\n", "not UTF-8"),
            (&[b'\n'; 200], "200 bytes or more"),
        ] {
            let refused = files(text).unwrap_err();
            assert!(refused.contains(problem), "{refused}");
        }
    }
}
