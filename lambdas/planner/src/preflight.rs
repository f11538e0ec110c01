//! Checks once, before the run is opened, everything that it will do: a missing permission is found in seconds, and
//! nothing was copied.
//!
//! Nothing is left behind. Writing is checked by a multipart upload under a key of the run's own: S3 shows nothing of it,
//! and it is aborted again. Should this invocation die in between, the next one finds it by its key, or the
//! reporter does. This room only calls; what a refusal means is `core::access`'s to say.

mod audit_checks;
mod checker;
mod samples;
mod source_checks;
mod target_checks;

use shardlift_aws::retry::LISTING;
use shardlift_core::{
    access::{
        denial::Denial,
        policy::session::{SessionWork, session_policy},
        preflight::{Check, Preflight},
    },
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    plan::check_versioning,
    port::{Accounts, BucketListing, ListRequest, SessionName, SourceBucket, TargetBucket},
    run::{
        filter::ObjectFilter, invalid::key_of_another_region, pair::Side, record::PairEncryption,
        spec::RunSpec,
    },
    value::{
        arn::{Arn, RoleArn},
        id::RunId,
    },
};

use crate::{access, source_listing::SourceListing};
use checker::Checker;
use samples::Samples;

/// Both sides, opened.
pub(crate) struct Opened<A: Accounts> {
    pub(crate) source: A::Source,
    pub(crate) target: A::Target,
    pub(crate) encryption: PairEncryption,
}

/// What the checks found, and both sides when they could be opened.
pub(crate) struct Examined<A: Accounts> {
    pub(crate) table: Preflight,
    pub(crate) opened: Option<Opened<A>>,
}

/// Opens both sides and checks what the run will do. Statements to paste are offered only for the target that the stack is
/// configured for; those about the functions name the roles of all of them.
///
/// # Errors
/// What is no refusal: a bucket that does not exist or is somebody else's, a call that failed for good. Refusals are in
/// the table.
pub(crate) async fn examine<A: Accounts>(
    accounts: &A,
    spec: &RunSpec,
    run_id: &RunId,
    function_roles: &[RoleArn],
    offers_statements: bool,
) -> Result<Examined<A>, Failure> {
    let caller = accounts.own_principal().await?;
    let mut functions: Vec<Arn> = function_roles
        .iter()
        .map(|role| role.arn().clone())
        .collect();
    if !functions.contains(&caller.principal()) {
        functions.insert(0, caller.principal());
    }
    let mut checker = Checker::new(spec, run_id, &caller, &functions, offers_statements)?;
    let mut examined = Examined {
        table: Preflight::default(),
        opened: None,
    };
    let reason = if let Some((source, mut samples)) = open_source(accounts, &mut checker).await? {
        if let Some(target) = open_target(accounts, &mut checker).await? {
            let encryption = if spec.is_light() {
                PairEncryption::default()
            } else if spec.mode.writes() {
                PairEncryption {
                    source_sample: source_checks::run(&mut checker, &target, &mut samples).await?,
                    target: target_checks::run(&mut checker, &target, &samples).await?,
                }
            } else {
                audit_checks::run(&mut checker, &target, &samples).await
            };
            examined.opened = Some(Opened {
                source,
                target,
                encryption,
            });
        }
        "the target could not be opened"
    } else {
        "the source could not be opened"
    };
    examined.table = checker.into_table(reason);
    Ok(examined)
}

/// The source, and the objects that the checks look at. What the filters leave out decides nothing about the run.
async fn open_source<A: Accounts>(
    accounts: &A,
    checker: &mut Checker<'_>,
) -> Result<Option<(A::Source, Samples)>, Failure> {
    let pair = &checker.spec.pair;
    let may_list = checker.own_listing_denial(None);
    let opened = accounts.open_source(&pair.source).await;
    let explain = |fault| access::source_failure(fault, pair);
    let Some(source) = checker.judge(Check::FindSource, &may_list, opened, explain)? else {
        return Ok(None);
    };
    checker.source_owner(&source.facts().owner);
    if checker.spec.is_light() {
        return Ok(Some((source, Samples::default())));
    }
    let filter = checker.spec.filters.compile()?;
    let samples = find_samples(&source, checker.spec, &filter).await?;
    let may_list = checker.own_listing_denial(samples.as_ref().err());
    // A page that makes no sense is a listing that cannot be trusted (P11).
    let explain = |fault| access::listing_failure(fault, Side::Source, pair);
    let samples = checker.judge(Check::ListSource, &may_list, samples, explain)?;
    Ok(samples.map(|samples| (source, samples)))
}

/// The objects that the checks look at. Of an instant, they are those that stood there then, if the bucket keeps versions.
async fn find_samples<S: SourceBucket>(
    source: &S,
    spec: &RunSpec,
    filter: &ObjectFilter,
) -> Result<Result<Samples, CallFault>, Failure> {
    if spec.as_of.is_some() {
        match LISTING.run(|| source.versioning()).await {
            Ok(versioning) => check_versioning(versioning)?,
            Err(fault) => return Ok(Err(fault)),
        }
    }
    let listing = SourceListing::of(source, spec);
    Ok(Samples::find(&listing, &spec.pair.source.prefix, filter).await)
}

async fn open_target<A: Accounts>(
    accounts: &A,
    checker: &mut Checker<'_>,
) -> Result<Option<A::Target>, Failure> {
    let pair = &checker.spec.pair;
    let explain = |fault| access::target_failure(fault, pair);
    let session = SessionName::of_step("plan", checker.run_id);
    // A run without trials goes on in the same session.
    let work = if checker.spec.is_light() {
        SessionWork::List
    } else {
        SessionWork::Check
    };
    let policy = session_policy(checker.spec, work);
    let opened = accounts
        .open_target(&pair.target, &pair.source, &session, Some(&policy))
        .await;
    let may_enter = checker.entry_denial();
    if opened
        .as_ref()
        .is_err_and(|fault| fault.kind == FaultKind::RoleRefused)
    {
        checker.judge(Check::EnterTargetAccount, &may_enter, opened, explain)?;
        return Ok(None);
    }
    let may_list = Denial::of_listing_target(pair);
    checker.table.works(Check::EnterTargetAccount);
    let Some(target) = checker.judge(Check::FindTarget, &may_list, opened, explain)? else {
        return Ok(None);
    };
    let key = checker.spec.kms_key_arn.as_ref();
    let region = &target.facts().region;
    if let Some(refusal) = key.and_then(|key| key_of_another_region(key, region)) {
        return Err(refusal);
    }
    if checker.spec.is_light() {
        return Ok(Some(target));
    }
    let first_page = ListRequest {
        prefix: pair.target.prefix.clone(),
        after: None,
    };
    let page = LISTING.run(|| target.list_page(&first_page)).await;
    checker.judge(Check::ListTarget, &may_list, page, explain)?;
    Ok(Some(target))
}
