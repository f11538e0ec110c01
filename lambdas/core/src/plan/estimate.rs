//! The estimate of a run, made before anything is copied.

use serde::{Deserialize, Serialize};

use super::{
    copier_count::{PARTITION_WRITES_PER_SECOND, copier_count, processor_us},
    copy_effort::CopyEffort,
    range::ListingTally,
};
use crate::{
    run::{
        option::{TagPolicy, Verify},
        spec::RunSpec,
    },
    value::{
        deadline::{INVOKE, MB_MILLISECOND},
        tally::{RENDITION_WRITES, RequestCounts},
    },
};

/// What a run is estimated to take after planning. Priced by [`Prices`](crate::report::prices::Prices).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunEstimate {
    /// Requests by IAM action, those of planning included.
    pub requests: RequestCounts,
    /// How long copying takes with the stack's concurrency once S3 has spread the target prefix over enough partitions,
    /// in seconds.
    pub copy_seconds: u64,
    /// How long it takes while one partition takes all writes, in seconds.
    #[serde(default)]
    pub copy_seconds_max: u64,
    /// How many copiers the run has at once; 0 in plans from before this was estimated.
    #[serde(default)]
    pub copiers: u32,
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
    /// The memory of a copier or renderer, which is its processor too.
    pub worker_memory_mb: u32,
    /// The most writes per second of the run, if the stack sets a cap.
    pub writes_per_second_max: Option<u32>,
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
        let written_at_once = tally.planned.objects.saturating_sub(effort.uploads);
        if basis.spec.transform.is_some() {
            // At most: what is no image is read and not written.
            add("s3:GetObject", written_at_once);
            add(RENDITION_WRITES, written_at_once);
            if basis.spec.tags != TagPolicy::Ignore {
                add("s3:GetObjectTagging", written_at_once);
            }
        } else {
            add("s3:CopyObject", written_at_once);
        }
        add("s3:CreateMultipartUpload", effort.uploads);
        add("s3:CompleteMultipartUpload", effort.uploads);
        // What it must state, and afterwards what it shows.
        add("s3:HeadObject", 2 * effort.uploads);
        if basis.spec.tags != TagPolicy::Ignore {
            add("s3:GetObjectTagging", effort.uploads);
            add("s3:ListObjectAnnotations", effort.uploads);
        }
        add("s3:UploadPartCopy", effort.parts);
        // A copier looks at the source of a copy in one call for a redirect, and where checksums are compared.
        add("s3:HeadObject", effort.looks);
        // A copier looks for each key at the source before it deletes it.
        add("s3:HeadObject", tally.deletes.objects);
        add(
            "s3:DeleteObjects",
            tally.deletes.objects.div_ceil(KEYS_PER_REQUEST),
        );
        // A copier reads its run, its shard and its manifest, and writes the shard three times.
        add("dynamodb:GetItem", 2 * shards);
        add("dynamodb:PutItem", 3 * shards);
        add("s3:GetObject", shards);
        // A child of the Map: begin, the choice of the function, CopyShard, its choice, end.
        add("states:Transition", 5 * shards);
        if basis.spec.verify != Verify::None {
            let at_source = [tally.planned, tally.same, tally.archived, tally.filtered];
            let source: u64 = at_source.iter().map(|count| count.objects).sum();
            let target = tally.planned.objects + tally.at_target.objects;
            add(
                "s3:ListObjectsV2",
                source.div_ceil(KEYS_PER_REQUEST) + target.div_ceil(KEYS_PER_REQUEST),
            );
        }
        // An upload is created and completed where another object is copied once.
        let writes = tally.planned.objects + effort.uploads + effort.parts;
        // A cap is shared by as many as the stack allows, so with fewer of them some of it would be nobody's.
        let copiers = match basis.writes_per_second_max {
            Some(_) => basis.max_concurrency.max(1),
            None => copier_count(
                effort,
                writes + tally.deletes.objects,
                basis.worker_memory_mb,
                basis.max_concurrency,
            ),
        };
        let (copy_seconds, copy_seconds_max) = copy_seconds(basis, effort, writes, copiers);
        // While one partition takes all writes, copiers wait for it and are paid for.
        let working = u64::from(copiers).min(shards);
        let memory_mb = u64::from(basis.worker_memory_mb);
        add(INVOKE, shards);
        add(
            MB_MILLISECOND,
            working * copy_seconds_max * 1_000 * memory_mb,
        );
        Self {
            requests,
            copy_seconds,
            copy_seconds_max,
            copiers,
        }
    }
}

/// The least and the most time, see [`RunEstimate`].
fn copy_seconds(
    basis: &EstimateBasis<'_>,
    effort: CopyEffort,
    writes: u64,
    copiers: u32,
) -> (u64, u64) {
    if basis.shards == 0 {
        return (0, 0);
    }
    let copiers_max = u64::from(basis.max_concurrency).max(1);
    let copiers = u64::from(copiers).min(basis.shards);
    let busy = effort.busy_us.div_ceil(1_000_000).div_ceil(copiers);
    let computed = processor_us(writes, basis.worker_memory_mb)
        .div_ceil(1_000_000)
        .div_ceil(copiers);
    // Each copier has the same share of the cap, whether or not the others have work.
    let capped = basis.writes_per_second_max.map_or(0, |cap| {
        let cap = u128::from(cap.max(1)) * u128::from(copiers);
        let seconds = (u128::from(writes) * u128::from(copiers_max)).div_ceil(cap);
        u64::try_from(seconds).unwrap_or(u64::MAX)
    });
    let least = busy
        .max(computed)
        .max(capped)
        .max(basis.shards / CHILDREN_STARTED_PER_SECOND)
        .max(1);
    (
        least,
        least.max(writes.div_ceil(PARTITION_WRITES_PER_SECOND)),
    )
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
            worker_memory_mb: 256,
            writes_per_second_max: None,
            planning: &planning,
        });
        assert_eq!(estimate.requests["s3:CopyObject"], objects);
        let prices = Prices::default();
        let copies = prices.request_usd("s3:CopyObject") * 1_000_000.0;
        let overhead = prices.total_usd(&estimate.requests) - copies;
        assert!(overhead > 0.0 && overhead < copies / 100.0, "{overhead}");
    }

    /// The times of so many small objects in shards of 10,000.
    fn small_objects(objects: u64, max_concurrency: u32, cap: Option<u32>) -> (u64, u64) {
        let mut effort = CopyEffort::of_object(0, 5 << 30, 5 << 30);
        effort.busy_us *= objects;
        let tally = ListingTally {
            planned: Count { objects, bytes: 0 },
            effort,
            ..ListingTally::default()
        };
        let estimate = RunEstimate::of(&EstimateBasis {
            spec: &spec("none"),
            tally: &tally,
            shards: objects.div_ceil(10_000),
            max_concurrency,
            worker_memory_mb: 256,
            writes_per_second_max: cap,
            planning: &RequestCounts::new(),
        });
        (estimate.copy_seconds, estimate.copy_seconds_max)
    }

    #[test]
    fn a_hundred_million_objects_take_fifty_minutes_or_eight_hours() {
        // 64 copiers of 524 writes per second; 3,500 writes per second.
        assert_eq!(small_objects(100_000_000, 64, None), (2_981, 28_572));
    }

    #[test]
    fn copiers_that_reach_less_than_one_partition_takes_are_the_limit() {
        assert_eq!(small_objects(1_000_000, 5, None), (382, 382));
        // What docs/COST.md prices.
        assert_eq!(small_objects(1_000_000, 1, None), (1_908, 1_908));
        assert_eq!(small_objects(0, 64, None), (0, 0));
    }

    #[test]
    fn the_cap_of_the_stack_is_the_limit_of_both_times() {
        assert_eq!(small_objects(1_000_000, 64, Some(1_000)), (1_000, 1_000));
        assert_eq!(small_objects(1_000_000, 64, Some(7_000)), (143, 286));
        // Ten shards have ten copiers of the hundred that share the cap.
        assert_eq!(small_objects(100_000, 100, Some(1_000)), (1_000, 1_000));
    }

    #[test]
    fn parts_and_what_begins_and_completes_an_upload_are_writes() {
        let effort = CopyEffort {
            uploads: 1_000,
            parts: 5_000,
            looks: 7,
            busy_us: 0,
        };
        let tally = ListingTally {
            planned: Count {
                objects: 1_000,
                bytes: 0,
            },
            effort,
            ..ListingTally::default()
        };
        let estimate = RunEstimate::of(&EstimateBasis {
            spec: &spec("none"),
            tally: &tally,
            shards: 1,
            max_concurrency: 1,
            worker_memory_mb: 256,
            writes_per_second_max: Some(10),
            planning: &RequestCounts::new(),
        });
        // Creation and completion are two requests for each object.
        assert_eq!(estimate.copy_seconds, 700);
        for (operation, expected) in [
            ("s3:HeadObject", 2 * 1_000 + 7),
            ("s3:GetObjectTagging", 1_000),
            ("s3:ListObjectAnnotations", 1_000),
        ] {
            assert_eq!(estimate.requests[operation], expected, "{operation}");
        }
    }

    #[test]
    fn more_copiers_take_less_time_until_starting_them_takes_longer() {
        let seconds = |shards, max_concurrency| {
            let effort = CopyEffort {
                busy_us: 1_000_000_000,
                ..CopyEffort::default()
            };
            let basis = EstimateBasis {
                spec: &spec("none"),
                tally: &ListingTally::default(),
                shards,
                max_concurrency,
                worker_memory_mb: 256,
                writes_per_second_max: None,
                planning: &RequestCounts::new(),
            };
            copy_seconds(&basis, effort, 0, max_concurrency).0
        };
        assert_eq!(seconds(50, 10), 100);
        assert_eq!(seconds(50, 1_000), 20, "no more copiers than shards");
        assert_eq!(seconds(100_000, 10_000), 1_000);
        assert_eq!(seconds(0, 10), 0);
    }
}
