//! Requesting pages and merging them.

use futures::future::FutureExt;
use shardlift_aws::retry::LISTING;
use shardlift_core::{
    failure::{Failure, fault::CallFault},
    plan::Chunk,
    port::{BucketListing, Clock, ListRequest, ObjectPage, TargetBucket},
    run::pair::Side,
    value::{id::RangeId, tally::THROTTLED_REQUESTS},
};

use super::listing_loop::{Event, FetchedPage, ListingLoop, PAGES_PER_PROGRESS};
use crate::{access, ports::Ports};

impl<P: Ports> ListingLoop<'_, P> {
    /// Requests the next page of as many ranges as should be listed at once.
    pub(super) fn request_pages(&mut self) {
        if self.steps.is_backed_up() {
            return;
        }
        let wanted = self.listers.wanted();
        let walking: Vec<RangeId> = self
            .ranges
            .values()
            .filter(|range| range.walk.is_some())
            .map(|range| range.record.range_id.clone())
            .take(wanted)
            .collect();
        for range_id in walking {
            for side in [Side::Source, Side::Target] {
                self.request_page(&range_id, side);
            }
        }
    }

    fn request_page(&mut self, range_id: &RangeId, side: Side) {
        let Some(range) = self.ranges.get_mut(range_id) else {
            return;
        };
        if range.awaited.contains(&side) {
            return;
        }
        let walk = range.walk.as_mut();
        let request = walk.and_then(|walk| {
            let is_wanted = side == Side::Source || walk.skip_beside();
            is_wanted.then(|| walk.next_request(side))?
        });
        let Some(request) = request else {
            return;
        };
        range.awaited.insert(side);
        let range_id = range_id.clone();
        let (source, target) = (self.source, self.target);
        let pair = &self.run.spec.pair;
        let until = range.record.bounds.until.as_ref();
        let until = until.and_then(|until| pair.source.prefix.join(until.as_str()).ok());
        let list = self.list.filter(|_| side == Side::Source);
        let call = async move {
            let page = match list {
                Some(list) => {
                    let page = list.page(request.after.as_ref(), until.as_ref()).await;
                    page.map(FetchedPage::List)
                }
                None => {
                    let page = LISTING.run(|| list_page(source, target, side, &request));
                    let page = page.await.map(FetchedPage::Bucket);
                    page.map_err(|fault| access::listing_failure(fault, side, pair))
                }
            };
            Event::Page(range_id, side, page)
        };
        self.in_flight.push(call.boxed());
    }

    /// Merges a page into its range.
    pub(super) fn take_page(
        &mut self,
        range_id: &RangeId,
        side: Side,
        page: Result<FetchedPage, Failure>,
    ) -> Result<(), Failure> {
        let active = self.active();
        let Some(range) = self.ranges.get_mut(range_id) else {
            return Ok(());
        };
        range.awaited.remove(&side);
        let now = self.clock.now();
        self.listers.note_throttling(now, self.throttled_requests());
        let page = page?;
        let objects = match &page {
            FetchedPage::Bucket(page) => page.objects.len(),
            FetchedPage::List(page) => page.objects.len(),
        };
        self.pages += 1;
        self.keys += objects as u64;
        self.listers.note_page(now, objects, active);
        if self.pages.is_multiple_of(PAGES_PER_PROGRESS) {
            self.log_progress();
        }
        let Some(range) = self.ranges.get_mut(range_id) else {
            return Ok(());
        };
        range.note_page(side);
        let Some(walk) = &mut range.walk else {
            return Ok(());
        };
        match page {
            FetchedPage::Bucket(page) => walk.feed(side, page)?,
            FetchedPage::List(page) => walk.feed_list(page)?,
        }
        let chunks = walk.advance(self.rules);
        self.has_moved |= walk.has_moved() || !chunks.is_empty();
        if walk.is_ended() {
            range.walk = None;
        }
        self.pack(chunks)
    }

    /// How many requests S3 has throttled so far. A page may have been throttled several times before it arrived.
    pub(super) fn throttled_requests(&self) -> u64 {
        [self.source.requests(), self.target.requests()]
            .iter()
            .filter_map(|counts| counts.get(THROTTLED_REQUESTS))
            .sum()
    }

    pub(super) fn pack(&mut self, chunks: Vec<Chunk>) -> Result<(), Failure> {
        for chunk in chunks {
            for packed in self.packer.add(chunk) {
                self.steps.add(self.run, &packed)?;
            }
        }
        Ok(())
    }

    /// Queues everything merged for the ledger, to be written as soon as possible.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let chunks: Vec<Chunk> = self
            .ranges
            .values_mut()
            .filter_map(|range| range.walk.as_mut()?.flush())
            .collect();
        self.pack(chunks)?;
        if let Some(packed) = self.packer.flush() {
            self.steps.add(self.run, &packed)?;
        }
        self.steps.hurry();
        Ok(())
    }
}

async fn list_page<S: BucketListing, T: BucketListing>(
    source: &S,
    target: &T,
    side: Side,
    request: &ListRequest,
) -> Result<ObjectPage, CallFault> {
    match side {
        Side::Source => source.list_page(request).await,
        Side::Target => target.list_page(request).await,
    }
}
