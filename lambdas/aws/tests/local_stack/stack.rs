use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;

/// The local stack accepts an account id as the access key of the account's root.
pub(crate) const ACCOUNT: &str = "111111111111";
const SECRET_VARIABLE: &str = "SHARDLIFT_LOCAL_SECRET";
const ENDPOINT_VARIABLE: &str = "SHARDLIFT_LOCAL_ENDPOINT";

/// What the SDK would find in the environment of a function.
pub(crate) async fn config() -> SdkConfig {
    let variable = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} must be of the local stack; tests/workflow/test_ports.py sets it")
        })
    };
    let secret = variable(SECRET_VARIABLE);
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(ACCOUNT, secret, None, None, "test"))
        .endpoint_url(variable(ENDPOINT_VARIABLE))
        .load()
        .await
}

/// A name that no other test, and no earlier run on the same stack, uses.
pub(crate) fn fresh_name(stem: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{stem}-{}", now.as_nanos())
}
