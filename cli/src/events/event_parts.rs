//! The parts of a stack that events are about.

use serde::Deserialize;
use shardlift_core::value::bucket::BucketName;

use crate::{
    arguments::StackArguments,
    deployment::{Deployment, read_local_outputs},
    error::CommandError,
};

/// What the name of a stack's state machine ends in.
const MACHINE_SUFFIX: &str = "-sync";

/// The parts of a stack that events are about.
#[derive(Debug)]
pub(super) struct EventParts {
    /// The bucket whose events they are.
    pub(super) source_bucket: BucketName,
    /// The stack's name, from which its queues have theirs.
    pub(super) stack: String,
}

#[derive(Deserialize)]
struct LocalSource {
    source_bucket: BucketName,
}

impl EventParts {
    /// Finds them: the bucket is the one that was named, or that of the stack.
    ///
    /// # Errors
    /// When nothing names the bucket.
    pub(super) async fn find(
        arguments: &StackArguments,
        deployment: &Deployment,
        named: Option<&BucketName>,
    ) -> Result<Self, CommandError> {
        let machine = deployment.parts.state_machine_arn.name();
        let stack = machine.strip_suffix(MACHINE_SUFFIX).unwrap_or(machine);
        let source_bucket = match (named, &arguments.stack) {
            (Some(named), _) => named.clone(),
            (None, _) if arguments.local => {
                let outputs: LocalSource = read_local_outputs(&arguments.local_outputs)?;
                outputs.source_bucket
            }
            (None, Some(stack)) => {
                let described = Deployment::describe(arguments, stack).await?;
                let bucket = described.parameter("SourceBucketName").unwrap_or_default();
                BucketName::new(bucket).map_err(|problem| {
                    CommandError::usage(format!(
                        "the stack's parameter SourceBucketName: {problem}"
                    ))
                })?
            }
            (None, None) => {
                return Err(CommandError::usage(
                    "which bucket sends the events? Use --source-bucket, or --stack",
                ));
            }
        };
        Ok(Self {
            source_bucket,
            stack: stack.to_owned(),
        })
    }
}
