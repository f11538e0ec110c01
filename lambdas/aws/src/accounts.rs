//! Opens the two sides of a pair: whose credentials, which Region, who owns the bucket.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, PoisonError},
};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::config::Region as SdkRegion;
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{Accounts, SessionName},
    run::{
        pair::{Pair, Source, Target},
        record::{BucketFacts, RunRecord},
    },
    value::{arn::AccountId, bucket::BucketName},
};
use tokio::sync::OnceCell;

use crate::{
    clients::DataPlane,
    fault_mapping::{bad_answer, call_fault, session_fault},
    request_counter::RequestCounter,
    retry::RetriedByCaller,
    s3::{AwsSourceBucket, AwsTargetBucket, TargetClients, bucket_facts::find_bucket_facts},
    session::{Session, SessionKey},
};

const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

/// A warm copier serves one shard after the other, each under a session of its own name.
const SESSIONS_KEPT: usize = 8;

/// Who the process is.
#[derive(Debug, Clone)]
struct Caller {
    account: AccountId,
    arn: String,
}

/// The accounts, through AWS.
#[derive(Debug, Clone)]
pub struct AwsAccounts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: SdkConfig,
    home: SdkRegion,
    data: DataPlane,
    caller: OnceCell<Caller>,
    sessions: std::sync::Mutex<VecDeque<(SessionKey, SharedCredentialsProvider)>>,
    source_facts: std::sync::Mutex<BTreeMap<BucketName, BucketFacts>>,
}

impl AwsAccounts {
    /// The accounts as the credentials in `config` see them; `data_endpoint_url` replaces S3's endpoints for the
    /// listings and copies.
    #[must_use]
    pub fn new(config: &SdkConfig, data_endpoint_url: Option<String>) -> Self {
        Self::retried_by_caller(config, data_endpoint_url, RetriedByCaller::Nothing)
    }

    /// The same for a caller that retries these reads of the two buckets.
    #[must_use]
    pub fn retried_by_caller(
        config: &SdkConfig,
        data_endpoint_url: Option<String>,
        retried: RetriedByCaller,
    ) -> Self {
        // Lambda always sets a Region; elsewhere the SDK's own fallback is as good as any to begin looking from.
        let home = config
            .region()
            .cloned()
            .unwrap_or_else(|| SdkRegion::from_static("us-east-1"));
        Self(Arc::new(Inner {
            config: config.clone(),
            home,
            data: DataPlane::new(config, data_endpoint_url, retried),
            caller: OnceCell::new(),
            sessions: std::sync::Mutex::default(),
            source_facts: std::sync::Mutex::default(),
        }))
    }

    async fn caller(&self) -> Result<&Caller, CallFault> {
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
                    .map_err(|problem| bad_answer(GET_CALLER_IDENTITY, problem))?;
                let arn = identity.arn().unwrap_or_default().to_owned();
                Ok(Caller { account, arn })
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

    /// The session of the target role, assumed now if it is not yet, so that a refusal shows at once.
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
        let known = self
            .sessions()
            .iter()
            .find_map(|(known, session)| (*known == key).then(|| session.clone()));
        let session = match known {
            Some(session) => session,
            None => {
                let session = Session::new(&self.0.config, self.0.home.clone(), &key).await;
                SharedCredentialsProvider::new(session)
            }
        };
        session
            .provide_credentials()
            .await
            .map_err(|error| session_fault(&error))?;
        let mut sessions = self.sessions();
        sessions.retain(|(known, _)| *known != key);
        sessions.push_back((key, session.clone()));
        if sessions.len() > SESSIONS_KEPT {
            sessions.pop_front();
        }
        Ok(session)
    }

    fn sessions(
        &self,
    ) -> std::sync::MutexGuard<'_, VecDeque<(SessionKey, SharedCredentialsProvider)>> {
        self.0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
        let client_in = |region| self.0.data.opening(region, &credentials, counter);
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
        target: (&Target, BucketFacts),
        source: (&Source, BucketFacts),
    ) -> AwsTargetBucket {
        let region_of = |facts: &BucketFacts| SdkRegion::new(facts.region.as_str().to_owned());
        let data = &self.0.data;
        let clients = TargetClients {
            asking_target: data.asking(region_of(&target.1), credentials, &counter),
            listing: data.listing(region_of(&target.1), credentials, &counter),
            asking_source: data.asking(region_of(&source.1), credentials, &counter),
            copying: data.copying(region_of(&target.1), credentials, &counter),
            counter,
        };
        AwsTargetBucket::new(
            clients,
            (target.0.bucket.clone(), target.1),
            (source.0.bucket.clone(), source.1),
        )
    }
}

impl Accounts for AwsAccounts {
    type Source = AwsSourceBucket;
    type Target = AwsTargetBucket;

    async fn own_principal(&self) -> Result<String, CallFault> {
        Ok(self.caller().await?.arn.clone())
    }

    async fn open_source(&self, source: &Source) -> Result<AwsSourceBucket, CallFault> {
        let counter = RequestCounter::default();
        let facts = self.source_facts(source, &counter).await?;
        let region = SdkRegion::new(facts.region.as_str().to_owned());
        let client = self
            .0
            .data
            .listing(region, &self.own_credentials()?, &counter);
        Ok(AwsSourceBucket::new(
            client,
            counter,
            source.bucket.clone(),
            facts,
        ))
    }

    async fn open_target(
        &self,
        target: &Target,
        source: &Source,
        session: &SessionName,
    ) -> Result<AwsTargetBucket, CallFault> {
        let counter = RequestCounter::default();
        let credentials = self.session(target, session, None).await?;
        let client_in = |region| self.0.data.opening(region, &credentials, &counter);
        let owner = target.role_arn.account();
        let facts = find_bucket_facts(client_in, &self.0.home, &target.bucket, owner).await?;
        let source_facts = self.source_facts(source, &counter).await?;
        Ok(self.target_bucket(
            &credentials,
            counter,
            (target, facts),
            (source, source_facts),
        ))
    }

    async fn reopen_target(
        &self,
        run: &RunRecord,
        session: &SessionName,
        policy: Option<&str>,
    ) -> Result<AwsTargetBucket, CallFault> {
        let Pair { source, target } = &run.spec.pair;
        let credentials = self.session(target, session, policy).await?;
        Ok(self.target_bucket(
            &credentials,
            RequestCounter::default(),
            (target, run.target.clone()),
            (source, run.source.clone()),
        ))
    }
}
