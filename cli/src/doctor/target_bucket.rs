//! The target bucket: where it is, and how it keeps what is written to it.

use aws_sdk_s3::types::{BucketVersioningStatus, ObjectOwnership, ServerSideEncryption};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;
use shardlift_core::access::policy;

use super::{
    documents::missing,
    expected::Expected,
    finding::{DoctorFinding, Level},
    source_bucket::{ExaminedBucket, client, in_region},
};

pub(super) async fn check(sdk: &aws_config::SdkConfig, expected: &Expected) -> Vec<DoctorFinding> {
    let client = client(sdk);
    let bucket = ExaminedBucket {
        client: &client,
        name: &expected.agreement.pair.target.bucket,
        check: "target bucket",
    };
    let (mut findings, region) = bucket.place().await;
    let Some(region) = region else {
        return findings;
    };
    let client = in_region(sdk, region);
    let bucket = ExaminedBucket {
        client: &client,
        ..bucket
    };
    findings.push(policy_of_target(&bucket, expected).await);
    findings.push(ownership(&bucket, expected).await);
    findings.push(versioning(&bucket).await);
    findings.push(encryption(&bucket, expected).await);
    findings.push(unfinished_uploads(&bucket).await);
    findings
}

async fn policy_of_target(bucket: &ExaminedBucket<'_>, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "target bucket policy";
    let there = match bucket.policy().await {
        Ok(there) => there,
        Err(error) => return DoctorFinding::unknown(CHECK, &error),
    };
    let has_policy = there.is_some();
    let there: Vec<Value> = there.into_iter().collect();
    let absent = missing(&policy::target_bucket(&expected.agreement), &there);
    let mut plain = expected.agreement.clone();
    plain.extras.without_annotations = true;
    if absent.is_empty() || missing(&policy::target_bucket(&plain), &there).is_empty() {
        return DoctorFinding::fine(CHECK, "as the stack expects");
    }
    // Role and bucket are of one account, where the role's own permissions are enough.
    let why = "Runs work without it, since the role's own permissions are enough within its account. The policy also makes the \
               bucket refuse plain HTTP. To merge it:";
    let what = format!("does not have {}", absent.join(", "));
    DoctorFinding::new(Level::Note, CHECK, what, why).fixed_by(bucket.merge(
        expected,
        "target-bucket",
        has_policy,
    ))
}

async fn ownership(bucket: &ExaminedBucket<'_>, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "target bucket's ownership";
    let name = bucket.name.as_str();
    let found = bucket
        .client
        .get_bucket_ownership_controls()
        .bucket(name)
        .send()
        .await;
    let owner = match found {
        Ok(found) => found
            .ownership_controls()
            .and_then(|controls| controls.rules().first())
            .map(|rule| rule.object_ownership().clone()),
        // A bucket from before April 2023 may have none: then access control lists are on
        // (docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html).
        Err(error) if error.code() == Some("OwnershipControlsNotFoundError") => None,
        Err(error) => {
            return DoctorFinding::failed_call(CHECK, "s3:GetBucketOwnershipControls", &error);
        }
    };
    if owner == Some(ObjectOwnership::BucketOwnerEnforced) {
        return DoctorFinding::fine(CHECK, "BucketOwnerEnforced: no access control lists");
    }
    let what = owner.map_or_else(
        || "access control lists are on".to_owned(),
        |owner| format!("{}: access control lists are on", owner.as_str()),
    );
    if expected.agreement.extras.with_acls {
        return DoctorFinding::fine(CHECK, what);
    }
    let why = "The role belongs to the bucket's own account, so its copies belong to it anyway. AWS recommends turning the lists off:";
    DoctorFinding::new(Level::Note, CHECK, what, why).fixed_by([format!(
        "aws s3api put-bucket-ownership-controls --bucket {name} --ownership-controls 'Rules=[{{ObjectOwnership=BucketOwnerEnforced}}]'"
    )])
}

async fn versioning(bucket: &ExaminedBucket<'_>) -> DoctorFinding {
    const CHECK: &str = "target bucket's versions";
    let name = bucket.name.as_str();
    match bucket
        .client
        .get_bucket_versioning()
        .bucket(name)
        .send()
        .await
    {
        Ok(found) if found.status() == Some(&BucketVersioningStatus::Enabled) => {
            DoctorFinding::fine(
                CHECK,
                "kept: what is overwritten or deleted can be brought back",
            )
        }
        Ok(_) => {
            let why = "What a run overwrites or deletes is gone for good. With versions it can be brought back; a lifecycle \
                       rule for old versions keeps the cost down.";
            DoctorFinding::new(Level::Note, CHECK, "not kept", why).fixed_by([format!(
                "aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled"
            )])
        }
        Err(error) => DoctorFinding::failed_call(CHECK, "s3:GetBucketVersioning", &error),
    }
}

async fn encryption(bucket: &ExaminedBucket<'_>, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "target bucket's encryption";
    let name = bucket.name.as_str();
    let found = match bucket
        .client
        .get_bucket_encryption()
        .bucket(name)
        .send()
        .await
    {
        Ok(found) => found,
        // Buckets without a rule of their own encrypt with S3's keys
        // (docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html).
        Err(error) if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
            return DoctorFinding::fine(CHECK, "with S3's own keys");
        }
        Err(error) => {
            return DoctorFinding::failed_call(CHECK, "s3:GetEncryptionConfiguration", &error);
        }
    };
    let rule = found
        .server_side_encryption_configuration()
        .and_then(|found| found.rules().first())
        .and_then(|rule| rule.apply_server_side_encryption_by_default());
    let is_kms = rule.is_some_and(|rule| *rule.sse_algorithm() != ServerSideEncryption::Aes256);
    let key = rule
        .and_then(|rule| rule.kms_master_key_id())
        .unwrap_or("AWS's key for S3");
    if !is_kms {
        return DoctorFinding::fine(CHECK, "with S3's own keys");
    }
    let what = format!("with KMS: {key}");
    if expected.agreement.extras.target_key.is_some() {
        return DoctorFinding::fine(
            CHECK,
            format!("{what}; runs name the stack's key (RunKmsKeyArn)"),
        );
    }
    let why = "Each write needs the key: the target account's stack must name it (TargetKmsKeyArn), and its policy must have:";
    DoctorFinding::new(Level::Note, CHECK, what, why).fixed_by([format!(
        "shardlift {}policy target-key --target-key {key}",
        expected.flags
    )])
}

async fn unfinished_uploads(bucket: &ExaminedBucket<'_>) -> DoctorFinding {
    const CHECK: &str = "target bucket's uploads";
    let name = bucket.name.as_str();
    let found = bucket
        .client
        .get_bucket_lifecycle_configuration()
        .bucket(name)
        .send()
        .await;
    let has_rule = match found {
        Ok(found) => found
            .rules()
            .iter()
            .any(|rule| rule.abort_incomplete_multipart_upload().is_some()),
        Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => false,
        Err(error) => {
            return DoctorFinding::failed_call(CHECK, "s3:GetLifecycleConfiguration", &error);
        }
    };
    if has_rule {
        return DoctorFinding::fine(CHECK, "a lifecycle rule aborts unfinished ones");
    }
    let why = "A run aborts its own uploads, and `shardlift stop` those of a stopped run. The uploads of a run that timed out \
               cost money until they are aborted; a lifecycle rule with AbortIncompleteMultipartUpload does that.";
    DoctorFinding::new(
        Level::Note,
        CHECK,
        "no lifecycle rule aborts unfinished ones",
        why,
    )
}
