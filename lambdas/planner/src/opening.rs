//! Opening a run: everything about it is checked before anything is written.

use std::time::Duration;

use shardlift_core::{
    event::PlannerEvent,
    failure::Failure,
    fault::CallFault,
    input::RunInput,
    port::{
        Accounts, Clock, ControlStore, Executions, Ledger, PutOutcome, SessionName, SourceBucket,
        TargetBucket,
    },
    run::{LEDGER_VERSION, PlanTotals, RunRecord, RunState},
    spec::RunSpec,
};
use tracing::info;

use crate::{Planner, access, preflight};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl<A, L, C, E, K> Planner<A, L, C, E, K>
where
    A: Accounts,
    L: Ledger,
    C: ControlStore,
    E: Executions,
    K: Clock,
{
    /// Settles the input, opens the pair, takes its lock and writes the run's record. Nothing when another invocation
    /// wrote it meanwhile.
    pub(crate) async fn open_run(
        &self,
        event: &PlannerEvent,
    ) -> Result<Option<RunRecord>, Failure> {
        let input = RunInput::parse(&event.input)?.or(self.settings.run_defaults.clone());
        let spec = RunSpec::settle(input)?;
        let pair = &spec.pair;
        let source = self
            .accounts
            .open_source(&pair.source)
            .await
            .map_err(|fault| access::source_failure(fault, pair))?;
        let session = SessionName::of_step("plan", &event.run_id);
        let target = self
            .accounts
            .open_target(&pair.target, &pair.source, &session)
            .await
            .map_err(|fault| access::target_failure(fault, pair))?;
        preflight::check(&source, &target, pair).await?;
        self.take_lock(pair, event).await?;
        let lifetime = DAY * self.settings.ledger_ttl_days;
        let run = RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: event.run_id.clone(),
            execution_arn: event.execution_arn.clone(),
            started_at: event.started_at,
            source: source.facts().clone(),
            target: target.facts().clone(),
            state: RunState::Planning,
            totals: PlanTotals::default(),
            expires_at: event.started_at.plus(lifetime).as_epoch_seconds(),
            revision: 1,
            spec,
        };
        let written = self.ledger.create_run(&run).await;
        match written.map_err(CallFault::into_failure)? {
            PutOutcome::Written => {
                info!(run.id = %run.run_id, source.region = %run.source.region, target.region = %run.target.region, "opened the run");
                Ok(Some(run))
            }
            PutOutcome::Refused => Ok(None),
        }
    }
}
