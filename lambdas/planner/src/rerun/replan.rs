//! The plan of a rerun: the undone objects of the earlier run, each in the version that there is now.

use futures::{StreamExt, stream};
use shardlift_core::{
    failure::Failure,
    plan::{ShardBounds, range::RangeState},
    port::{BucketListing, Clock, ControlStore, Ledger, PutOutcome},
    run::{record::RunRecord, rerun::Rerun},
    value::{deadline::Deadline, key::ObjectKey},
};

use super::{
    account::Account,
    earlier_documents::{EarlierDocuments, UndoneShard},
    errand::Errands,
    undone_object::neighbourhoods,
};
use crate::{Planner, request_meter::RequestMeter, survey::SurveyEnd};

/// How many questions are asked at once: 32 in 40 ms are 800 a second.
const LOOKUPS_AT_ONCE: usize = 32;

/// The planning of one invocation.
pub(crate) struct Replan<'a, S, T, L, C, K> {
    errands: Errands<'a, S, T>,
    documents: EarlierDocuments<'a, L, C>,
    clock: &'a K,
    run: &'a RunRecord,
    bounds: ShardBounds,
}

/// Why an invocation ends before everything is accounted for.
enum Stop {
    Deadline,
    Overtaken,
}

impl<'a, S, T, L, C, K> Replan<'a, S, T, L, C, K>
where
    S: BucketListing,
    T: BucketListing,
    L: Ledger,
    C: ControlStore,
    K: Clock,
{
    /// The plan of `run`, a rerun, for an invocation that `run.revision` numbers.
    pub(crate) fn new<A, E>(
        planner: &'a Planner<A, L, C, E, K>,
        source: &'a S,
        target: &'a T,
        run: &'a RunRecord,
        rerun: &'a Rerun,
    ) -> Self {
        Self {
            errands: Errands::new(source, target, &run.spec.pair),
            documents: EarlierDocuments {
                ledger: &planner.ledger,
                control: &planner.control,
                rerun,
            },
            clock: &planner.clock,
            run,
            bounds: planner.settings.shard_bounds,
        }
    }

    /// Plans until every undone object is accounted for or the deadline is near; it gets on, however short the
    /// invocation is.
    ///
    /// # Errors
    /// `InvalidRun` when documents of the earlier run are gone, `AccessDenied`, `ListingIncomplete` and what else makes a
    /// lookup end; what was written before stands.
    pub(crate) async fn run(
        &self,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<SurveyEnd, Failure> {
        let (ledger, control) = (self.documents.ledger, self.documents.control);
        let account = Account::resume(ledger, control, self.run, self.bounds).await?;
        let Some(mut account) = account else {
            return Ok(SurveyEnd::Overtaken);
        };
        if account.is_done() {
            return Ok(SurveyEnd::Listed { manifests: 0 });
        }
        for shard_id in self.documents.undone_shards().await? {
            if account.is_past(&shard_id) {
                continue;
            }
            let shard = self.documents.read(&shard_id).await?;
            meter.add("s3:GetObject", shard.documents_read);
            match self.account_for(shard, &mut account, deadline).await? {
                Some(Stop::Overtaken) => return Ok(SurveyEnd::Overtaken),
                Some(Stop::Deadline) => return account.close(RangeState::Listing).await,
                None => {}
            }
        }
        account.close(RangeState::Done).await
    }

    async fn account_for(
        &self,
        shard: UndoneShard,
        account: &mut Account<'_, L, C>,
        deadline: Deadline,
    ) -> Result<Option<Stop>, Failure> {
        let work = shard.work;
        let left = shard.objects.into_iter();
        let left = left.filter(|object| !account.holds(&object.position));
        let mut answers = stream::iter(neighbourhoods(left))
            .map(|objects| async move {
                let keys: Vec<ObjectKey> =
                    objects.iter().map(|object| object.key.clone()).collect();
                (objects, self.errands.of(work, &keys).await)
            })
            .buffered(LOOKUPS_AT_ONCE);
        while let Some((objects, errands)) = answers.next().await {
            for (object, errand) in objects.into_iter().zip(errands?) {
                if account.take(object, errand).await? == PutOutcome::Refused {
                    return Ok(Some(Stop::Overtaken));
                }
            }
            if deadline.is_near(self.clock.now()) {
                return Ok(Some(Stop::Deadline));
            }
        }
        Ok(None)
    }
}
