use aws_sdk_s3::types::RequestPayer;
use shardlift_core::{run::record::BucketFacts, value::bucket::BucketName};

/// A bucket whose Region and owner are known. Every request names the owner, so that S3 refuses it if the bucket has
/// been deleted and created again by another account.
#[derive(Debug, Clone)]
pub(crate) struct OwnedBucket {
    /// Its name.
    pub(crate) name: BucketName,
    /// Its Region and owner.
    pub(crate) facts: BucketFacts,
    /// Whether requests state that the requester pays, as a bucket may demand of other accounts
    /// (docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html).
    pub(crate) is_paid_by_requester: bool,
}

/// The two buckets of a copy.
#[derive(Debug, Clone)]
pub(crate) struct BucketPair {
    /// The bucket that is read.
    pub(crate) source: OwnedBucket,
    /// The bucket that is written.
    pub(crate) target: OwnedBucket,
}

impl OwnedBucket {
    /// The name as requests take it.
    pub(crate) fn name(&self) -> &str {
        self.name.as_str()
    }

    /// `x-amz-request-payer`.
    pub(crate) fn request_payer(&self) -> Option<RequestPayer> {
        self.is_paid_by_requester.then_some(RequestPayer::Requester)
    }

    /// The owner's account id as requests take it.
    pub(crate) fn owner(&self) -> &str {
        self.facts.owner.as_str()
    }
}
