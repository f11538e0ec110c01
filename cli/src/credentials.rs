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
                .unwrap_or_else(|| DEFAULT_PROFILE.to_owned()),
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
#[derive(Debug, Clone)]
pub(crate) struct NoCredentials {
    profile: String,
    reason: String,
}

impl std::fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { profile, reason } = self;
        if !is_configured(profile) {
            return if profile == DEFAULT_PROFILE {
                f.write_str(
                    "there are no AWS credentials. Name a profile with --profile or AWS_PROFILE (aws configure list-profiles \
                     shows them), or set one up: aws configure sso, or aws configure",
                )
            } else {
                write!(
                    f,
                    "there is no profile {profile}, and no AWS credentials for it. To list the profiles: aws configure \
                     list-profiles"
                )
            };
        }
        write!(
            f,
            "there are no AWS credentials for profile {profile}. Sign in: `aws sso login --profile {profile}` with IAM \
             Identity Center, `aws login --profile {profile}` with a console session. For a profile with \
             credential_process, run its command. For another one: `aws configure --profile {profile}`. The SDK's \
             reason: {reason}"
        )
    }
}

impl Error for NoCredentials {}

/// The profile of the SDK when none is named.
const DEFAULT_PROFILE: &str = "default";

/// Whether the configuration files have a profile. The SDK does not tell a profile that is not there from one without
/// credentials.
fn is_configured(profile: &str) -> bool {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    [
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ]
    .into_iter()
    .filter_map(|(variable, name)| {
        let named = std::env::var_os(variable).map(std::path::PathBuf::from);
        named.or_else(|| Some(home.as_ref()?.join(".aws").join(name)))
    })
    .filter_map(|path| std::fs::read_to_string(path).ok())
    .any(|text| has_section(&text, profile))
}

fn has_section(text: &str, profile: &str) -> bool {
    text.lines().any(|line| {
        let name = line
            .trim()
            .strip_prefix('[')
            .and_then(|it| it.split_once(']'));
        name.is_some_and(|(name, _)| name.trim().trim_start_matches("profile ").trim() == profile)
    })
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
