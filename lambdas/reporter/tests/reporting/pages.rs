//! The report's page, as a browser gets it: written to `target/report-pages`, where the browser tests look for it.

use std::path::PathBuf;

use shardlift_core::{failure::FailureCode, run::event::Problem};

use crate::scene::{FailedAt, Scene};

const HOSTILE: &str =
    "in/<script>document.title='owned'</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[2J";

fn page(scene: &Scene, name: &str) -> String {
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../target/report-pages"]
        .iter()
        .collect();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), &page).unwrap();
    page
}

fn assert_self_contained(page: &str) {
    for forbidden in [
        "<script",
        "<img",
        "<link",
        "@import",
        "url(",
        "onerror=\"",
        "\u{202e}",
        "\u{1b}",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[tokio::test]
async fn the_page_of_a_complete_run_shows_its_counts_and_charts() {
    let objects: Vec<u32> = (0..60).map(|shard| 20 + shard * 7 % 40).collect();
    let scene = Scene::new(&objects);
    scene.copy_everything();
    scene.spread_over_time();
    scene.report(1).await.unwrap();
    let page = page(&scene, "complete.html");
    assert_self_contained(&page);
    for part in [
        "COMPLETE",
        "Throughput over time",
        "Throughput by shard",
        "the target listed again",
        "<rect",
    ] {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part}");
    }
}

#[tokio::test]
async fn the_page_of_an_incomplete_run_says_what_failed_and_what_to_do_and_stays_inert() {
    let scene = Scene::new(&[40, 30, 20, 10]);
    scene.copy_everything();
    scene.spread_over_time();
    let mut failed: Vec<FailedAt> = (0..12)
        .map(|at| FailedAt(0, at, FailureCode::AccessDenied))
        .collect();
    failed.push(FailedAt(1, 3, FailureCode::SourceChanged));
    scene.fail(&failed);
    scene.fail_with(2, 5, HOSTILE);
    scene.leave_undone(3, 4);
    scene.report(3).await.unwrap();
    let page = page(&scene, "incomplete.html");
    assert_self_contained(&page);
    assert!(page.contains("<header class=\"incomplete\">"));
    for part in [
        "AccessDenied: 12 objects",
        FailureCode::AccessDenied.action(),
        "failures.csv",
        "2-3",
        "&lt;script&gt;",
        "What to start next",
        "start --rerun-of",
        "All of them",
        "<td>AccessDenied</td>",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_page_of_a_run_that_broke_says_where_and_why() {
    let scene = Scene::new(&[4]);
    let problem = Problem {
        state: "CopyShards".into(),
        error: "AccessDenied".into(),
        cause: r#"{"errorMessage":"arn:aws:sts::222222222222:assumed-role/ShardliftTarget/plan@run-1 may not s3:ListBucket on arn:aws:s3:::source; it must be allowed by the source bucket's policy"}"#.into(),
    };
    scene.report_problem(problem).await.unwrap();
    let page = page(&scene, "broken.html");
    assert_self_contained(&page);
    for part in [
        "AccessDenied in CopyShards",
        "s3:ListBucket",
        "source bucket",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // What to do stands above what was counted.
    let at = |part: &str| page.find(part).unwrap();
    assert!(at("id=\"start\"") < at("id=\"numbers\""));
    assert!(at("id=\"problem\"") < at("id=\"numbers\""));
}

#[tokio::test]
async fn one_failure_in_thousands_is_amber_and_a_single_shard_has_no_chart() {
    let scene = Scene::new(&[2_854]);
    scene.copy_everything();
    scene.spread_over_time();
    scene.fail(&[FailedAt(0, 7, FailureCode::SourceMissing)]);
    scene.report(3).await.unwrap();
    let page = page(&scene, "few.html");
    assert!(page.contains("<header class=\"incomplete few\">"), "{page}");
    assert!(!page.contains("<svg"));
}
