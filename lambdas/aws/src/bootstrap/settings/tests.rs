use std::collections::BTreeMap;

use shardlift_core::{
    access::ceilings::{AllowedKey, CeilingParameters},
    failure::FailureCode,
    run::option::ClassChoice,
    value::storage::StorageClass,
};

use super::*;

fn runs_control() -> BucketName {
    BucketName::new("control").unwrap()
}

fn settings(variables: &[(&str, &str)]) -> Result<Settings, Failure> {
    let mut all = BTreeMap::from([
        ("LEDGER_TABLE", "ledger"),
        ("CONTROL_BUCKET", "control"),
        ("CONTROL_BUCKET_OWNER", "111111111111"),
    ]);
    all.extend(variables.iter().copied());
    Settings::from_lookup(|name| all.get(name).map(ToString::to_string))
}

#[test]
fn the_parameters_become_the_defaults_of_a_run() {
    let settings = settings(&[
        ("S3_BUCKET", "source"),
        ("S3_KEY", "data/"),
        ("TARGET_S3_BUCKET", "target"),
        (
            "TARGET_ACCOUNT_ROLE_ARN",
            "arn:aws:iam::222222222222:role/T",
        ),
        ("RUN_MODE", "copy"),
        ("RUN_ROUNDS_MAX", "2"),
        ("RUN_KMS_KEY_ARN", ""),
        (
            "RUN_FILTERS",
            r#"{"exclude": ["**.{tmp,bak}"], "size_min_bytes": 1}"#,
        ),
        ("RUN_REQUEST_PAYER", "true"),
        ("RUN_TRANSFORM", "thumbnail:256,format=webp"),
    ])
    .unwrap();
    let defaults = settings.runs.unwrap().defaults;
    assert_eq!(defaults.source.bucket.unwrap().as_str(), "source");
    assert_eq!(defaults.source.prefix.unwrap().as_str(), "data/");
    assert_eq!(defaults.target.bucket.unwrap().as_str(), "target");
    assert_eq!(defaults.rounds_max, Some(2));
    let filters = json!({"filters": {"exclude": ["**.{tmp,bak}"], "size_min_bytes": 1}});
    assert_eq!(defaults.filters, RunInput::parse(&filters).unwrap().filters);
    assert_eq!(defaults.request_payer, Some(true));
    let transform = "thumbnail:256,format=webp".parse();
    assert_eq!(defaults.transform, Some(transform.unwrap()));
    assert_eq!(defaults.kms_key_arn, None, "an empty text means unset");
    assert_eq!(
        (settings.max_concurrency, settings.ledger_ttl_days),
        (100, 30)
    );
}

#[test]
fn the_cap_of_a_run_is_shared_among_its_copiers() {
    let share = |cap| {
        let settings = settings(&[("COPIER_CONCURRENCY", "64"), ("WRITES_PER_SECOND_MAX", cap)]);
        settings.unwrap().writes_per_second_of_a_copier_max()
    };
    assert_eq!(share("0").unwrap(), None);
    assert_eq!(share("64").unwrap(), Some(1.0));
    assert_eq!(share("1600").unwrap(), Some(25.0));
    let rejected = share("63").unwrap_err();
    assert!(
        rejected.detail.contains("WRITES_PER_SECOND_MAX"),
        "{rejected}"
    );
}

#[test]
fn further_places_are_separated_by_commas() {
    let role = "arn:aws:iam::333333333333:role/T";
    let settings = settings(&[
        ("S3_BUCKET", "source"),
        ("FURTHER_SOURCE_BUCKET_ARNS", "arn:aws:s3:::source-2"),
        ("FURTHER_TARGET_BUCKETS", "target-2, target-3"),
        ("FURTHER_TARGET_ROLE_ARNS", role),
    ])
    .unwrap();
    let runs = settings.runs.unwrap();
    let expected = CeilingParameters {
        source_buckets: vec![BucketName::new("source-2").unwrap()],
        target_buckets: ["target-2", "target-3"]
            .map(|name| BucketName::new(name).unwrap())
            .to_vec(),
        target_roles: vec![RoleArn::new(role).unwrap()],
        control_bucket: Some(runs_control()),
        ..CeilingParameters::default()
    };
    let expected = Ceilings::new(&runs.defaults, expected);
    assert_eq!(runs.ceilings, expected);
}

#[test]
fn the_ceilings_are_the_stacks_own_values_unless_it_raises_them() {
    let key = "arn:aws:kms:eu-west-1:222222222222:key/*";
    let raised = settings(&[
        ("ALLOW_MIRROR", "true"),
        ("ALLOW_VERSIONS", "true"),
        ("ENABLE_TRANSFORMS", "true"),
        ("DELETE_MAX_PERCENT_CEILING", "100"),
        ("DELETE_MAX_OBJECTS_CEILING", "-1"),
        ("ALLOWED_KMS_KEY_ARNS", key),
        ("ALLOWED_STORAGE_CLASSES", "preserve,DEEP_ARCHIVE"),
        ("ALLOWED_LIST_BUCKETS", "arn:aws:s3:::inventories"),
    ])
    .unwrap()
    .runs
    .unwrap();
    let parameters = CeilingParameters {
        allow_mirror: true,
        allow_versions: true,
        enable_transforms: true,
        delete_max_percent: Some(100),
        kms_keys: vec![AllowedKey::new(key).unwrap()],
        storage_classes: Some(vec![
            ClassChoice::Preserve,
            ClassChoice::Class(StorageClass::DeepArchive),
        ]),
        control_bucket: Some(runs_control()),
        list_buckets: vec![BucketName::new("inventories").unwrap()],
        ..CeilingParameters::default()
    };
    assert_eq!(raised.ceilings, Ceilings::new(&raised.defaults, parameters));
}

#[test]
fn every_rejection_names_its_variable() {
    for (name, wrong) in [
        ("S3_BUCKET", "No Such"),
        ("TARGET_ACCOUNT_ROLE_ARN", "Target"),
        ("TARGET_EXTERNAL_ID", "x"),
        ("RUN_MODE", "move"),
        ("RUN_VERIFY", "perhaps"),
        ("RUN_STORAGE_CLASS", "COLD"),
        ("RUN_ARCHIVED", "restore"),
        ("RUN_SSE", "aws:kms"),
        ("RUN_ACL", "private"),
        ("RUN_REQUEST_PAYER", "requester"),
        ("RUN_ROUNDS_MAX", "three"),
        ("RUN_DELETE_MAX_PERCENT", "-1"),
        ("RUN_DELETE_MAX_OBJECTS", "few"),
        ("ALLOW_MIRROR", "yes"),
        ("ALLOW_VERSIONS", "yes"),
        ("ENABLE_TRANSFORMS", "yes"),
        ("RUN_TRANSFORM", "thumbnail"),
        ("DELETE_MAX_PERCENT_CEILING", "all"),
        ("DELETE_MAX_OBJECTS_CEILING", "-2"),
        ("ALLOWED_KMS_KEY_ARNS", "*"),
        ("ALLOWED_LIST_BUCKETS", "arn:aws:s3:::No Such"),
        ("ALLOWED_STORAGE_CLASSES", "preserve,COLD"),
        ("COPIER_CONCURRENCY", "0"),
        ("WRITES_PER_SECOND_MAX", "-1"),
        ("LEDGER_TTL_DAYS", "forever"),
        ("COPIER_MEMORY_MB", "127"),
        ("RENDERER_MEMORY_MB", "1023"),
        ("FURTHER_SOURCE_BUCKET_ARNS", "source-2"),
        ("FURTHER_TARGET_BUCKETS", "target-2,No Such"),
        ("FURTHER_TARGET_ROLE_ARNS", "Target"),
        ("CONTROL_BUCKET", "x"),
        ("CONTROL_BUCKET_OWNER", "shardlift"),
        ("LEDGER_TABLE", ""),
    ] {
        let read = settings(&[(name, wrong)]);
        let failure = read.and_then(|read| read.runs.map(|_| ())).unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        assert!(failure.detail.contains(name), "{name}: {}", failure.detail);
    }
}
