//! One invocation of the planner.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    documents::RunDocuments,
    failure::{Failure, FailureCode},
    plan::WalkRules,
    port::{Accounts, Clock, Ledger, PutOutcome, SessionName},
    run::{
        event::{EVENT_VERSION, PlannerEvent, PlannerResult, PlannerStatus, RunKind},
        input::RunInput,
        masking::without_external_ids,
        record::{RunRecord, RunState},
    },
    value::{arn::ExternalId, deadline::Deadline},
};
use shardlift_lock::check_held;
use tracing::info;

use crate::{
    access,
    invocation_end::InvocationEnd,
    list::FromList,
    listing::ListingLoop,
    planner::Planner,
    ports::{Ports, TargetOf},
    preflight::Opened,
    rerun::Replanning,
    run::RequestMeter,
    source_listing::SourceListing,
};

impl<P: Ports> Planner<P> {
    /// One invocation. A second run continues from the ledger; once the plan is written, it returns the same result.
    ///
    /// # Errors
    /// `InvalidRun`, `RunOverlap` and the failures of opening a pair, with nothing changed; `ListingIncomplete` when a
    /// listing cannot be trusted; `Throttled` and `ServiceFault` when a call used up its attempts, to be invoked again.
    pub async fn plan(
        &self,
        event: &PlannerEvent,
        deadline: Deadline,
    ) -> Result<PlannerResult, Failure> {
        self.work(event, deadline).await.map_err(|failure| {
            let own = self.settings.run_defaults.target.external_id.as_ref();
            let input = event.input.json().ok();
            without_external_ids(failure, own.map(ExternalId::as_str), input.as_ref())
        })
    }

    async fn work(
        &self,
        event: &PlannerEvent,
        deadline: Deadline,
    ) -> Result<PlannerResult, Failure> {
        let Some((run, created)) = self.read_or_create_run(event).await? else {
            return Ok(self.again(event));
        };
        check_same_run(event, &run)?;
        self.settings.ceilings.check(&run.spec)?;
        if run.state == RunState::Planned {
            check_held(&self.ledger, &run).await?;
        }
        if run.state != RunState::Planning {
            return Ok(self.result_of_plan(event, &run));
        }
        if let Some(opened) = created.filter(|_| run.spec.is_light()) {
            // This invocation took the lock and wrote the record a moment ago, and no other one has its revision.
            return self.list(event, run, deadline, Some(opened.target)).await;
        }
        // Every invocation takes the lock, because another run may have begun while this execution was stopped.
        if run.spec.mode.writes() {
            self.take_lock(&run.spec, event).await?;
        }
        let Some(run) = self.begin_invocation(run).await? else {
            return Ok(self.again(event));
        };
        self.list(event, run, deadline, None).await
    }

    /// The run's record, with the opened pair if this invocation created it. Nothing when another invocation wrote it
    /// meanwhile.
    async fn read_or_create_run(
        &self,
        event: &PlannerEvent,
    ) -> Result<Option<(RunRecord, Option<Opened<P::Accounts>>)>, Failure> {
        // Nearly every small run of events is planned by one invocation, which would look for a record in vain.
        let events = RunInput::parse(&event.input.json()?)?.events;
        let is_small = events.is_some_and(|events| events.is_small());
        if !is_small && let Some(run) = self.read_run(event).await? {
            return Ok(Some((run, None)));
        }
        if let Some((run, opened)) = self.create_run(event).await? {
            return Ok(Some((run, Some(opened))));
        }
        Ok(self.read_run(event).await?.map(|run| (run, None)))
    }

    async fn list(
        &self,
        event: &PlannerEvent,
        mut run: RunRecord,
        deadline: Deadline,
        entered: Option<TargetOf<P>>,
    ) -> Result<PlannerResult, Failure> {
        let pair = &run.spec.pair;
        let source = self
            .accounts
            .open_source(&pair.source)
            .await
            .map_err(|fault| access::source_failure(fault, pair))?;
        let target = match entered {
            Some(target) => target,
            None => self.enter_target(&run).await?,
        };
        let mut meter = RequestMeter::start(&source, &target, &self.ledger);
        let listing = SourceListing::of(&source, &run.spec);
        let mut surveyed = None;
        let end = if let Some(rerun) = &run.spec.rerun {
            let replanning = Replanning::new(self, &listing, &target, &run, rerun);
            replanning.run(deadline, &mut meter).await?
        } else if let Some(list) = &run.spec.list {
            let rules = WalkRules::new(&run, self.settings.shard_bounds)?;
            let plan = FromList::new(self, (&listing, &target), &rules, &run, list);
            let (end, counts) = plan.run(deadline, &mut meter).await?;
            surveyed = counts;
            end
        } else {
            let rules = WalkRules::new(&run, self.settings.shard_bounds)?;
            let lister = ListingLoop::new(self, &listing, &target, &run, &rules);
            lister.run(deadline).await?
        };
        match end {
            InvocationEnd::Complete { manifests, small } => {
                meter.add("s3:PutObject", manifests + 1);
                meter.add_invocation(deadline, self.clock.now());
                let requests = meter.read(&source, &target, &self.ledger);
                match self
                    .complete_plan(&mut run, requests, surveyed, small)
                    .await?
                {
                    PutOutcome::Written => Ok(self.result_of_plan(event, &run)),
                    PutOutcome::Refused => Ok(self.again(event)),
                }
            }
            InvocationEnd::Yielded { manifests } => {
                meter.add("s3:PutObject", manifests);
                meter.add_invocation(deadline, self.clock.now());
                let requests = meter.read(&source, &target, &self.ledger);
                self.note_requests(run, requests).await?;
                Ok(self.again(event))
            }
            InvocationEnd::Superseded => {
                info!({ field::RUN_ID } = %event.run_id, "another invocation of the planner was faster");
                Ok(self.again(event))
            }
        }
    }

    async fn enter_target(&self, run: &RunRecord) -> Result<TargetOf<P>, Failure> {
        let session = SessionName::of_step("plan", &run.run_id);
        let policy = session_policy(&run.spec, SessionWork::List);
        let entered = self.accounts.reopen_target(run, &session, &policy).await;
        entered.map_err(|fault| access::target_failure(fault, &run.spec.pair))
    }

    async fn read_run(&self, event: &PlannerEvent) -> Result<Option<RunRecord>, Failure> {
        Ok(self.ledger.read_run(&event.run_id).await?)
    }

    /// Counts this invocation in the run's record. The new revision begins the ids of this invocation's shards, so that no
    /// two invocations ever write the same manifest. Nothing when another invocation was faster.
    async fn begin_invocation(&self, run: RunRecord) -> Result<Option<RunRecord>, Failure> {
        let begun = RunRecord {
            revision: run.revision + 1,
            ..run
        };
        Ok(match self.ledger.replace_run(&begun).await? {
            PutOutcome::Written => Some(begun),
            PutOutcome::Refused => None,
        })
    }

    /// The next invocation decides which function works on the shards.
    fn again(&self, event: &PlannerEvent) -> PlannerResult {
        self.result(event, PlannerStatus::Continue, RunKind::Copy)
    }

    fn result(&self, event: &PlannerEvent, status: PlannerStatus, kind: RunKind) -> PlannerResult {
        let documents = RunDocuments::new(&self.control, &event.run_id);
        let index = (status == PlannerStatus::Copy).then(|| documents.index(1));
        PlannerResult {
            schema_version: EVENT_VERSION,
            status,
            round: 1,
            index,
            max_concurrency: self.settings.max_concurrency,
            kind,
        }
    }

    fn result_of_plan(&self, event: &PlannerEvent, run: &RunRecord) -> PlannerResult {
        let nothing_to_copy = run.totals.planned.objects == 0 || run.spec.dry_run;
        let status = if nothing_to_copy {
            PlannerStatus::Report
        } else {
            PlannerStatus::Copy
        };
        PlannerResult {
            max_concurrency: run.copiers(self.settings.max_concurrency),
            ..self.result(event, status, run.spec.kind())
        }
    }
}

/// A checkpoint is only continued by the execution that made it, with the input that it was made for.
fn check_same_run(event: &PlannerEvent, run: &RunRecord) -> Result<(), Failure> {
    let is_same = event.execution_arn == run.execution_arn
        && RunInput::parse(&event.input.json()?)?.agrees_with(&run.spec);
    if is_same {
        return Ok(());
    }
    Err(Failure::new(
        FailureCode::InvalidRun,
        format!(
            "run {} is already in the ledger with another execution ({}) or another input; nothing was changed: start an execution under a new name",
            run.run_id, run.execution_arn
        ),
    ))
}
