use serde_json::{Value, json};

use super::*;
use crate::failure::FailureCode;

const KEY: &str = "arn:aws:kms:us-east-1:222222222222:key/own";
const ROLE: &str = "arn:aws:iam::222222222222:role/Target";
const FURTHER: &str = "arn:aws:iam::333333333333:role/Target";

fn merged(mut base: Value, further: &Value) -> Value {
    for (field, value) in further.as_object().unwrap() {
        match (base.get_mut(field), value) {
            (Some(Value::Object(inner)), Value::Object(added)) => inner.extend(added.clone()),
            _ => base[field] = value.clone(),
        }
    }
    base
}

fn defaults(further: &Value) -> RunInput {
    let pair = json!({
        "source": {"bucket": "source", "prefix": "data/"},
        "target": {"bucket": "target", "prefix": "copy/", "role_arn": ROLE, "external_id": "canary-id"},
    });
    RunInput::parse(&merged(pair, further)).unwrap()
}

/// What becomes of an input on a stack with these further defaults and parameters.
fn judged(input: &Value, set: &Value, parameters: CeilingParameters) -> Result<(), Failure> {
    let defaults = defaults(set);
    let parameters = CeilingParameters {
        target_buckets: vec![BucketName::new("further").unwrap()],
        target_roles: vec![RoleArn::new(FURTHER).unwrap()],
        ..parameters
    };
    let ceilings = Ceilings::new(&defaults, parameters);
    ceilings.check_new(&RunSpec::settle(RunInput::parse(input).unwrap().or(defaults)).unwrap())
}

fn refused(input: &Value, set: &Value, parameters: CeilingParameters) -> String {
    let failure = judged(input, set, parameters).unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRun, "{input}");
    failure.detail
}

#[test]
fn a_list_lies_in_the_buckets_that_the_stack_names() {
    let list = json!({"bucket": "elsewhere", "key": "k", "format": "csv"});
    let input = json!({"mode": "copy", "source": {"list": list}});
    let detail = refused(&input, &json!({}), CeilingParameters::default());
    assert!(detail.contains("source.list.bucket"), "{detail}");
    assert!(detail.contains("AllowedListBuckets"), "{detail}");
    let parameters = CeilingParameters {
        list_buckets: vec![BucketName::new("elsewhere").unwrap()],
        ..CeilingParameters::default()
    };
    judged(&input, &json!({}), parameters).unwrap();
}

/// Inputs, each with the field that is beyond a ceiling and the parameter that is it.
fn beyond_a_ceiling() -> Vec<(Value, &'static str, &'static str)> {
    let other_key = "arn:aws:kms:us-east-1:999999999999:key/other";
    vec![
        (json!({"mode": "mirror"}), "mode", "AllowMirror"),
        (
            json!({"source": {"as_of": "2026-11-20T02:00:00Z"}}),
            "source.as_of",
            "AllowVersions",
        ),
        (
            json!({"transform": {"kind": "thumbnail", "longest_edge_px": 64}}),
            "transform",
            "EnableTransforms",
        ),
        (
            json!({"delete_max_percent": 6}),
            "delete_max_percent",
            "DeleteMaxPercentCeiling",
        ),
        (
            json!({"delete_max_objects": 11}),
            "delete_max_objects",
            "DeleteMaxObjectsCeiling",
        ),
        (
            json!({"kms_key_arn": other_key}),
            "kms_key_arn",
            "AllowedKmsKeyArns",
        ),
        (
            json!({"storage_class": "DEEP_ARCHIVE"}),
            "storage_class",
            "AllowedStorageClasses",
        ),
        (json!({"acl": "bucket-owner-full-control"}), "acl", "RunAcl"),
        (
            json!({"source": {"prefix": ""}}),
            "source.prefix",
            "SourcePrefix",
        ),
        (
            json!({"target": {"prefix": ""}}),
            "target.prefix",
            "TargetPrefix",
        ),
        (
            json!({"target": {"external_id": "another"}}),
            "target.external_id",
            "TargetExternalId",
        ),
        (
            json!({"source": {"bucket": "elsewhere"}}),
            "source.bucket",
            "SourceBucketName",
        ),
        (
            json!({"target": {"bucket": "elsewhere"}}),
            "target.bucket",
            "FurtherTargetBucketNames",
        ),
        (
            json!({"target": {"role_arn": "arn:aws:iam::222222222222:role/Other"}}),
            "target.role_arn",
            "FurtherTargetRoleArns",
        ),
    ]
}

#[test]
fn an_input_beyond_a_ceiling_is_refused_with_its_field_and_the_parameter() {
    for (input, field, parameter) in beyond_a_ceiling() {
        let detail = refused(&input, &json!({}), CeilingParameters::default());
        for part in [format!("`{field}`").as_str(), parameter] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
        for part in ["canary-id", "another", "Statement", "Sid"] {
            assert!(!detail.contains(part), "{part}: {detail}");
        }
    }
}

#[test]
fn what_the_stack_itself_sets_is_always_allowed() {
    let set = json!({
        "mode": "mirror", "delete_max_percent": 50, "delete_max_objects": 1_000, "kms_key_arn": KEY,
        "storage_class": "DEEP_ARCHIVE", "acl": "bucket-owner-full-control",
    });
    judged(&json!({}), &set, CeilingParameters::default()).unwrap();
    judged(&set, &set, CeilingParameters::default()).unwrap();
    let parameters = CeilingParameters {
        delete_max_percent: Some(0),
        delete_max_objects: Some(0),
        storage_classes: Some(Vec::new()),
        ..CeilingParameters::default()
    };
    judged(&json!({}), &set, parameters).unwrap();
    let more = json!({"delete_max_percent": 51});
    assert!(refused(&more, &set, CeilingParameters::default()).contains("at most 50"));
}

#[test]
fn a_raised_ceiling_allows_what_lies_below_it_and_no_more() {
    let parameters = || CeilingParameters {
        allow_mirror: true,
        delete_max_percent: Some(40),
        delete_max_objects: Some(7_000),
        kms_keys: vec![
            AllowedKey::new(KEY).unwrap(),
            AllowedKey::new("arn:aws:kms:us-east-1:333333333333:key/*").unwrap(),
        ],
        storage_classes: Some(vec![ClassChoice::Class(StorageClass::Glacier)]),
        ..CeilingParameters::default()
    };
    for allowed in [
        json!({"mode": "mirror", "delete_max_percent": 40, "delete_max_objects": 7_000}),
        json!({"kms_key_arn": KEY}),
        json!({"kms_key_arn": "arn:aws:kms:us-east-1:333333333333:key/any"}),
        json!({"storage_class": "GLACIER"}),
        json!({"source": {"prefix": "data/deeper/"}, "target": {"prefix": "copy/deeper/"}}),
        json!({"target": {"bucket": "further", "prefix": "", "role_arn": FURTHER, "external_id": "theirs"}}),
    ] {
        judged(&allowed, &json!({}), parameters()).unwrap();
    }
    for beyond in [
        json!({"delete_max_percent": 41}),
        json!({"delete_max_objects": 7_001}),
        json!({"kms_key_arn": "arn:aws:kms:eu-west-1:333333333333:key/any"}),
        json!({"kms_key_arn": "arn:aws:kms:us-east-1:333333333334:key/any"}),
        json!({"storage_class": "STANDARD"}),
        json!({"target": {"bucket": "target", "prefix": "", "role_arn": FURTHER}}),
    ] {
        assert!(
            judged(&beyond, &json!({}), parameters()).is_err(),
            "{beyond}"
        );
    }
}

#[test]
fn the_stacks_prefixes_bound_nothing_in_a_bucket_that_is_named_as_a_further_one() {
    let named = |names: &[&str]| -> Vec<BucketName> {
        let names = names.iter();
        names.map(|name| BucketName::new(*name).unwrap()).collect()
    };
    let parameters = |sources: &[&str], targets: &[&str]| CeilingParameters {
        source_buckets: named(sources),
        target_buckets: named(targets),
        target_roles: vec![RoleArn::new(FURTHER).unwrap()],
        ..CeilingParameters::default()
    };
    let defaults = defaults(&json!({}));
    let judge = |input: Value, parameters: CeilingParameters| {
        let input = RunInput::parse(&input).unwrap().or(defaults.clone());
        Ceilings::new(&defaults, parameters).check_new(&RunSpec::settle(input).unwrap())
    };
    let elsewhere = json!({"source": {"bucket": "logs", "prefix": "2026/"}});
    judge(elsewhere.clone(), parameters(&["logs"], &[])).unwrap();
    assert!(judge(elsewhere, parameters(&[], &["logs"])).is_err());
    let beside = json!({"source": {"prefix": "logs/"}, "target": {"prefix": "logs/"}});
    judge(beside.clone(), parameters(&["source"], &["target"])).unwrap();
    for too_few in [
        parameters(&["source"], &[]),
        parameters(&[], &["target"]),
        parameters(&["logs"], &["logs"]),
    ] {
        assert!(judge(beside.clone(), too_few).is_err());
    }
}

#[test]
fn only_the_very_place_of_the_stack_is_its_own() {
    let defaults = defaults(&json!({}));
    let ceilings = Ceilings::new(&defaults, CeilingParameters::default());
    for (input, expected) in [
        (json!({}), false),
        (json!({"source": {"prefix": "data/x/"}}), false),
        (json!({"target": {"prefix": "copy/x/"}}), true),
        (json!({"target": {"bucket": "further"}}), true),
    ] {
        let settled = RunInput::parse(&input).unwrap().or(defaults.clone());
        let pair = RunSpec::settle(settled).unwrap().pair;
        assert_eq!(ceilings.is_elsewhere(&pair), expected, "{input}");
    }
}

#[test]
fn s3_s_own_keys_do_not_take_the_place_of_the_stacks_key() {
    let (sse, set) = (json!({"sse": "AES256"}), json!({"kms_key_arn": KEY}));
    assert!(refused(&sse, &set, CeilingParameters::default()).contains("RunKmsKeyArn"));
    judged(&sse, &json!({}), CeilingParameters::default()).unwrap();
}

#[test]
fn limits_that_a_stored_run_does_not_use_do_not_stop_it() {
    let defaults = defaults(&json!({}));
    let ceilings = Ceilings::new(&defaults, CeilingParameters::default());
    let asked = json!({"mode": "sync", "delete_max_percent": 100});
    let spec = RunSpec::settle(RunInput::parse(&asked).unwrap().or(defaults)).unwrap();
    ceilings.check(&spec).unwrap();
    let mirror = RunSpec {
        mode: Mode::Mirror,
        ..spec
    };
    let refused = ceilings.check(&mirror).unwrap_err();
    assert!(refused.detail.contains("AllowMirror"), "{refused}");
}

#[test]
fn only_the_stacks_own_bucket_and_role_are_its_own_target() {
    let defaults = defaults(&json!({}));
    let ceilings = Ceilings::new(&defaults, CeilingParameters::default());
    let pair = |input: Value| {
        let input = RunInput::parse(&input).unwrap();
        RunSpec::settle(input.or(defaults.clone())).unwrap().pair
    };
    assert!(ceilings.is_own_target(&pair(json!({"target": {"prefix": "copy/x/"}}))));
    assert!(!ceilings.is_own_target(&pair(json!({"target": {"bucket": "further"}}))));
    assert!(!ceilings.is_own_target(&pair(json!({"target": {"role_arn": FURTHER}}))));
}

#[test]
fn a_star_stands_for_the_id_of_a_key_and_for_nothing_else() {
    for text in [
        "*",
        "arn:aws:kms:us-east-1:*",
        "arn:aws:kms:us-east-1:222222222222:*",
        "arn:aws:kms:us-east-1:222222222222:key/a*",
        "arn:aws:kms:*:222222222222:key/*",
        "arn:aws:kms:us-east-1:222222222222:alias/*",
        "",
    ] {
        assert!(AllowedKey::new(text).is_err(), "{text}");
    }
}
