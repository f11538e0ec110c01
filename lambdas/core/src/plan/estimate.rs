//! The estimate of a run, made before anything is copied.

use serde::{Deserialize, Serialize};

use super::{copy_effort::CopyEffort, range::ListingTally};
use crate::{
    run::{option::Verify, spec::RunSpec},
    value::tally::RequestCounts,
};

/// What a run is estimated to take after planning. Priced by [`Prices`](crate::report::prices::Prices).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunEstimate {
    /// Requests by IAM action, those of planning included.
    pub requests: RequestCounts,
    /// How long copying takes with the stack's concurrency, in seconds.
    pub copy_seconds: u64,
}

/// What an estimate is made from.
#[derive(Debug, Clone, Copy)]
pub struct EstimateBasis<'a> {
    /// The run.
    pub spec: &'a RunSpec,
    /// What was listed and planned.
    pub tally: &'a ListingTally,
    /// Shards, those of deletions and of parts included.
    pub shards: u64,
    /// The most copiers at once.
    pub max_concurrency: u32,
    /// The requests of planning.
    pub planning: &'a RequestCounts,
}

/// Children of a Standard Map that start per second
/// (docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html).
const CHILDREN_STARTED_PER_SECOND: u64 = 100;
/// Keys of a listing page and of a deletion request.
const KEYS_PER_REQUEST: u64 = 1_000;

impl RunEstimate {
    /// The estimate of a finished plan.
    #[must_use]
    pub fn of(basis: &EstimateBasis<'_>) -> Self {
        let EstimateBasis { tally, shards, .. } = *basis;
        let effort = tally.effort;
        let mut requests = basis.planning.clone();
        let mut add = |operation: &str, count: u64| {
            if count > 0 {
                *requests.entry(operation.to_owned()).or_default() += count;
            }
        };
        add(
            "s3:CopyObject",
            tally.planned.objects.saturating_sub(effort.uploads),
        );
        for operation in [
            "s3:CreateMultipartUpload",
            "s3:CompleteMultipartUpload",
            "s3:HeadObject",
            "s3:GetObjectTagging",
        ] {
            add(operation, effort.uploads);
        }
        add("s3:UploadPartCopy", effort.parts);
        add(
            "s3:DeleteObjects",
            tally.deletes.objects.div_ceil(KEYS_PER_REQUEST),
        );
        // A copier reads its run, its shard and its manifest, and writes the shard three times.
        add("dynamodb:GetItem", 2 * shards);
        add("dynamodb:PutItem", 3 * shards);
        add("s3:GetObject", shards);
        // A child of the Map: begin, CopyShard, its choice, end.
        add("states:Transition", 4 * shards);
        if basis.spec.verify != Verify::None {
            let source = tally.planned.objects + tally.same.objects + tally.filtered.objects;
            let target = tally.planned.objects + tally.at_target.objects;
            add(
                "s3:ListObjectsV2",
                source.div_ceil(KEYS_PER_REQUEST) + target.div_ceil(KEYS_PER_REQUEST),
            );
        }
        Self {
            requests,
            copy_seconds: copy_seconds(effort, shards, basis.max_concurrency),
        }
    }
}

fn copy_seconds(effort: CopyEffort, shards: u64, max_concurrency: u32) -> u64 {
    if shards == 0 {
        return 0;
    }
    let copiers = u64::from(max_concurrency).clamp(1, shards);
    let busy = effort.busy_us.div_ceil(1_000_000).div_ceil(copiers);
    busy.max(shards / CHILDREN_STARTED_PER_SECOND).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::prices::Prices, run::input::RunInput, value::tally::Count};

    fn spec(verify: &str) -> RunSpec {
        let input = serde_json::json!({
            "source": {"bucket": "source"}, "verify": verify,
            "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        });
        RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap()
    }

    #[test]
    fn planning_and_bookkeeping_of_a_million_objects_stay_below_one_percent_of_their_copies() {
        let objects = 1_000_000;
        let tally = ListingTally {
            planned: Count { objects, bytes: 0 },
            ..ListingTally::default()
        };
        // 1,000 pages of the source, 100 shards: a manifest and a step of two records each.
        let planning = RequestCounts::from([
            ("s3:ListObjectsV2".to_owned(), 1_000),
            ("s3:PutObject".to_owned(), 101),
            ("dynamodb:TransactWriteItems".to_owned(), 400),
        ]);
        let estimate = RunEstimate::of(&EstimateBasis {
            spec: &spec("none"),
            tally: &tally,
            shards: 100,
            max_concurrency: 100,
            planning: &planning,
        });
        assert_eq!(estimate.requests["s3:CopyObject"], objects);
        let prices = Prices::default();
        let copies = prices.request_usd("s3:CopyObject") * 1_000_000.0;
        let overhead = prices.total_usd(&estimate.requests) - copies;
        assert!(overhead > 0.0 && overhead < copies / 100.0, "{overhead}");
    }

    #[test]
    fn more_copiers_take_less_time_until_starting_them_takes_longer() {
        let effort = CopyEffort {
            busy_us: 1_000_000_000,
            ..CopyEffort::default()
        };
        assert_eq!(copy_seconds(effort, 50, 10), 100);
        assert_eq!(
            copy_seconds(effort, 50, 1_000),
            20,
            "no more copiers than shards"
        );
        assert_eq!(copy_seconds(effort, 100_000, 10_000), 1_000);
        assert_eq!(copy_seconds(effort, 0, 10), 0);
    }
}
