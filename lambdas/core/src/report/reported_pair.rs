//! Where a run read and wrote, as its report tells it.

use serde::{Deserialize, Serialize};

use crate::{
    run::record::{BucketFacts, RunRecord},
    value::{
        arn::{AccountId, Region},
        bucket::BucketName,
        key::KeyPrefix,
    },
};

/// The two sides of a run, as somebody finds them who has its report alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedPair {
    /// Where it read.
    pub source: ReportedSide,
    /// Where it wrote.
    pub target: ReportedSide,
}

/// A side of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedSide {
    /// The bucket.
    pub bucket: BucketName,
    /// The prefix.
    pub prefix: KeyPrefix,
    /// The Region of the bucket.
    pub region: Region,
    /// The account that owns it.
    pub owner: AccountId,
}

impl ReportedPair {
    /// Those of a run.
    #[must_use]
    pub fn of(run: &RunRecord) -> Self {
        let pair = &run.spec.pair;
        let side = |bucket: &BucketName, prefix: &KeyPrefix, facts: &BucketFacts| ReportedSide {
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            region: facts.region.clone(),
            owner: facts.owner.clone(),
        };
        Self {
            source: side(&pair.source.bucket, &pair.source.prefix, &run.source),
            target: side(&pair.target.bucket, &pair.target.prefix, &run.target),
        }
    }
}
