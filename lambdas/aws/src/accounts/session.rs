//! A session of the target role: assumed once, shared by its clients, and renewed before it expires.

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

/// AWS limits role chaining to an hour, and a Lambda's own credentials are already a session of a role
/// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds).
const SESSION_LENGTH: Duration = Duration::from_secs(3_600);

/// A session is renewed this long before it expires, so that it does not expire during a call.
const RENEWED_BEFORE_EXPIRY: Duration = Duration::from_secs(300);

/// What identifies a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionKey {
    pub(crate) role_arn: RoleArn,
    pub(crate) external_id: Option<ExternalId>,
    pub(crate) name: SessionName,
    /// The session policy, which narrows the role's permissions.
    pub(crate) policy: Option<String>,
}

/// The credentials of a session. All its clients get them here, so that STS is called once an hour.
#[derive(Debug)]
pub(crate) struct Session {
    provider: AssumeRoleProvider,
    current: Mutex<Option<Credentials>>,
}

impl Session {
    /// A session whose role is assumed when its credentials are first needed. `home` is the Region whose STS is called:
    /// the function's own, because the global endpoint may be far away and is a single point of failure.
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
            current: Mutex::new(None),
        }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut current = self.current.lock().await;
        if let Some(credentials) = current.as_ref().filter(|credentials| is_fresh(credentials)) {
            return Ok(credentials.clone());
        }
        let fresh = self.provider.provide_credentials().await?;
        *current = Some(fresh.clone());
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

fn is_fresh(credentials: &Credentials) -> bool {
    credentials
        .expiry()
        .is_none_or(|expiry| expiry > SystemTime::now() + RENEWED_BEFORE_EXPIRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiring_in(seconds: u64) -> Credentials {
        let expiry = SystemTime::now() + Duration::from_secs(seconds);
        Credentials::new("id", "secret", None, Some(expiry), "test")
    }

    #[test]
    fn a_session_is_renewed_before_it_expires() {
        assert!(is_fresh(&expiring_in(3_600)));
        assert!(!is_fresh(&expiring_in(200)));
    }
}
