//! The source bucket: where it is, and what its policy says.

use aws_sdk_s3::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;
use shardlift_core::{access::policy, value::bucket::BucketName};

use super::{
    documents::missing,
    expected::Expected,
    finding::{DoctorFinding, Level},
};
use crate::{deployment::Deployment, error::CommandError};

pub(super) async fn check(deployment: &Deployment, expected: &Expected) -> Vec<DoctorFinding> {
    let source = &expected.agreement.pair.source;
    let client = client(&deployment.sdk);
    let bucket = ExaminedBucket {
        client: &client,
        name: &source.bucket,
        check: "source bucket",
    };
    let (mut findings, region) = bucket.place().await;
    if let Some(region) = region {
        let client = in_region(&deployment.sdk, region);
        let bucket = ExaminedBucket {
            client: &client,
            ..bucket
        };
        findings.push(policy_of_source(&bucket, expected).await);
    }
    findings
}

/// A bucket, and the client that reads it.
#[derive(Clone, Copy)]
pub(super) struct ExaminedBucket<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a BucketName,
    pub(super) check: &'static str,
}

/// A client in the Region of the configuration.
pub(super) fn client(sdk: &aws_config::SdkConfig) -> Client {
    let builder = aws_sdk_s3::config::Builder::from(sdk);
    Client::from_conf(
        builder
            .force_path_style(sdk.endpoint_url().is_some())
            .build(),
    )
}

/// The same, in a bucket's own Region.
pub(super) fn in_region(sdk: &aws_config::SdkConfig, region: String) -> Client {
    let region = aws_config::Region::new(region);
    client(&sdk.to_builder().region(region).build())
}

impl ExaminedBucket<'_> {
    /// Where it is. Without a Region nothing else about it can be asked.
    pub(super) async fn place(&self) -> (Vec<DoctorFinding>, Option<String>) {
        let (name, check) = (self.name, self.check);
        let found = self.client.head_bucket().bucket(name.as_str()).send().await;
        match found {
            Ok(found) => {
                let home = self.client.config().region().map(ToString::to_string);
                let region = found.bucket_region().map(str::to_owned).or(home);
                let what = format!(
                    "{name} is in {}",
                    region.as_deref().unwrap_or("this Region")
                );
                (vec![DoctorFinding::fine(check, what)], region)
            }
            Err(error) => {
                let response = error.raw_response();
                let status = response.map(|response| response.status().as_u16());
                // A HEAD has no body, but a redirect names the Region
                // (docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
                let region = response.and_then(|it| it.headers().get("x-amz-bucket-region"));
                let region = region.map(str::to_owned);
                if let (Some(301), Some(region)) = (status, &region) {
                    let what = format!("{name} is in {region}");
                    return (vec![DoctorFinding::fine(check, what)], Some(region.clone()));
                }
                let finding = match status {
                    Some(404) => DoctorFinding::new(
                        Level::Problem,
                        check,
                        format!("there is no bucket {name}"),
                        "Check the name in the stack's parameters, and whether the bucket was created.",
                    ),
                    _ => DoctorFinding::failed_call(check, "s3:ListBucket (HeadBucket)", &error),
                };
                (vec![finding], region)
            }
        }
    }

    /// Its policy; nothing where it has none.
    pub(super) async fn policy(&self) -> Result<Option<Value>, CommandError> {
        let found = self
            .client
            .get_bucket_policy()
            .bucket(self.name.as_str())
            .send()
            .await;
        match found {
            Ok(found) => {
                let text = found.policy().unwrap_or_default();
                let policy = serde_json::from_str(text);
                Ok(Some(policy.map_err(|error| {
                    CommandError::usage(format!("the policy of {} is not JSON: {error}", self.name))
                })?))
            }
            Err(error) if error.code() == Some("NoSuchBucketPolicy") => Ok(None),
            Err(error) => Err(CommandError::call("s3:GetBucketPolicy", &error)),
        }
    }

    /// The commands that merge the statements of a document into its policy.
    pub(super) fn merge(
        &self,
        expected: &Expected,
        document: &str,
        has_policy: bool,
    ) -> Vec<String> {
        let (name, flags) = (self.name, &expected.flags);
        let print = format!(
            "shardlift {flags}policy {document}{}",
            expected.policy_flags()
        );
        let put =
            format!("aws s3api put-bucket-policy --bucket {name} --policy file://merged.json");
        if has_policy {
            let get = format!(
                "aws s3api get-bucket-policy --bucket {name} --query Policy --output text >policy.json"
            );
            vec![
                get,
                format!("{print} --merge policy.json >merged.json"),
                put,
            ]
        } else {
            vec![format!("{print} >merged.json"), put]
        }
    }
}

async fn policy_of_source(bucket: &ExaminedBucket<'_>, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "source bucket policy";
    let there = match bucket.policy().await {
        Ok(there) => there,
        Err(error) => return DoctorFinding::unknown(CHECK, &error),
    };
    let has_policy = there.is_some();
    let there: Vec<Value> = there.into_iter().collect();
    let absent = missing(&policy::source_bucket(&expected.agreement), &there);
    let role = expected.agreement.pair.target.role_arn.as_str();
    if absent.is_empty() {
        return DoctorFinding::fine(CHECK, format!("lets {role} read"));
    }
    // Where S3 knows no annotations, they are in no policy.
    let mut plain = expected.agreement.clone();
    plain.extras.without_annotations = true;
    if missing(&policy::source_bucket(&plain), &there).is_empty() {
        return DoctorFinding::fine(CHECK, format!("lets {role} read, but no annotations"));
    }
    let why = format!(
        "Unless another statement allows the same, a run ends with AccessDenied: {role} may not read the source. Merge what is \
         missing into the policy:"
    );
    DoctorFinding::new(
        Level::Problem,
        CHECK,
        format!("lacks {}", absent.join(", ")),
        why,
    )
    .fixed_by(bucket.merge(expected, "source-bucket", has_policy))
}
