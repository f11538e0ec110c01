//! Where a run reads and writes: by this the runs of one pair are told from those of another.

use shardlift_core::{
    report::ReportedPair,
    run::input::RunInput,
    value::{bucket::BucketName, key::KeyPrefix},
};

/// A source and a target, as a person writes them: `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunPlace {
    pub(super) source: String,
    pub(super) target: String,
}

impl RunPlace {
    /// That of a run.
    pub(super) fn of(pair: &ReportedPair) -> Self {
        Self {
            source: uri(&pair.source.bucket, &pair.source.prefix),
            target: uri(&pair.target.bucket, &pair.target.prefix),
        }
    }

    /// That of a run with this input, where the stack's own is `self`.
    pub(super) fn changed_by(&self, input: &RunInput) -> Self {
        let (source, target) = (&input.source, &input.target);
        Self {
            source: changed(&self.source, source.bucket.as_ref(), source.prefix.as_ref()),
            target: changed(&self.target, target.bucket.as_ref(), target.prefix.as_ref()),
        }
    }
}

fn changed(own: &str, bucket: Option<&BucketName>, prefix: Option<&KeyPrefix>) -> String {
    let own = own.strip_prefix("s3://").unwrap_or(own);
    let (own_bucket, own_prefix) = own.split_once('/').unwrap_or((own, ""));
    let bucket = bucket.map_or(own_bucket, BucketName::as_str);
    format!(
        "s3://{bucket}/{}",
        prefix.map_or(own_prefix, KeyPrefix::as_str)
    )
}

fn uri(bucket: &BucketName, prefix: &KeyPrefix) -> String {
    format!("s3://{bucket}/{}", prefix.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_input_leaves_out_is_as_in_the_stacks_own_pair() {
        let own = RunPlace {
            source: "s3://source/data/".into(),
            target: "s3://target/copy/".into(),
        };
        let changed = |input| own.changed_by(&RunInput::parse(&input).unwrap());
        assert_eq!(changed(json!({})), own);
        let place = changed(json!({"source": {"prefix": ""}, "target": {"bucket": "other"}}));
        assert_eq!(place.source, "s3://source/");
        assert_eq!(place.target, "s3://other/copy/");
    }
}
