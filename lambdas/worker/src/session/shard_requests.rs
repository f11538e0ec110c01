//! The requests of one shard, over all of its invocations.

use std::sync::Arc;

use shardlift_core::{
    port::{Clock, Ledger, TargetBucket},
    value::{
        deadline::Deadline,
        tally::{RequestCounts, add_requests, requests_between},
    },
};

use crate::ports::{Connections, Ports, Target};

/// Adds the requests of this invocation to those that the record counts. Handles count for their whole process, so what
/// they had counted before is subtracted.
pub struct ShardRequests<'a, P: Ports> {
    ledger: &'a P::Ledger,
    clock: &'a P::Clock,
    deadline: Deadline,
    target: Option<Arc<Target<P>>>,
    recorded: RequestCounts,
    before: RequestCounts,
}

impl<'a, P: Ports> ShardRequests<'a, P> {
    /// Counts from now on: the requests of the ledger, and the invocation that ends at `deadline`.
    pub fn begin(ports: &'a Connections<P>, deadline: Deadline) -> Self {
        Self {
            ledger: &ports.ledger,
            clock: &ports.clock,
            deadline,
            target: None,
            recorded: RequestCounts::new(),
            before: ports.ledger.requests(),
        }
    }

    /// Counts on from what earlier invocations recorded.
    pub(super) fn resume(&mut self, recorded: RequestCounts) {
        self.recorded = recorded;
    }

    /// Counts the requests of this handle too, from now on.
    pub(super) fn watch(&mut self, target: Arc<Target<P>>) {
        add_requests(&mut self.before, &target.requests());
        self.target = Some(target);
    }

    /// The requests of the shard.
    pub(super) fn so_far(&self) -> RequestCounts {
        let mut now = self.ledger.requests();
        if let Some(target) = &self.target {
            add_requests(&mut now, &target.requests());
        }
        let mut requests = self.recorded.clone();
        add_requests(&mut requests, &self.deadline.billed(self.clock.now()));
        add_requests(&mut requests, &requests_between(&self.before, now));
        requests
    }
}
