//! Creating a run: everything about it is checked before its record is written.

use std::time::Duration;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::{RunDocument, RunDocuments},
    failure::{Failure, FailureCode},
    port::{Clock, Ledger, PutOutcome, SourceBucket, TargetBucket},
    run::{
        event::PlannerEvent,
        input::RunInput,
        instant,
        lock::LockedPrefix,
        record::{PlanTotals, RunRecord, RunState},
        renditions::RenditionsChange,
        spec::RunSpec,
    },
    value::{id::RunId, time::Timestamp, version::LEDGER_VERSION},
};
use shardlift_lock::{Taken, TargetLock, still_under_way};
use tracing::info;

use crate::{
    planner::Planner,
    ports::Ports,
    preflight::{self, Examined, Opened},
};

/// The most attempts to note what is known of renditions, while another invocation does too.
const NOTES_MAX: u32 = 4;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl<P: Ports> Planner<P> {
    /// Settles the input, opens the pair, takes its lock and writes the run's record. Nothing when another invocation
    /// wrote it meanwhile.
    pub(crate) async fn create_run(
        &self,
        event: &PlannerEvent,
    ) -> Result<Option<(RunRecord, Opened<P::Accounts>)>, Failure> {
        let input = RunInput::parse(&event.input.json()?)?;
        let spec = match input.rerun_of {
            Some(earlier) => {
                let spec = self.settle_rerun(earlier, input.shards).await?;
                let judged = self.settings.ceilings.check(&spec);
                judged.map_err(|refused| refused.within("rerun_of: the earlier run"))?;
                spec
            }
            None => {
                let spec = RunSpec::settle(input.or(self.settings.run_defaults.clone()))?;
                self.settings.ceilings.check_new(&spec)?;
                if let Some(as_of) = spec.as_of {
                    instant::check_past(as_of, self.clock.now())?;
                }
                spec
            }
        };
        let opened = self.open_pair(&spec, &event.run_id).await?;
        // An audit writes nothing, so it holds nobody back.
        if spec.mode.writes() {
            self.take_lock(&spec, event).await?;
        }
        let renditions_since = self.note_renditions(&spec).await?;
        let lifetime = DAY * self.settings.ledger_ttl_days;
        let run = RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: event.run_id.clone(),
            execution_arn: event.execution_arn.clone(),
            started_at: event.started_at,
            source: opened.source.facts().clone(),
            target: opened.target.facts().clone(),
            encryption: opened.encryption,
            renditions_since,
            state: RunState::Planning,
            totals: PlanTotals::default(),
            expires_at: event.started_at.plus(lifetime).as_epoch_seconds(),
            revision: 1,
            spec,
        };
        match self.ledger.create_run(&run).await? {
            PutOutcome::Written => {
                info!({ field::RUN_ID } = %run.run_id, source.region = %run.source.region, target.region = %run.target.region, "created the run");
                Ok(Some((run, opened)))
            }
            PutOutcome::Refused => Ok(None),
        }
    }

    /// Keeps true what the ledger knows of renditions at the target, and returns since when everything there was made as the run
    /// makes it. The run holds the lock of the target, so nobody else writes these records, except another invocation of this
    /// very run: a refusal is a reason to read them again.
    ///
    /// A dry run writes nothing and notes nothing.
    async fn note_renditions(&self, spec: &RunSpec) -> Result<Option<Timestamp>, Failure> {
        // What a run that copies writes matters to later runs with a transform, where there can be any.
        if !self.settings.ceilings.has_transforms() || !spec.mode.writes() {
            return Ok(None);
        }
        for _ in 0..NOTES_MAX {
            let bucket = &spec.pair.target.bucket;
            let found = self.ledger.read_renditions(bucket).await?;
            let change = RenditionsChange::of(spec, &found, self.clock.now());
            if spec.dry_run {
                return Ok(change.since);
            }
            let mut is_noted = true;
            for record in &change.writes {
                let written = if record.revision == 1 {
                    self.ledger.create_renditions(record).await?
                } else {
                    self.ledger.replace_renditions(record).await?
                };
                is_noted &= written == PutOutcome::Written;
            }
            if is_noted {
                return Ok(change.since);
            }
        }
        Err(Failure::new(
            FailureCode::LedgerConflict,
            "what the ledger knows of renditions at the target keeps changing",
        ))
    }

    /// Takes the lock on the target of the pair, if this run does not have it. The intake takes it for the run that it starts.
    ///
    /// # Errors
    /// `RunOverlap`, naming the execution that holds this lock, or one over a prefix that contains this one or lies in it.
    pub(crate) async fn take_lock(
        &self,
        spec: &RunSpec,
        event: &PlannerEvent,
    ) -> Result<(), Failure> {
        let locked = LockedPrefix::of(&spec.pair);
        let lock = TargetLock {
            ledger: &self.ledger,
            executions: &self.executions,
            locked: &locked,
            run_id: &event.run_id,
            execution_arn: &event.execution_arn,
            now: self.clock.now(),
        };
        if spec.events.is_some() && lock.is_held().await? {
            return Ok(());
        }
        match lock.take().await? {
            Taken::Held(..) | Taken::HeldAlready(_) => Ok(()),
            Taken::Busy(holder) => Err(still_under_way(&holder)),
        }
    }

    /// Opens both sides and checks what the run will do. Writes the table of checks beside the run's documents, whatever the
    /// outcome.
    async fn open_pair(
        &self,
        spec: &RunSpec,
        run_id: &RunId,
    ) -> Result<Opened<P::Accounts>, Failure> {
        let Examined { table, opened } = {
            let offers_statements = self.settings.ceilings.is_own_target(&spec.pair);
            let roles = &self.settings.function_roles;
            preflight::examine(&self.accounts, spec, run_id, roles, offers_statements).await?
        };
        if spec.is_light() && table.failure(run_id).is_none() {
            // There were no trials, so there is nothing to show.
            return opened.ok_or_else(|| Failure::invariant("the pair could not be opened"));
        }
        // People read this one as it is.
        let body = serde_json::to_vec_pretty(&table)
            .map_err(|error| Failure::invariant(format!("preflight: {error}")))?;
        RunDocuments::new(&self.control, run_id)
            .write(RunDocument::Preflight, body)
            .await?;
        match (table.failure(run_id), opened) {
            (None, Some(opened)) => Ok(opened),
            (Some(refused), _) => Err(refused),
            (None, None) => Err(Failure::invariant(
                "the pair could not be opened and nothing was refused",
            )),
        }
    }
}
