use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::config::{Region as SdkRegion, retry::RetryConfig};
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
use tokio::sync::OnceCell;

use super::{
    session::{Session, SessionKey},
    session_cache::SessionCache,
};
use crate::{
    clients::DataPlane,
    fault_mapping::{call_fault, malformed_response, session_fault},
    request_counter::RequestCounter,
    retry::{self, RetriedByCaller},
    s3::{
        AwsSourceBucket, AwsTargetBucket, BucketPair, OwnedBucket, TargetClients, find_bucket_facts,
    },
};

const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

/// The principal whose credentials the process has.
#[derive(Debug, Clone)]
struct Identity {
    account: AccountId,
    arn: Arn,
}

/// The accounts, through STS and S3.
#[derive(Debug, Clone)]
pub struct AwsAccounts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: SdkConfig,
    /// The settings of the client that assumes the target role.
    session_config: SdkConfig,
    home: SdkRegion,
    data: DataPlane,
    caller: OnceCell<Identity>,
    sessions: SessionCache,
    source_facts: Mutex<BTreeMap<BucketName, BucketFacts>>,
}

impl AwsAccounts {
    /// The accounts that the credentials in `config` give access to. `data_endpoint_url` replaces S3's endpoints for
    /// listings and copies.
    #[must_use]
    pub fn new(config: &SdkConfig, data_endpoint_url: Option<String>) -> Self {
        Self::retried_by_caller(config, data_endpoint_url, RetriedByCaller::Nothing)
    }

    /// The same, for a caller that retries the reads of the two buckets that `retried` names.
    #[must_use]
    pub fn retried_by_caller(
        config: &SdkConfig,
        data_endpoint_url: Option<String>,
        retried: RetriedByCaller,
    ) -> Self {
        // Lambda always sets a Region. Elsewhere any Region will do, because it is only the first one to be tried.
        let home = config
            .region()
            .cloned()
            .unwrap_or_else(|| SdkRegion::from_static("us-east-1"));
        Self(Arc::new(Inner {
            config: config.clone(),
            session_config: session_config(config, retried),
            home,
            data: DataPlane::new(config, data_endpoint_url, retried),
            caller: OnceCell::new(),
            sessions: SessionCache::default(),
            source_facts: Mutex::default(),
        }))
    }

    /// A bucket whose Region and owner are known, to be listed with the credentials that the process has. Nothing is called.
    ///
    /// # Errors
    /// When there are no credentials.
    pub fn listed_bucket(
        &self,
        name: &BucketName,
        facts: BucketFacts,
    ) -> Result<AwsSourceBucket, CallFault> {
        let counter = RequestCounter::default();
        let credentials = self.own_credentials()?;
        let region = region_of(&facts);
        let client = self.0.data.for_listings(region, &credentials, &counter);
        let bucket = OwnedBucket {
            name: name.clone(),
            facts,
            is_paid_by_requester: false,
        };
        Ok(AwsSourceBucket::new(client, counter, bucket))
    }

    async fn caller(&self) -> Result<&Identity, CallFault> {
        self.0
            .caller
            .get_or_try_init(|| async {
                let sts = aws_sdk_sts::Client::new(&self.0.config);
                let identity = sts
                    .get_caller_identity()
                    .send()
                    .await
                    .map_err(|error| call_fault(GET_CALLER_IDENTITY, &error))?;
                let account = AccountId::new(identity.account().unwrap_or_default())
                    .map_err(|problem| malformed_response(GET_CALLER_IDENTITY, problem))?;
                let arn = Arn::new(identity.arn().unwrap_or_default())
                    .map_err(|problem| malformed_response(GET_CALLER_IDENTITY, problem))?;
                Ok(Identity { account, arn })
            })
            .await
    }

    fn own_credentials(&self) -> Result<SharedCredentialsProvider, CallFault> {
        self.0.config.credentials_provider().ok_or_else(|| {
            CallFault::new(
                GET_CALLER_IDENTITY,
                FaultKind::AccessDenied,
                "no credentials are configured",
            )
        })
    }

    /// The session of the target role, which is assumed now unless it is cached, so that a refusal is reported here.
    async fn session(
        &self,
        target: &Target,
        name: &SessionName,
        policy: Option<&str>,
    ) -> Result<SharedCredentialsProvider, CallFault> {
        let key = SessionKey {
            role_arn: target.role_arn.clone(),
            external_id: target.external_id.clone(),
            name: name.clone(),
            policy: policy.map(str::to_owned),
        };
        let session = match self.0.sessions.get(&key) {
            Some(session) => session,
            None => {
                let (config, home) = (&self.0.session_config, self.0.home.clone());
                SharedCredentialsProvider::new(Session::new(config, home, &key).await)
            }
        };
        let assume = || async {
            let credentials = session.provide_credentials().await;
            credentials.map_err(|error| session_fault(&error))
        };
        if self.0.data.retried_by_caller() == RetriedByCaller::Nothing {
            assume().await?;
        } else {
            retry::SDK.run(assume).await?;
        }
        self.0.sessions.put(key, session.clone());
        Ok(session)
    }

    async fn source_facts(
        &self,
        source: &Source,
        counter: &RequestCounter,
    ) -> Result<BucketFacts, CallFault> {
        let known = self
            .0
            .source_facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&source.bucket)
            .cloned();
        if let Some(facts) = known {
            return Ok(facts);
        }
        let owner = self.caller().await?.account.clone();
        let credentials = self.own_credentials()?;
        let client_in = |region| self.0.data.for_opening(region, &credentials, counter);
        let facts = find_bucket_facts(client_in, &self.0.home, &source.bucket, owner).await?;
        self.0
            .source_facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(source.bucket.clone(), facts.clone());
        Ok(facts)
    }

    fn target_bucket(
        &self,
        credentials: &SharedCredentialsProvider,
        counter: RequestCounter,
        buckets: BucketPair,
    ) -> AwsTargetBucket {
        let data = &self.0.data;
        let (source_region, target_region) = (
            region_of(&buckets.source.facts),
            region_of(&buckets.target.facts),
        );
        let clients = TargetClients {
            target_reads: data.for_reads(target_region.clone(), credentials, &counter),
            target_listings: data.for_listings(target_region.clone(), credentials, &counter),
            source_reads: data.for_reads(source_region, credentials, &counter),
            writes: data.for_writes(target_region, credentials, &counter),
            counter,
        };
        AwsTargetBucket::new(clients, buckets)
    }
}

/// The settings of the client that assumes the target role. A session is renewed during a call that needs it. If the caller
/// retries such calls, each of their attempts assumes the role once.
fn session_config(config: &SdkConfig, retried: RetriedByCaller) -> SdkConfig {
    match retried {
        RetriedByCaller::Nothing => config.clone(),
        RetriedByCaller::Listings | RetriedByCaller::Reads => config
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .build(),
    }
}

impl Accounts for AwsAccounts {
    type Source = AwsSourceBucket;
    type Target = AwsTargetBucket;

    async fn own_principal(&self) -> Result<Arn, CallFault> {
        Ok(self.caller().await?.arn.clone())
    }

    async fn open_source(&self, source: &Source) -> Result<AwsSourceBucket, CallFault> {
        let counter = RequestCounter::default();
        let facts = self.source_facts(source, &counter).await?;
        let credentials = self.own_credentials()?;
        let client = self
            .0
            .data
            .for_listings(region_of(&facts), &credentials, &counter);
        Ok(AwsSourceBucket::new(
            client,
            counter,
            source_bucket(source, facts),
        ))
    }

    async fn open_target(
        &self,
        target: &Target,
        source: &Source,
        session: &SessionName,
        policy: Option<&str>,
    ) -> Result<AwsTargetBucket, CallFault> {
        let counter = RequestCounter::default();
        let credentials = self.session(target, session, policy).await?;
        let client_in = |region| self.0.data.for_opening(region, &credentials, &counter);
        let owner = target.role_arn.account();
        let facts = find_bucket_facts(client_in, &self.0.home, &target.bucket, owner).await?;
        let source_facts = self.source_facts(source, &counter).await?;
        let buckets = BucketPair {
            source: source_bucket(source, source_facts),
            target: target_bucket(target, facts),
        };
        Ok(self.target_bucket(&credentials, counter, buckets))
    }

    async fn reopen_target(
        &self,
        run: &RunRecord,
        session: &SessionName,
        policy: &str,
    ) -> Result<AwsTargetBucket, CallFault> {
        let Pair { source, target } = &run.spec.pair;
        let credentials = self.session(target, session, Some(policy)).await?;
        let buckets = BucketPair {
            source: source_bucket(source, run.source.clone()),
            target: target_bucket(target, run.target.clone()),
        };
        Ok(self.target_bucket(&credentials, RequestCounter::default(), buckets))
    }
}

fn source_bucket(source: &Source, facts: BucketFacts) -> OwnedBucket {
    OwnedBucket {
        name: source.bucket.clone(),
        facts,
        is_paid_by_requester: source.request_payer,
    }
}

/// The target role is of the account that owns the target, and pays nobody.
fn target_bucket(target: &Target, facts: BucketFacts) -> OwnedBucket {
    OwnedBucket {
        name: target.bucket.clone(),
        facts,
        is_paid_by_requester: false,
    }
}

fn region_of(facts: &BucketFacts) -> SdkRegion {
    SdkRegion::new(facts.region.as_str().to_owned())
}
