//! Tries everything that a run will do once, before the run is opened: a missing permission is found in seconds, and
//! nothing was copied.
//!
//! Nothing is left behind. Writing is tried by a multipart upload under a key of the run's own: S3 shows nothing of it,
//! and it is aborted again. Should this invocation die in between, the next one finds it by its key, or the
//! reporter does.

mod source_trial;
mod target_trial;
mod trial;

use shardlift_aws::retry::LISTING;
use shardlift_core::{
    access::preflight::{Check, Preflight},
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    port::{Accounts, BucketListing, ListRequest, SessionName, SourceBucket},
    run::{record::PairEncryption, spec::RunSpec},
    value::{id::RunId, object::ListedObject},
};

use crate::access;
use trial::Trial;

/// Both sides, opened.
pub(crate) struct Opened<A: Accounts> {
    pub(crate) source: A::Source,
    pub(crate) target: A::Target,
    pub(crate) encryption: PairEncryption,
}

/// What the trials found, and both sides when these could be opened.
pub(crate) struct Examined<A: Accounts> {
    pub(crate) table: Preflight,
    pub(crate) opened: Option<Opened<A>>,
}

/// Opens both sides and tries what the run will do.
///
/// # Errors
/// What is no refusal: a bucket that does not exist or is somebody else's, a call that failed for good. Refusals are in
/// the table.
pub(crate) async fn examine<A: Accounts>(
    accounts: &A,
    spec: &RunSpec,
    run_id: &RunId,
) -> Result<Examined<A>, Failure> {
    let caller = accounts
        .own_principal()
        .await
        .map_err(CallFault::into_failure)?;
    let mut trial = Trial::new(spec, run_id, &caller)?;
    let mut examined = Examined {
        table: Preflight::default(),
        opened: None,
    };
    let why = if let Some((source, sample)) = open_source(accounts, &mut trial).await? {
        if let Some(target) = open_target(accounts, &mut trial).await? {
            let encryption = PairEncryption {
                source_sample: source_trial::run(&mut trial, &target, sample.as_ref()).await?,
                target: target_trial::run(&mut trial, &target, sample.as_ref()).await?,
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
    examined.table = trial.table.completed(why);
    Ok(examined)
}

/// The source, and the object that the trials look at: the smallest of the first page that has any bytes, or an empty
/// one where none has. It can tell how it is encrypted, and cannot be copied in parts.
async fn open_source<A: Accounts>(
    accounts: &A,
    trial: &mut Trial<'_>,
) -> Result<Option<(A::Source, Option<ListedObject>)>, Failure> {
    let pair = &trial.spec.pair;
    let may_list = trial.own_listing_denial();
    let opened = accounts.open_source(&pair.source).await;
    let tell = |fault| access::source_failure(fault, pair);
    let Some(source) = trial.judge(Check::FindSource, &may_list, opened, tell)? else {
        return Ok(None);
    };
    trial.source_owner(&source.facts().owner);
    let first_page = first_page(&pair.source.prefix);
    let page = LISTING.run(|| source.list_page(&first_page)).await;
    let Some(page) = trial.judge(Check::ListSource, &may_list, page, tell)? else {
        return Ok(None);
    };
    let sample = page
        .objects
        .into_iter()
        .min_by_key(|object| (object.size_bytes == 0, object.size_bytes));
    Ok(Some((source, sample)))
}

async fn open_target<A: Accounts>(
    accounts: &A,
    trial: &mut Trial<'_>,
) -> Result<Option<A::Target>, Failure> {
    let pair = &trial.spec.pair;
    let tell = |fault| access::target_failure(fault, pair);
    let session = SessionName::of_step("plan", trial.run_id);
    let opened = accounts
        .open_target(&pair.target, &pair.source, &session)
        .await;
    let may_enter = trial.entry_denial();
    if opened
        .as_ref()
        .is_err_and(|fault| fault.kind == FaultKind::RoleRefused)
    {
        trial.judge(Check::EnterTargetAccount, &may_enter, opened, tell)?;
        return Ok(None);
    }
    let may_list = trial.target_denial("s3:ListBucket", trial.bucket_arn(&pair.target.bucket));
    trial.table.works(Check::EnterTargetAccount);
    let Some(target) = trial.judge(Check::FindTarget, &may_list, opened, tell)? else {
        return Ok(None);
    };
    let first_page = first_page(&pair.target.prefix);
    let page = LISTING.run(|| target.list_page(&first_page)).await;
    trial.judge(Check::ListTarget, &may_list, page, tell)?;
    Ok(Some(target))
}

fn first_page(prefix: &shardlift_core::value::key::KeyPrefix) -> ListRequest {
    ListRequest {
        prefix: prefix.clone(),
        after: None,
    }
}
