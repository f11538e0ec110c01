use serde_json::{Value, json};

use super::*;
use crate::failure::FailureCode;

fn settle(mut input: Value) -> Result<RunSpec, Failure> {
    let defaults = json!({
        "source": {"bucket": "source", "prefix": "data/"},
        "target": {"bucket": "target", "prefix": "data/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    });
    if input.is_null() {
        input = json!({});
    }
    RunSpec::settle(RunInput::parse(&input)?.or(RunInput::parse(&defaults)?))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "tests read better with literals"
)]
fn refused(input: Value, field: &str) {
    let failure = settle(input.clone()).unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRun, "{input}");
    assert!(
        failure.detail.contains(&format!("`{field}`")),
        "{input}: {}",
        failure.detail
    );
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let spec = settle(json!({})).unwrap();
    assert_eq!(spec.mode, Mode::Sync);
    assert_eq!(spec.compare, Compare::SizeAndMtime);
    assert_eq!(spec.tags, TagPolicy::Preserve);
    assert_eq!(spec.storage_class, ClassChoice::Preserve);
    assert_eq!(spec.archived, ArchivedPolicy::Fail);
    assert_eq!((spec.sse, spec.acl), (None, None));
    assert!(!spec.pair.source.request_payer);
    assert_eq!(spec.multipart_threshold_bytes, 5_368_709_120);
    assert_eq!(
        (spec.delete_max_percent, spec.rounds_max, spec.verify),
        (5, 3, Verify::Relist)
    );
    assert_eq!(spec.delete_max_objects, 10);
    assert!(!spec.dry_run && !spec.allow_empty_source);
}

#[test]
fn contradictions_are_refused_by_field() {
    refused(
        json!({"target": {"bucket": "source", "prefix": "data/copy/"}}),
        "target",
    );
    refused(json!({"part_bytes": 1}), "part_bytes");
    refused(
        json!({"multipart_threshold_bytes": 5_368_709_121_u64}),
        "multipart_threshold_bytes",
    );
    refused(json!({"delete_max_percent": 101}), "delete_max_percent");
    refused(json!({"rounds_max": 0}), "rounds_max");
    refused(json!({"rounds_max": 11}), "rounds_max");
    refused(json!({"storage_class": "OUTPOSTS"}), "storage_class");
    refused(json!({"archived": "restore"}), "archived");
    refused(json!({"sse": "aws:kms"}), "sse");
    refused(json!({"acl": "private"}), "acl");
    refused(json!({"request_payer": "requester"}), "request_payer");
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1";
    refused(json!({"sse": "AES256", "kms_key_arn": key}), "sse");
}

#[test]
fn an_instant_stands_alone_and_deletes_nothing() {
    let at = "2026-11-20T02:00:00Z";
    let list = json!({"bucket": "control", "key": "lists/l.csv", "format": "csv"});
    refused(
        json!({"source": {"as_of": at, "list": list}}),
        "source.as_of",
    );
    refused(json!({"source": {"as_of": at}, "mode": "mirror"}), "mode");
    refused(json!({"source": {"as_of": "yesterday"}}), "source.as_of");
    let spec = settle(json!({"source": {"as_of": at}})).unwrap();
    let stored = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<RunSpec>(&stored).unwrap(), spec);
}

#[test]
fn a_transform_has_bounds_and_stands_beside_nothing_that_is_about_copies() {
    let thumbnail = json!({"kind": "thumbnail", "longest_edge_px": 256});
    let beside = |field: &str, value: Value| {
        let mut input = json!({"transform": thumbnail});
        input[field] = value;
        input
    };
    for (field, value) in [
        ("compare", json!("etag")),
        ("compare", json!("size")),
        ("multipart_threshold_bytes", json!(5_368_709_120_u64)),
        ("part_bytes", json!(134_217_728)),
        ("verify", json!("checksum")),
        ("mode", json!("audit")),
    ] {
        refused(beside(field, value), field);
    }
    let of_instant = json!({"as_of": "2026-11-20T02:00:00Z"});
    refused(beside("source", of_instant), "source.as_of");
    for (field, value) in [
        ("longest_edge_px", json!(15)),
        ("quality", json!(0)),
        ("pixels_max", json!(0)),
        ("format", json!("gif")),
        ("kind", json!("poster")),
    ] {
        let mut transform = thumbnail.clone();
        transform[field] = value;
        refused(
            json!({ "transform": transform }),
            &format!("transform.{field}"),
        );
    }
    refused(json!({"transform": "thumbnail:256"}), "transform");
    let spec = settle(json!({ "transform": thumbnail })).unwrap();
    let meant: Transform = "thumbnail:256".parse().unwrap();
    assert_eq!(spec.transform, Some(meant));
    let stored = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<RunSpec>(&stored).unwrap(), spec);
    assert!(
        RunInput::parse(&json!({ "transform": thumbnail }))
            .unwrap()
            .agrees_with(&spec)
    );
    assert!(
        !RunInput::parse(&json!({"compare": "etag"}))
            .unwrap()
            .agrees_with(&spec)
    );
}

#[test]
fn what_the_stack_sets_for_copies_does_not_concern_a_transform() {
    let copies = json!({"compare": "etag", "part_bytes": 5_242_880, "verify": "checksum"});
    let thumbnail = json!({"transform": {"kind": "thumbnail", "longest_edge_px": 16},
        "source": {"bucket": "source"},
        "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/T"}});
    let parse = |value: &Value| RunInput::parse(value).unwrap();
    let spec = RunSpec::settle(parse(&thumbnail).or(parse(&copies))).unwrap();
    assert_eq!(
        (spec.compare, spec.verify),
        (Compare::SizeAndMtime, Verify::Relist)
    );
    assert!(RunSpec::settle(parse(&copies).or(parse(&thumbnail))).is_err());
}

#[test]
fn a_missing_pair_is_named() {
    let failure = RunSpec::settle(RunInput::default()).unwrap_err();
    assert!(failure.detail.contains("`source.bucket`"));
}

#[test]
fn a_settled_spec_survives_the_ledger() {
    let spec = settle(json!({"storage_class": "GLACIER_IR", "filters": {"exclude": ["**/*.tmp"]}}))
        .unwrap();
    let stored = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<RunSpec>(&stored).unwrap(), spec);
}

#[test]
fn a_spec_that_an_earlier_version_stored_can_be_read() {
    // Never add to this text: a field that it lacks takes its default.
    let stored = json!({
        "pair": {
            "source": {"bucket": "source", "prefix": "data/"},
            "target": {
                "bucket": "target", "prefix": "data/",
                "role_arn": "arn:aws:iam::222222222222:role/Target", "external_id": null,
            },
        },
        "mode": "sync",
        "compare": "size_and_mtime",
        "filters": {
            "include": ["**"], "exclude": [], "size_min_bytes": 0, "size_max_bytes": null,
            "modified_after": null, "modified_before": null,
        },
        "tags": "preserve",
        "storage_class": null,
        "kms_key_arn": null,
        "multipart_threshold_bytes": 5_368_709_120_u64,
        "part_bytes": 134_217_728,
        "delete_max_percent": 5,
        "rounds_max": 3,
        "verify": "relist",
        "dry_run": false,
    });
    let read: RunSpec = serde_json::from_value(stored).unwrap();
    let meant = json!({"storage_class": "STANDARD"});
    assert_eq!(read, settle(meant).unwrap());
}
