//! What requests cost.

use super::*;

const CLASSES: [StorageClass; 8] = StorageClass::ALL;

fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

fn of_class(class: StorageClass) -> Prices {
    let class = ClassChoice::Class(class);
    Prices::of(
        Some(&region("us-east-1")),
        class,
        &PlannedClasses::default(),
    )
}

fn million(operation: &str, prices: &Prices) -> f64 {
    prices.total_usd(&RequestCounts::from([(operation.to_owned(), 1_000_000)]))
}

#[test]
fn every_region_of_the_file_has_prices_of_every_class() {
    assert!(PRICE_LIST.regions.contains_key(FALLBACK_REGION));
    for (name, region) in &PRICE_LIST.regions {
        assert_eq!(region.s3.len(), CLASSES.len(), "{name}");
        for class in CLASSES {
            let prices = region.s3[&class];
            assert!(prices.write_usd_per_1000 > prices.read_usd_per_1000);
        }
    }
}

#[test]
fn no_requests_cost_nothing_and_not_less() {
    let nothing = Prices::default().total_usd(&RequestCounts::new());
    assert!(nothing.is_sign_positive(), "{nothing}");
}

#[test]
fn a_million_copies_cost_what_their_class_costs() {
    for (class, expected) in [
        (StorageClass::Standard, 5.0),
        (StorageClass::StandardIa, 10.0),
        (StorageClass::GlacierIr, 20.0),
        (StorageClass::Glacier, 30.0),
        (StorageClass::DeepArchive, 50.0),
    ] {
        for write in ["s3:CopyObject", RENDITION_WRITES] {
            let usd = million(write, &of_class(class));
            assert!((usd - expected).abs() < 1e-9, "{write} {class:?}: {usd}");
        }
        let document = million("s3:PutObject", &of_class(class));
        assert!((document - 5.0).abs() < 1e-9, "{class:?}: {document}");
    }
    let requests = RequestCounts::from([
        ("s3:CopyObject".to_owned(), 1_000_000),
        ("s3:DeleteObject".to_owned(), 9),
        ("s3:SlowDown".to_owned(), 5_000),
    ]);
    let usd = Prices::default().total_usd(&requests);
    assert!((usd - 5.0).abs() < 1e-9, "{usd}");
}

#[test]
fn a_function_costs_what_its_memory_and_time_cost() {
    let prices = Prices::default();
    assert!((million(deadline::INVOKE, &prices) - 0.2).abs() < 1e-9);
    // Four copiers of 1,024 MB over 286 s.
    let requests =
        RequestCounts::from([(deadline::MB_MILLISECOND.to_owned(), 4 * 1_024 * 286_000)]);
    let usd = prices.total_usd(&requests);
    assert!((usd - 0.019_067).abs() < 1e-6, "{usd}");
}

#[test]
fn only_the_completion_of_an_upload_to_an_archive_costs_what_an_archive_costs() {
    for (operation, archive, instant) in [
        ("s3:CreateMultipartUpload", 5.0, 20.0),
        ("s3:UploadPartCopy", 5.0, 20.0),
        ("s3:CompleteMultipartUpload", 50.0, 20.0),
        ("s3:ListObjectsV2", 5.0, 5.0),
        ("s3:HeadObject", 0.4, 0.4),
    ] {
        let deep = million(operation, &of_class(StorageClass::DeepArchive));
        assert!((deep - archive).abs() < 1e-9, "{operation}: {deep}");
        let usd = million(operation, &of_class(StorageClass::GlacierIr));
        assert!((usd - instant).abs() < 1e-9, "{operation}: {usd}");
    }
}

#[test]
fn preserved_classes_are_priced_by_what_is_planned_of_each() {
    let work = |objects, uploads, parts| ClassWork {
        objects,
        uploads,
        parts,
    };
    let planned = PlannedClasses {
        copies: [
            (StorageClass::Standard, work(700_000, 0, 0)),
            (StorageClass::GlacierIr, work(300_000, 0, 0)),
            (StorageClass::DeepArchive, work(1_000, 1_000, 9_000)),
        ]
        .into(),
        changed: 0,
    };
    let region = region("us-east-1");
    let prices = Prices::of(Some(&region), ClassChoice::Preserve, &planned);
    for (operation, expected) in [
        // 0.7 x 5.0 + 0.3 x 20.0
        ("s3:CopyObject", 9.5),
        (RENDITION_WRITES, 9.5),
        ("s3:UploadPartCopy", 5.0),
        ("s3:CompleteMultipartUpload", 50.0),
    ] {
        let usd = million(operation, &prices);
        assert!((usd - expected).abs() < 1e-9, "{operation}: {usd}");
    }
    let scope = prices.scope();
    assert!(
        scope.contains("700,000 STANDARD, 300,000 GLACIER_IR"),
        "{scope}"
    );
    let nothing = Prices::of(
        Some(&region),
        ClassChoice::Preserve,
        &PlannedClasses::default(),
    );
    assert!((million("s3:CopyObject", &nothing) - 5.0).abs() < 1e-9);
}

#[test]
fn prices_of_a_report_from_before_classes_were_preserved_can_be_read() {
    let stored = serde_json::json!({
        "region": "us-east-1", "storage_class": "DEEP_ARCHIVE", "as_of": "2026-06-18",
    });
    let read: Prices = serde_json::from_value(stored).unwrap();
    assert!((million("s3:CopyObject", &read) - 50.0).abs() < 1e-9);
}

#[test]
fn a_region_without_prices_is_named_with_the_one_whose_prices_are_used() {
    let known = of_class(StorageClass::DeepArchive);
    assert_eq!(
        (known.region.as_str(), &known.instead_of),
        ("us-east-1", &None)
    );
    let standard = ClassChoice::Class(StorageClass::Standard);
    let unknown = Prices::of(
        Some(&region("eu-south-9")),
        standard,
        &PlannedClasses::default(),
    );
    assert_eq!(unknown.region, "us-east-1");
    let scope = unknown.scope();
    for part in [
        "prices of us-east-1 (those of eu-south-9,",
        "STANDARD",
        "2026",
        "$0.01 per GB from STANDARD_IA",
        "$0.03 from GLACIER_IR",
        "annotation",
    ] {
        assert!(scope.contains(part), "{part} in {scope}");
    }
}
