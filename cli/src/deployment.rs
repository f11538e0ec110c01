//! Which stack the command works on, and how it is reached.

use std::{collections::BTreeMap, path::Path, time::Duration};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_types::{error::metadata::ProvideErrorMetadata, timeout::TimeoutConfig};
use serde::Deserialize;
use shardlift_core::value::{arn::StateMachineArn, bucket::BucketName};

use crate::{arguments::StackArguments, credentials::OperatorCredentials, error::CommandError};

/// The parts of a stack that the command talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackParts {
    /// It is of the account that owns the control bucket too: executions are started and read in the own account alone.
    pub(crate) state_machine_arn: StateMachineArn,
    pub(crate) ledger_table: String,
    pub(crate) control_bucket: BucketName,
}

/// A stack, and the SDK's configuration for it.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) parts: StackParts,
    pub(crate) sdk: aws_config::SdkConfig,
    /// What to type between `shardlift` and the command to reach the same stack again.
    pub(crate) flags: String,
}

/// What `make local-up` writes, as far as it is needed here.
#[derive(Deserialize)]
struct LocalOutputs {
    endpoint_url: String,
    region: String,
    source_credentials: LocalCredentials,
    target_credentials: LocalCredentials,
    state_machine_arn: StateMachineArn,
    ledger_table: String,
    control_bucket: BucketName,
}

#[derive(Deserialize)]
struct LocalCredentials {
    access_key_id: String,
    secret_access_key: String,
}

impl Deployment {
    /// Finds the stack that the arguments name.
    ///
    /// # Errors
    /// When they name none, more than one, or one that cannot be found.
    pub(crate) async fn find(arguments: &StackArguments) -> Result<Self, CommandError> {
        if arguments.local {
            return Self::local(&arguments.local_outputs).await;
        }
        let sdk = sdk_config(arguments, arguments.profile.as_deref()).await?;
        if let Some(parts) = named_parts(arguments)? {
            return Ok(Self {
                parts,
                sdk,
                flags: String::new(),
            });
        }
        let Some(stack) = &arguments.stack else {
            return Err(CommandError::usage(
                "which stack? Use --stack NAME, or --local for the stack of `make local-up` (shardlift --help)",
            ));
        };
        let description = StackDescription::read(&sdk, stack).await?;
        let parts = StackParts {
            state_machine_arn: state_machine(&description.output("StateMachineArn")?)?,
            ledger_table: description.output("LedgerTable")?,
            control_bucket: bucket_name(&description.output("ControlBucketName")?)?,
        };
        Ok(Self {
            parts,
            sdk,
            flags: format!("--stack {stack} "),
        })
    }

    /// The name of the stack, which the template gives to its state machine.
    pub(crate) fn stack_name(&self) -> String {
        let machine = self.parts.state_machine_arn.name();
        machine.strip_suffix("-sync").unwrap_or(machine).to_owned()
    }

    /// The outputs and parameters of a stack.
    ///
    /// # Errors
    /// When CloudFormation does not know it, or refuses the call.
    pub(crate) async fn describe(
        arguments: &StackArguments,
        stack: &str,
    ) -> Result<StackDescription, CommandError> {
        let sdk = sdk_config(arguments, arguments.profile.as_deref()).await?;
        StackDescription::read(&sdk, stack).await
    }

    /// The SDK's configuration for calls to the target account: with this profile, or else as for the stack. The local stack
    /// has credentials of the target account.
    ///
    /// # Errors
    /// When the profile has no Region and none is given, and when the outputs of the local stack cannot be read.
    pub(crate) async fn target_sdk(
        arguments: &StackArguments,
        profile: Option<&str>,
    ) -> Result<aws_config::SdkConfig, CommandError> {
        if arguments.local {
            let outputs: LocalOutputs = read_local_outputs(&arguments.local_outputs)?;
            return Ok(local_sdk(&outputs, &outputs.target_credentials).await);
        }
        sdk_config(arguments, profile.or(arguments.profile.as_deref())).await
    }

    async fn local(outputs: &Path) -> Result<Self, CommandError> {
        let outputs: LocalOutputs = read_local_outputs(outputs)?;
        let sdk = local_sdk(&outputs, &outputs.source_credentials).await;
        Ok(Self {
            parts: StackParts {
                state_machine_arn: outputs.state_machine_arn,
                ledger_table: outputs.ledger_table,
                control_bucket: outputs.control_bucket,
            },
            sdk,
            flags: "--local ".to_owned(),
        })
    }
}

/// A person waits: three attempts to connect end within ten seconds, where the SDK's own take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// The calls that a person waits for, all attempts together.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(9);

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
}

async fn local_sdk(
    outputs: &LocalOutputs,
    credentials: &LocalCredentials,
) -> aws_config::SdkConfig {
    let credentials = Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        None,
        None,
        "local stack",
    );
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(outputs.region.clone()))
        .timeout_config(timeouts())
        .endpoint_url(&outputs.endpoint_url)
        .credentials_provider(credentials)
        .load()
        .await
}

async fn sdk_config(
    arguments: &StackArguments,
    profile: Option<&str>,
) -> Result<aws_config::SdkConfig, CommandError> {
    let mut loader =
        aws_config::defaults(aws_config::BehaviorVersion::latest()).timeout_config(timeouts());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &arguments.region {
        loader = loader.region(aws_config::Region::new(region.clone()));
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err(CommandError::usage(
            "in which Region is the stack? Use --region, set AWS_REGION, or set region in the profile",
        ));
    }
    let Some(provider) = config.credentials_provider() else {
        return Ok(config);
    };
    let credentials = OperatorCredentials::new(provider, profile);
    Ok(config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build())
}

/// The parts that were named one by one: all three, or none.
fn named_parts(arguments: &StackArguments) -> Result<Option<StackParts>, CommandError> {
    match (
        &arguments.state_machine,
        &arguments.ledger_table,
        &arguments.control_bucket,
    ) {
        (None, None, None) => Ok(None),
        (Some(machine), Some(table), Some(bucket)) => Ok(Some(StackParts {
            state_machine_arn: state_machine(machine)?,
            ledger_table: table.clone(),
            control_bucket: bucket_name(bucket)?,
        })),
        _ => Err(CommandError::usage(
            "--state-machine, --ledger-table and --control-bucket are given together, or --stack alone",
        )),
    }
}

/// Reads what `make local-up` wrote.
pub(crate) fn read_local_outputs<T: serde::de::DeserializeOwned>(
    path: &Path,
) -> Result<T, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CommandError::usage(format!(
            "{} cannot be read ({error}); start the local stack: make local-up",
            path.display()
        ))
    })?;
    serde_json::from_str(&text).map_err(|error| {
        CommandError::usage(format!(
            "{} is not what make local-up writes: {error}",
            path.display()
        ))
    })
}

/// What CloudFormation has about a stack.
#[derive(Debug)]
pub(crate) struct StackDescription {
    name: String,
    status: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl StackDescription {
    /// Reads them.
    ///
    /// # Errors
    /// When CloudFormation does not know the stack, or refuses the call.
    pub(crate) async fn read(
        sdk: &aws_config::SdkConfig,
        name: &str,
    ) -> Result<Self, CommandError> {
        let client = aws_sdk_cloudformation::config::Builder::from(sdk).timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(CALL_TIMEOUT)
                .build(),
        );
        let response = aws_sdk_cloudformation::Client::from_conf(client.build())
            .describe_stacks()
            .stack_name(name)
            .send()
            .await
            .map_err(|error| match error.message() {
                Some(message) if message.contains("does not exist") => {
                    let region = sdk.region().map_or("this Region", AsRef::as_ref);
                    CommandError::usage(format!(
                        "there is no stack {name} in {region} of this account; see --stack, --region and --profile"
                    ))
                }
                _ => CommandError::call("cloudformation:DescribeStacks", &error),
            })?;
        let mut stack = Self {
            name: name.to_owned(),
            status: String::new(),
            outputs: BTreeMap::new(),
            parameters: BTreeMap::new(),
        };
        for described in response.stacks() {
            if let Some(status) = described.stack_status() {
                stack.status = status.as_str().to_owned();
            }
            for output in described.outputs() {
                if let (Some(key), Some(value)) = (output.output_key(), output.output_value()) {
                    stack.outputs.insert(key.to_owned(), value.to_owned());
                }
            }
            for parameter in described.parameters() {
                if let (Some(key), Some(value)) =
                    (parameter.parameter_key(), parameter.parameter_value())
                {
                    stack.parameters.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        Ok(stack)
    }

    /// How its last deployment ended.
    pub(crate) fn status(&self) -> &str {
        &self.status
    }

    /// An output.
    ///
    /// # Errors
    /// When the stack has none of this name, so is another one.
    pub(crate) fn output(&self, key: &str) -> Result<String, CommandError> {
        self.outputs.get(key).cloned().ok_or_else(|| {
            CommandError::usage(format!(
                "the stack {} has no output {key}: is it one of infra/template.yaml?",
                self.name
            ))
        })
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.get(key).map(String::as_str)
    }
}

fn state_machine(text: &str) -> Result<StateMachineArn, CommandError> {
    StateMachineArn::new(text).map_err(|invalid| CommandError::usage(invalid.to_string()))
}

fn bucket_name(text: &str) -> Result<BucketName, CommandError> {
    BucketName::new(text).map_err(|invalid| CommandError::usage(invalid.to_string()))
}
