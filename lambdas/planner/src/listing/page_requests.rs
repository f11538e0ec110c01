//! Requesting pages and merging them.

use futures::future::FutureExt;
use shardlift_aws::retry::LISTING;
use shardlift_core::{
    failure::{Failure, fault::CallFault},
    plan::{Chunk, RangeWalk},
    port::{BucketListing, Clock, ListRequest, ObjectPage, TargetBucket},
    run::pair::Side,
    value::{id::RangeId, tally::THROTTLED_REQUESTS},
};

use super::listing_loop::{Event, FetchedPage, ListingLoop, PAGES_PER_PROGRESS};
use crate::{access, ports::Ports};

impl<P: Ports> ListingLoop<'_, P> {
    /// Requests the next pages of as many ranges as should be listed at once.
    pub(super) fn request_pages(&mut self) {
        if self.steps.is_backed_up() {
            return;
        }
        let walking: Vec<RangeId> = self
            .ranges
            .values()
            .filter(|range| range.walk.is_some())
            .map(|range| range.record.range_id.clone())
            .take(self.ranges_wanted())
            .collect();
        let at_once = self.listers.wanted() / walking.len().max(1);
        for range_id in walking {
            self.request_page(&range_id, Side::Source);
            self.request_target(&range_id, at_once.max(1));
        }
    }

    fn request_page(&mut self, range_id: &RangeId, side: Side) {
        let Some(range) = self.ranges.get_mut(range_id) else {
            return;
        };
        if range.awaited.contains(&side) {
            return;
        }
        let walk = range.walk.as_ref();
        let Some(request) = walk.and_then(|walk| walk.next_request(side)) else {
            return;
        };
        range.awaited.insert(side);
        let Some(list) = self.list.filter(|_| side == Side::Source) else {
            self.request(range_id, side, request, FetchedPage::Bucket);
            return;
        };
        let range_id = range_id.clone();
        let prefix = &self.run.spec.pair.source.prefix;
        let until = range.record.bounds.until.as_ref();
        let until = until.and_then(|until| prefix.join(until.as_str()).ok());
        let call = async move {
            let page = list.page(request.after.as_ref(), until.as_ref()).await;
            Event::Page(range_id, side, page.map(FetchedPage::List))
        };
        self.in_flight.push(call.boxed());
    }

    /// Requests pages of the target: the next one, or where a list names the keys, up to `at_once` of them.
    fn request_target(&mut self, range_id: &RangeId, at_once: usize) {
        let range = self.ranges.get(range_id);
        let walk = range.and_then(|range| range.walk.as_ref());
        if !walk.is_some_and(RangeWalk::lists_ahead) {
            self.request_page(range_id, Side::Target);
            return;
        }
        while let Some(request) = self.ranges.get_mut(range_id).and_then(|range| {
            let walk = range.walk.as_mut()?;
            walk.next_ahead(at_once)
        }) {
            let after = request.after.clone();
            let ahead = |page| FetchedPage::Ahead(after, page);
            self.request(range_id, Side::Target, request, ahead);
        }
    }

    /// Requests a page of a bucket.
    fn request(
        &mut self,
        range_id: &RangeId,
        side: Side,
        request: ListRequest,
        fetched: impl FnOnce(ObjectPage) -> FetchedPage + Send + 'static,
    ) {
        let range_id = range_id.clone();
        let (source, target) = (self.source, self.target);
        let pair = &self.run.spec.pair;
        let call = async move {
            let page = LISTING.run(|| list_page(source, target, side, &request));
            let page = page.await.map(fetched);
            let page = page.map_err(|fault| access::listing_failure(fault, side, pair));
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
        // Where a list has all its ranges, their pages of the target make as many requests as there may be.
        let active = match self.active() {
            active if active >= self.ranges_wanted() => active.max(self.listers.wanted()),
            active => active,
        };
        let Some(range) = self.ranges.get_mut(range_id) else {
            return Ok(());
        };
        range.awaited.remove(&side);
        let now = self.clock.now();
        self.listers.note_throttling(now, self.throttled_requests());
        let page = page?;
        let objects = match &page {
            FetchedPage::Bucket(page) | FetchedPage::Ahead(_, page) => page.objects.len(),
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
            FetchedPage::Ahead(after, page) => walk.feed_ahead(after.as_ref(), page)?,
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
