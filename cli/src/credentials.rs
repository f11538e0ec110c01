//! The credentials of the person who types the command, and what to do when there are none.

use std::error::Error;

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};

/// The SDK's provider, whose errors say what to do.
#[derive(Debug)]
pub(crate) struct OperatorCredentials {
    provider: SharedCredentialsProvider,
    profile: String,
}

impl OperatorCredentials {
    /// Credentials of a profile, or of what the SDK finds when none is named.
    pub(crate) fn new(provider: SharedCredentialsProvider, profile: Option<&str>) -> Self {
        let profile = profile.map(str::to_owned);
        Self {
            provider,
            profile: profile
                .or_else(|| std::env::var("AWS_PROFILE").ok())
                .unwrap_or_else(|| "default".to_owned()),
        }
    }
}

impl ProvideCredentials for OperatorCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let provided = self.provider.provide_credentials().await;
            provided.map_err(|error| {
                CredentialsError::not_loaded(NoCredentials {
                    profile: self.profile.clone(),
                    reason: shardlift_aws::causes_of(&error),
                })
            })
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}

/// There are no credentials to call AWS with.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "there are no AWS credentials for profile {profile}. Sign in: `aws sso login --profile {profile}` with IAM Identity \
     Center, `aws login --profile {profile}` with a console session. For a profile with credential_process, run its \
     command. For another one: `aws configure --profile {profile}`. The SDK's reason: {reason}"
)]
pub(crate) struct NoCredentials {
    profile: String,
    reason: String,
}

impl NoCredentials {
    /// This error, if it is among the causes of a failed call.
    pub(crate) fn among_causes_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}
