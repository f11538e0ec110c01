//! The requests of one shard, over all its invocations.

use shardlift_core::value::tally::RequestCounts;

/// Counts on from what the record says; handles count for their whole process, so what they counted before is taken off.
pub(crate) struct RequestMeter {
    recorded: RequestCounts,
    before: RequestCounts,
}

impl RequestMeter {
    /// `recorded` by earlier invocations; the handles stood at `before` when this one began.
    pub(crate) fn new(recorded: RequestCounts, before: RequestCounts) -> Self {
        Self { recorded, before }
    }

    /// The shard's requests, now that the handles stand at `now`.
    pub(crate) fn so_far(&self, now: RequestCounts) -> RequestCounts {
        let mut requests = self.recorded.clone();
        for (operation, count) in now {
            let before = self.before.get(&operation).copied().unwrap_or(0);
            let made = count.saturating_sub(before);
            if made > 0 {
                *requests.entry(operation).or_default() += made;
            }
        }
        requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(copies: u64, heads: u64) -> RequestCounts {
        [("s3:CopyObject", copies), ("s3:HeadObject", heads)]
            .map(|(operation, count)| (operation.to_owned(), count))
            .into()
    }

    #[test]
    fn requests_of_other_shards_are_not_counted() {
        let meter = RequestMeter::new(counts(10, 0), counts(100, 7));
        assert_eq!(meter.so_far(counts(103, 7)), counts(13, 0));
    }
}
