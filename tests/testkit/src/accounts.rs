//! The two accounts in memory: who may open which bucket.

use std::sync::{Arc, Mutex};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{Accounts, SessionName},
    run::{
        pair::{Pair, Source, Target},
        record::{BucketFacts, RunRecord},
    },
    value::{
        arn::{AccountId, Arn},
        bucket::BucketName,
    },
};

use crate::{CallScript, MemoryBuckets, MemorySource, MemoryTarget, bucket_handle::BucketHandle};

/// A session of the target role that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedSession {
    /// Its name.
    pub name: String,
    /// The policy that narrows it.
    pub policy: Option<String>,
}

/// Opens buckets of a [`MemoryBuckets`].
#[derive(Debug, Clone)]
pub struct MemoryAccounts {
    buckets: MemoryBuckets,
    own_account: AccountId,
    page_objects: usize,
    script: CallScript,
    sessions: Arc<Mutex<Vec<AssumedSession>>>,
}

impl MemoryAccounts {
    /// Accounts over these buckets; the functions run in `own_account`, pages hold `page_objects`.
    #[must_use]
    pub fn new(
        buckets: MemoryBuckets,
        own_account: &str,
        page_objects: usize,
        script: CallScript,
    ) -> Self {
        let own_account = AccountId::new(own_account).expect("an account id");
        Self {
            buckets,
            own_account,
            page_objects,
            script,
            sessions: Arc::default(),
        }
    }

    /// The role sessions that were opened.
    #[must_use]
    pub fn sessions(&self) -> Vec<AssumedSession> {
        self.sessions.lock().expect("not poisoned").clone()
    }

    async fn handle(
        &self,
        bucket: &BucketName,
        owner: &AccountId,
    ) -> Result<BucketHandle, CallFault> {
        const OPERATION: &str = "s3:HeadBucket";
        let facts = self
            .script
            .call(OPERATION, || {
                let world = self.buckets.lock();
                let (facts, _) = world.buckets.get(bucket).ok_or_else(|| {
                    CallFault::new(OPERATION, FaultKind::NoSuchBucket, bucket.to_string())
                })?;
                if facts.owner == *owner {
                    Ok(facts.clone())
                } else {
                    Err(CallFault::new(
                        OPERATION,
                        FaultKind::WrongOwner,
                        format!("{bucket} is owned by {}", facts.owner),
                    ))
                }
            })
            .await?;
        Ok(self.handle_with(bucket, facts))
    }

    fn handle_with(&self, bucket: &BucketName, facts: BucketFacts) -> BucketHandle {
        BucketHandle {
            buckets: self.buckets.clone(),
            bucket: bucket.clone(),
            facts,
            page_objects: self.page_objects,
            script: self.script.clone(),
            requests: Arc::default(),
        }
    }

    async fn assume(&self, session: &SessionName, policy: Option<&str>) -> Result<(), CallFault> {
        self.script
            .call("sts:AssumeRole", || {
                self.sessions
                    .lock()
                    .expect("not poisoned")
                    .push(AssumedSession {
                        name: session.as_str().to_owned(),
                        policy: policy.map(str::to_owned),
                    });
                Ok(())
            })
            .await
            .map_err(|fault| match fault.kind {
                FaultKind::AccessDenied => CallFault {
                    kind: FaultKind::RoleRefused,
                    ..fault
                },
                _ => fault,
            })
    }
}

impl Accounts for MemoryAccounts {
    type Source = MemorySource;
    type Target = MemoryTarget;

    async fn own_principal(&self) -> Result<Arn, CallFault> {
        let arn = Arn::new(format!(
            "arn:aws:sts::{}:assumed-role/function/memory",
            self.own_account
        ));
        Ok(arn.expect("the account is valid"))
    }

    async fn open_source(&self, source: &Source) -> Result<MemorySource, CallFault> {
        let handle = self.handle(&source.bucket, &self.own_account).await?;
        Ok(MemorySource(handle))
    }

    async fn open_target(
        &self,
        target: &Target,
        source: &Source,
        session: &SessionName,
        policy: Option<&str>,
    ) -> Result<MemoryTarget, CallFault> {
        self.assume(session, policy).await?;
        let handle = self
            .handle(&target.bucket, &target.role_arn.account())
            .await?;
        Ok(MemoryTarget {
            handle,
            source: source.bucket.clone(),
        })
    }

    async fn reopen_target(
        &self,
        run: &RunRecord,
        session: &SessionName,
        policy: &str,
    ) -> Result<MemoryTarget, CallFault> {
        self.assume(session, Some(policy)).await?;
        let Pair { source, target } = &run.spec.pair;
        let handle = self.handle_with(&target.bucket, run.target.clone());
        Ok(MemoryTarget {
            handle,
            source: source.bucket.clone(),
        })
    }
}
