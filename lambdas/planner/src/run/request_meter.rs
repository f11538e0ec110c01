//! Counts the requests of one invocation, because buckets and ledger outlive it in a warm process.

use shardlift_core::{
    port::{Ledger, SourceBucket, TargetBucket},
    value::{
        deadline::Deadline,
        tally::{RequestCounts, add_requests, requests_between},
        time::Timestamp,
    },
};

/// Counts the requests since its start.
#[derive(Debug)]
pub(crate) struct RequestMeter {
    before: RequestCounts,
    added: RequestCounts,
}

impl RequestMeter {
    pub(crate) fn start(
        source: &impl SourceBucket,
        target: &impl TargetBucket,
        ledger: &impl Ledger,
    ) -> Self {
        Self {
            before: all(source, target, ledger),
            added: RequestCounts::new(),
        }
    }

    /// Adds what Lambda bills of an invocation that ends now.
    pub(crate) fn add_invocation(&mut self, deadline: Deadline, now: Timestamp) {
        add_requests(&mut self.added, &deadline.billed(now));
    }

    /// Adds requests that no port counts.
    pub(crate) fn add(&mut self, operation: &str, count: u64) {
        *self.added.entry(operation.to_owned()).or_default() += count;
    }

    pub(crate) fn read(
        &self,
        source: &impl SourceBucket,
        target: &impl TargetBucket,
        ledger: &impl Ledger,
    ) -> RequestCounts {
        let mut requests = requests_between(&self.before, all(source, target, ledger));
        add_requests(&mut requests, &self.added);
        requests
    }
}

fn all(
    source: &impl SourceBucket,
    target: &impl TargetBucket,
    ledger: &impl Ledger,
) -> RequestCounts {
    let mut counts = source.requests();
    add_requests(&mut counts, &target.requests());
    add_requests(&mut counts, &ledger.requests());
    counts
}
