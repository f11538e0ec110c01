//! A session of the target role: assumed once, shared by its clients, renewed before it ends.

use std::time::{Duration, SystemTime};

use aws_config::{SdkConfig, sts::AssumeRoleProvider};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_s3::config::Region;
use shardlift_core::{
    port::SessionName,
    value::arn::{ExternalId, RoleArn},
};
use tokio::sync::Mutex;

/// AWS limits a session that was assumed from a session (a Lambda's own credentials are one) to an hour
/// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds).
const SESSION_LENGTH: Duration = Duration::from_secs(3_600);

/// Renewed this long before the end, so that a call that begins with it also ends with it.
const RENEWED_BEFORE_END: Duration = Duration::from_secs(300);

/// What makes two sessions the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionKey {
    pub(crate) role_arn: RoleArn,
    pub(crate) external_id: Option<ExternalId>,
    pub(crate) name: SessionName,
    /// What the session is narrowed to.
    pub(crate) policy: Option<String>,
}

/// The credentials of a session; every client of the session asks here, so that STS is asked once an hour.
#[derive(Debug)]
pub(crate) struct Session {
    provider: AssumeRoleProvider,
    held: Mutex<Option<Credentials>>,
}

impl Session {
    /// A session that is assumed when its credentials are first asked for. `home` is the Region whose STS is called:
    /// the function's own, because the global endpoint is a single point far away.
    pub(crate) async fn new(config: &SdkConfig, home: Region, key: &SessionKey) -> Self {
        let mut builder = AssumeRoleProvider::builder(key.role_arn.as_str())
            .session_name(key.name.as_str())
            .session_length(SESSION_LENGTH)
            .region(home)
            .configure(config);
        if let Some(external_id) = &key.external_id {
            builder = builder.external_id(external_id.as_str());
        }
        if let Some(policy) = &key.policy {
            builder = builder.policy(policy);
        }
        Self {
            provider: builder.build().await,
            held: Mutex::new(None),
        }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| outlasts(credentials)) {
            return Ok(credentials.clone());
        }
        let fresh = self.provider.provide_credentials().await?;
        *held = Some(fresh.clone());
        Ok(fresh)
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

fn outlasts(credentials: &Credentials) -> bool {
    credentials
        .expiry()
        .is_none_or(|end| end > SystemTime::now() + RENEWED_BEFORE_END)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending_in(seconds: u64) -> Credentials {
        let end = SystemTime::now() + Duration::from_secs(seconds);
        Credentials::new("id", "secret", None, Some(end), "test")
    }

    #[test]
    fn a_session_is_renewed_before_it_ends() {
        assert!(outlasts(&ending_in(3_600)));
        assert!(!outlasts(&ending_in(200)));
    }
}
