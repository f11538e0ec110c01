//! Finds keys to split a range at, by requesting the first key after chosen texts.

use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use shardlift_aws::retry::LISTING;
use shardlift_core::{
    failure::fault::CallFault,
    plan::{range::start_after, split},
    port::{BucketListing, ListRequest},
    value::key::{KeyPrefix, RelativeKey},
};

/// How many places are probed for each wanted key, because some return the same key and some none.
const PLACES_PER_KEY: usize = 3;
/// How many places one search probes at once. All at once would open some hundred connections, and set the peak of the
/// planner's memory.
const PROBES_AT_ONCE: usize = 16;

/// What a search found, and what it took.
#[derive(Debug)]
pub(super) struct FoundKeys {
    pub(super) keys: Vec<RelativeKey>,
    /// Listing requests.
    pub(super) requests: u64,
}

/// At most `wanted` existing keys after `frontier`, up to `until`, in order. They lie where the remaining keys differ from
/// the frontier, spread over the characters that follow there. None when all remaining keys begin with the frontier, or
/// none is left.
pub(super) async fn find<B: BucketListing>(
    listing: &B,
    prefix: &KeyPrefix,
    frontier: &str,
    until: Option<&str>,
    wanted: usize,
) -> Result<FoundKeys, CallFault> {
    let mut requests = 0;
    let lengths = split::prefix_lengths(frontier);
    // No key comes after everything that begins with the empty prefix; some may come after the whole frontier.
    let (mut low, mut high) = (0, lengths.len());
    let mut next = None;
    while high - low > 1 {
        let places = split::between(low, high);
        let probes = places.iter().map(|&place| {
            let text = split::beyond(&frontier[..lengths[place]]);
            first_after(listing, prefix, text, until)
        });
        let responses = try_join_all(probes).await?;
        requests += responses.len() as u64;
        for (place, found) in places.into_iter().zip(responses) {
            let Some(key) = found else {
                low = place;
                continue;
            };
            high = place;
            next = Some(key);
            break;
        }
    }
    let Some(next) = next else {
        let keys = Vec::new();
        return Ok(FoundKeys { keys, requests });
    };
    let shared = &frontier[..lengths[low]];
    let spread = spread(
        listing,
        prefix,
        shared,
        next,
        until,
        wanted * PLACES_PER_KEY,
    )
    .await?;
    Ok(FoundKeys {
        keys: split::thinned(&spread.keys, wanted),
        requests: requests + spread.requests,
    })
}

/// The first keys after some characters that follow what all remaining keys have `shared`; `next` is the first of all.
async fn spread<B: BucketListing>(
    listing: &B,
    prefix: &KeyPrefix,
    shared: &str,
    next: RelativeKey,
    until: Option<&str>,
    places: usize,
) -> Result<FoundKeys, CallFault> {
    let following = |key: &str| {
        key.strip_prefix(shared)
            .and_then(|rest| rest.chars().next())
    };
    let Some(first) = following(next.as_str()) else {
        let (keys, requests) = (vec![next], 0);
        return Ok(FoundKeys { keys, requests });
    };
    let last = until.and_then(following);
    let probes = split::thinned(&split::landmarks(first, last), places)
        .into_iter()
        .map(|mark| first_after(listing, prefix, format!("{shared}{mark}"), until));
    let found: Vec<Option<RelativeKey>> = stream::iter(probes)
        .buffered(PROBES_AT_ONCE)
        .try_collect()
        .await?;
    let requests = found.len() as u64;
    let mut keys: Vec<RelativeKey> = found.into_iter().flatten().collect();
    keys.push(next);
    keys.sort_unstable();
    keys.dedup();
    Ok(FoundKeys { keys, requests })
}

async fn first_after<B: BucketListing>(
    listing: &B,
    prefix: &KeyPrefix,
    text: String,
    until: Option<&str>,
) -> Result<Option<RelativeKey>, CallFault> {
    let request = ListRequest {
        prefix: prefix.clone(),
        after: start_after(prefix, Some(&text)),
    };
    let found = LISTING.run(|| listing.next_key(&request)).await?;
    Ok(found
        .as_ref()
        .and_then(|key| key.relative_to(prefix))
        .filter(|key| until.is_none_or(|until| *key < until))
        .and_then(|key| RelativeKey::new(key).ok()))
}
