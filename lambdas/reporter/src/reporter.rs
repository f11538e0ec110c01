//! The steps of a report.

use futures::TryStreamExt;
use shardlift_core::{
    access::ceilings::Ceilings,
    documents::RunDocument,
    failure::{Context, Failure, FailureCode},
    port::Ledger,
    report::{
        Report,
        draft::ReportDraft,
        settlement::{RoundWork, Settlement},
    },
    run::{
        event::{IndexLocation, Problem, ReporterEvent, ReporterResult, RunKind},
        record::{RunRecord, RunState},
    },
    value::deadline::Deadline,
};
use shardlift_lock::check_held;

use crate::{
    conclusion::{self, Conclusion},
    invocation::Invocation,
    ports::Ports,
    publication,
    reply::Reply,
    round::Round,
    sweep,
};

/// The reporter over its ports.
pub struct Reporter<P: Ports> {
    /// Opens the two sides, to sweep uploads and to verify.
    pub accounts: P::Accounts,
    /// The ledger.
    pub ledger: P::Ledger,
    /// The control bucket.
    pub control: P::Control,
    /// The topic.
    pub notifier: P::Notifier,
    /// The time.
    pub clock: P::Clock,
    /// What a run may ask for now, whenever it was planned, or why the stack's parameters cannot be read.
    pub ceilings: Result<Ceilings, Failure>,
    /// The most copiers at once in another round; a plan may have fewer.
    pub max_concurrency: u32,
}

/// What is left to do for a run whose Map has ended.
enum AfterRound {
    /// The copiers again.
    Round(IndexLocation),
    /// The reporter again.
    Continue,
    /// The report.
    Conclude,
}

impl<P: Ports> Reporter<P> {
    /// Settles the run and says what comes next.
    ///
    /// May run twice. A second call for a round that was offered gives the same index. A second call for a run that was
    /// reported gives the same response and notifies nobody again. One for a run whose report was cut short writes it
    /// anew and may notify again, which is better than never.
    ///
    /// # Errors
    /// What keeps a report from being written or sent: the state machine then sends a plain notice.
    pub async fn report(
        &self,
        event: &ReporterEvent,
        deadline: Deadline,
    ) -> Result<ReporterResult, Failure> {
        let mut invocation = Invocation {
            accounts: &self.accounts,
            ledger: &self.ledger,
            control: &self.control,
            notifier: &self.notifier,
            clock: &self.clock,
            ceilings: self.ceilings.as_ref().ok(),
            event,
            deadline,
            few_shards: Vec::new(),
        };
        let run = self.ledger.read_run(&event.run_id).await;
        let Some(run) = run.context("reading the record of the run")? else {
            let draft = ReportDraft::without_record(event);
            return self.publish(&invocation, None, draft).await;
        };
        invocation.read_few_shards(&run).await?;
        if run.state == RunState::Reported
            && let Some(report) = written_report(&invocation).await?
        {
            publication::release_lock(&invocation, &run).await?;
            return Ok(self.reply(event, Some(&run)).reported(&report));
        }
        if let Err(beyond) = self.check(&run) {
            let draft = draft_without_acting(&invocation, &run, &beyond).await?;
            return self.publish(&invocation, Some(&run), draft).await;
        }
        if run.state == RunState::Planning || run.spec.dry_run {
            let mut draft = ReportDraft::of_plan(event, &run);
            sweep::sweep_probe(&invocation, &run, &mut draft).await;
            return self.publish(&invocation, Some(&run), draft).await;
        }
        let mut sums = settle(&invocation, &run).await?;
        if let Some(lost) = lost_lock(&invocation, &run, &sums).await? {
            let draft = draft_without_acting(&invocation, &run, &lost).await?;
            return self.publish(&invocation, Some(&run), draft).await;
        }
        let step = match next_round(&invocation, &run, &sums).await {
            Err(failure) if failure.code == FailureCode::InvariantViolated => {
                sums.contradict(failure.detail);
                AfterRound::Conclude
            }
            step => step?,
        };
        match step {
            AfterRound::Round(index) => Ok(self.reply(event, Some(&run)).round(index)),
            AfterRound::Continue => Ok(self
                .reply(event, Some(&run))
                .again("offering another round")),
            AfterRound::Conclude => match conclusion::conclude(&invocation, &run, sums).await? {
                Conclusion::Unfinished(step) => Ok(self.reply(event, Some(&run)).again(step)),
                Conclusion::Ready(draft) => self.publish(&invocation, Some(&run), *draft).await,
            },
        }
    }

    fn check(&self, run: &RunRecord) -> Result<(), Failure> {
        self.ceilings
            .as_ref()
            .map_err(Failure::clone)?
            .check(&run.spec)
    }

    async fn publish(
        &self,
        invocation: &Invocation<'_, P>,
        run: Option<&RunRecord>,
        draft: ReportDraft,
    ) -> Result<ReporterResult, Failure> {
        let reply = self.reply(invocation.event, run);
        let published = publication::publish(invocation, run, draft).await?;
        Ok(match published {
            Some(report) => reply.reported(&report),
            None => reply.again("adding up the shards again, since a copier wrote meanwhile"),
        })
    }

    fn reply<'a>(&self, event: &'a ReporterEvent, run: Option<&RunRecord>) -> Reply<'a> {
        Reply {
            event,
            max_concurrency: run.map_or(self.max_concurrency, |run| {
                run.copiers(self.max_concurrency)
            }),
            kind: run.map_or(RunKind::Copy, |run| run.spec.kind()),
        }
    }
}

/// The report of an earlier invocation; nothing when there is none, or none that this release reads.
async fn written_report<P: Ports>(
    invocation: &Invocation<'_, P>,
) -> Result<Option<Report>, Failure> {
    let documents = invocation.documents();
    Ok(documents.json_if_readable(RunDocument::Report).await?)
}

/// Why a run must not act at its target any more: another one took its lock while it was stopped, and it was redriven. It
/// would offer its copiers rounds of which each is refused, and abort uploads of the other run. A run that is not to touch
/// the target any more is spared the read.
async fn lost_lock<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    sums: &Settlement,
) -> Result<Option<Failure>, Failure> {
    let round = sums.next_round(invocation.event.round, run.spec.rounds_max);
    let is_over = run.state != RunState::Planned || !conclusion::needs_target(run, sums);
    if round.is_none() && is_over {
        return Ok(None);
    }
    match check_held(invocation.ledger, run).await {
        Err(lost) if lost.code == FailureCode::RunOverlap => Ok(Some(lost)),
        checked => checked.map(|()| None),
    }
}

/// What the ledger says of a run that does more than the stack allows now, or that lost its lock. Neither side is entered for it, so nothing is
/// offered again, aborted or verified.
async fn draft_without_acting<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    beyond: &Failure,
) -> Result<ReportDraft, Failure> {
    let event = invocation.event;
    let is_planned = run.state != RunState::Planning && !run.spec.dry_run;
    let (mut draft, may_have_left_uploads) = if is_planned {
        let sums = settle(invocation, run).await?;
        let left = sums.may_have_left_uploads();
        (ReportDraft::settled(event, run, sums), left)
    } else {
        (ReportDraft::of_plan(event, run), false)
    };
    // The planner may have said it already.
    let is_said = |problem: &Problem| problem.error == beyond.code.name();
    if !event.problem.as_ref().is_some_and(is_said) {
        draft.note(beyond);
    }
    if may_have_left_uploads {
        draft.note(&Failure::new(
            FailureCode::InvalidRun,
            "unfinished uploads of the run may be left behind, since its target was not entered",
        ));
    }
    Ok(draft)
}

/// The sums over the ledger, held against the plan.
async fn settle<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
) -> Result<Settlement, Failure> {
    let add = |mut sums: Settlement, shard| async move {
        sums.add(&shard);
        Ok(sums)
    };
    let sums = invocation.shards().try_fold(Settlement::default(), add);
    let mut sums = sums.await?;
    sums.hold_against(&run.totals);
    Ok(sums)
}

/// Offers another round where one is due: something is not done, nothing contradicts itself, rounds are left.
async fn next_round<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    sums: &Settlement,
) -> Result<AfterRound, Failure> {
    let event = invocation.event;
    if event.problem.is_some() || sums.contradiction().is_some() {
        return Ok(AfterRound::Conclude);
    }
    let work = sums.next_round(event.round, run.spec.rounds_max);
    // Deletions beyond the limits of the run stay undone; copies were made all the same.
    let Some(work) = work.filter(|&work| work == RoundWork::Copying || !run.totals.deletes_held)
    else {
        return Ok(AfterRound::Conclude);
    };
    let round = Round {
        invocation,
        number: event.round + 1,
        work,
    };
    let index = round.offer().await?;
    Ok(index.map_or(AfterRound::Continue, AfterRound::Round))
}
