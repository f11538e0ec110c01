//! The target is listed again: what that finds, and what keeps it from being a proof.

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::ObjectPage,
    report::{Report, Verdict},
    run::event::ReporterStatus,
};

use crate::scene::Scene;

#[tokio::test]
async fn without_a_listing_what_stands_beside_is_known_only_if_everything_was_copied() {
    for verify in ["none", "relist"] {
        for is_gone in [false, true] {
            let scene = Scene::with_input(&[4], serde_json::json!({"verify": verify}));
            scene.copy_everything();
            if is_gone {
                scene.remove_at_source(0, 1);
                // An older one stays, as the plan found it.
                scene.buckets.put("target", "out/0-1", "older", 1);
            }
            let proof = scene.reported().await.proof.unwrap();
            let beside = proof.beside.map(|beside| beside.objects);
            let expected = match (verify, is_gone) {
                ("none", true) => None,
                (_, is_gone) => Some(u64::from(is_gone)),
            };
            assert_eq!(beside, expected, "verify {verify}, gone: {is_gone}");
        }
    }
}

#[tokio::test]
async fn what_is_lost_at_the_target_is_found_by_listing_it_again() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.buckets.remove("target", "out/0-2");
    scene.buckets.put("target", "out/1-1", "truncated", 1);
    let report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_eq!((report.verified.missing, report.verified.different), (1, 1));
}

#[tokio::test]
async fn a_refused_listing_is_no_proof() {
    let scene = Scene::new(&[4]);
    scene.copy_everything();
    scene.script.deny("s3:ListObjectsV2");
    let report: Report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    let problem = report.problem.unwrap();
    assert_eq!(problem.code, "AccessDenied");
}

#[tokio::test]
async fn a_proof_cut_into_many_invocations_finds_what_an_uncut_one_finds() {
    let scene = Scene::new(&[9, 9, 9]);
    scene.copy_everything();
    scene.buckets.remove("target", "out/0-2");
    scene.buckets.remove("target", "out/2-8");
    scene.buckets.put("target", "out/1-1", "truncated", 1);
    let (calls, result) = scene.report_in_little_time().await;
    // Nine pages of three objects, one in each call, and the report in a call of its own.
    assert_eq!(calls, 10);
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let report = scene.written_report();
    assert_eq!((report.verified.missing, report.verified.different), (2, 1));
    assert_eq!(scene.published().len(), 1);
}

/// What a listing may say instead of its true page, and what no listing can say.
type Wrong = fn(ObjectPage) -> Result<ObjectPage, CallFault>;

const MALFORMED: [(&str, Wrong); 5] = [
    ("out of order", |mut page| {
        page.objects.reverse();
        Ok(page)
    }),
    ("a key twice", |mut page| {
        page.objects[1] = page.objects[0].clone();
        Ok(page)
    }),
    ("empty and cut off", |_| {
        Ok(ObjectPage {
            listed_through: None,
            objects: Vec::new(),
            is_truncated: true,
        })
    }),
    ("outside the prefix", |mut page| {
        let last = page.objects.last_mut().unwrap();
        last.key = "elsewhere".to_owned().try_into().unwrap();
        Ok(page)
    }),
    // As the adapter of S3 says it, which checks a page itself.
    ("malformed", |_| {
        Err(CallFault::new(
            "s3:ListObjectsV2",
            FaultKind::MalformedResponse,
            "cut off",
        ))
    }),
];

#[tokio::test]
async fn a_malformed_page_is_an_incomplete_listing_as_it_is_in_planning() {
    {
        let (side, bucket) = ("target", "target");
        for (what, wrong) in MALFORMED {
            let scene = Scene::new(&[4]);
            scene.copy_everything();
            scene
                .buckets
                .distort_listing(bucket, move |_, page| wrong(page));
            let (_, result) = scene.report_in_little_time().await;
            assert_eq!(result.status, ReporterStatus::Incomplete, "{side}, {what}");
            assert_eq!(result.code, "ListingIncomplete", "{side}, {what}");
            let problem = scene.written_report().problem.unwrap();
            let named = format!("the listing of the {side} cannot be trusted");
            assert!(problem.message.contains(&named), "{what}: {problem:?}");
        }
    }
}
