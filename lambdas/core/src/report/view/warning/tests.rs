//! What a report warns of.

use super::*;
use crate::{
    plan::ListCounts,
    report::{
        NotPlanned, ReportedProblem, ShardSummary, emptiness::tests::empty,
        run_report::tests::report,
    },
    value::{id::RunId, tally::Count},
};

fn sentences(report: &Report) -> Vec<String> {
    let warnings = Warning::all_of(report).into_iter();
    warnings.map(|warning| warning.sentence(2)).collect()
}

#[test]
fn a_run_without_anything_unusual_warns_of_nothing() {
    assert_eq!(sentences(&report()), [] as [&str; 0]);
}

#[test]
fn a_run_that_found_nothing_says_why_and_what_to_check() {
    let codes = |report: &Report| -> Vec<String> {
        let warnings = reported_warnings(report).into_iter();
        warnings.map(|warning| warning.code).collect()
    };
    assert_eq!(codes(&empty(0)), ["source_empty"]);
    assert!(sentences(&empty(0))[0].contains("check source.bucket and source.prefix"));
    assert_eq!(codes(&empty(2)), ["filters_admit_nothing"]);
    assert_eq!(
        sentences(&empty(2)),
        [
            "The filters leave out all of 2 objects at the source. If some should take part, check filters."
        ]
    );
}

#[test]
fn a_prefix_that_takes_other_folders_along_is_named() {
    let mut beside = report();
    beside.beside_prefix = 2;
    assert!(sentences(&beside)[0].contains("2 objects next to that folder take part too"));
    assert_eq!(reported_warnings(&beside)[0].code, "beside_prefix");
}

#[test]
fn deletions_that_the_source_has_again_are_named() {
    let mut mirror = report();
    mirror.deleted.back_at_source = 2;
    assert_eq!(
        sentences(&mirror),
        [
            "2 objects to delete appeared at the source after it was listed, and stayed at the target. The next run compares what is there."
        ]
    );
}

#[test]
fn what_a_live_source_did_meanwhile_is_named() {
    let mut live = report();
    live.skipped.count.add_object(SkipReason::GoneAtSource, 7);
    live.copied_newer.objects = 2;
    live.notes = [("copied_newer".to_owned(), 2)].into();
    let codes: Vec<String> = reported_warnings(&live)
        .into_iter()
        .map(|warning| warning.code)
        .collect();
    assert_eq!(codes, ["gone_at_source", "copied_newer"]);
}

#[test]
fn a_rerun_names_what_it_did_not_plan_and_why() {
    let count = |objects| Count { objects, bytes: 9 };
    let rerun = Report {
        rerun_of: Some(RunId::new("earlier").unwrap()),
        not_planned: Some(NotPlanned {
            gone: count(2),
            not_chosen: count(1),
            ..NotPlanned::default()
        }),
        ..report()
    };
    assert_eq!(
        sentences(&rerun),
        [
            "This is a rerun of run earlier. Undone in that run and not planned in this one: 2 objects (gone, nothing is left to do), 1 object (in shards that were not chosen)."
        ]
    );
}

#[test]
fn some_unfinished_shards_are_named_and_the_others_counted() {
    let ids = ["1-0", "1-1", "1-2"].map(|id| ShardId::new(id).unwrap());
    let mut open = report();
    open.shards = ShardSummary {
        total: 1_203,
        done: 3,
        not_done: ids.into(),
    };
    assert_eq!(
        sentences(&open),
        ["1,200 of 1,203 shards not finished: 1-0, 1-1, and 1,198 more."]
    );
    open.shards.not_done.clear();
    assert_eq!(sentences(&open), ["1,200 of 1,203 shards not finished."]);
    open.verdict = Verdict::Planned;
    assert_eq!(sentences(&open), [] as [&str; 0]);
}

#[test]
fn a_target_that_was_not_verified_is_never_passed_over() {
    let mut unverified = report();
    unverified.verified.method = Verify::None;
    assert_eq!(
        sentences(&unverified),
        ["The target was not verified: the run has verify = none."]
    );
    unverified.problem = Some(ReportedProblem {
        state: "CopyShards".into(),
        code: "States.Timeout".into(),
        message: String::new(),
        action: String::new(),
    });
    assert_eq!(sentences(&unverified), [] as [&str; 0], "it had no plan");
    (unverified.shards.total, unverified.shards.done) = (3, 3);
    assert_eq!(sentences(&unverified), ["The target was not verified."]);
}

#[test]
fn notes_cut_comparisons_and_aborted_uploads_are_counted() {
    let mut noted = report();
    noted.notes = [("proven_by_etag", 1_200), ("unproven", 1)]
        .map(|(note, objects)| (note.to_owned(), objects))
        .into();
    noted.verified.is_partial = true;
    noted.uploads_aborted = 2;
    assert_eq!(
        sentences(&noted),
        [
            "The target differs in more places than there was time to look at: differences.csv is not complete.",
            "Notes on copied objects: proven by etag: 1,200, unproven: 1.",
            "2 unfinished multipart uploads aborted. The reporter's log names each.",
        ]
    );
}

#[test]
fn wrong_lines_of_a_list_are_named_first_and_three_of_them() {
    let mut listed = report();
    let mut list = ListCounts::default();
    for line in 1..=30 {
        list.add_repeated(&format_args!("keys.csv, line {line}: again"));
    }
    assert_eq!(list.problems.len(), 10);
    let with = |list: &ListCounts| {
        let list = Some(list.clone());
        sentences(&Report { list, ..report() })
    };
    assert_eq!(
        with(&list),
        [
            "The list: 30 lines naming an object again. The first: keys.csv, line 1: again; keys.csv, line 2: again; keys.csv, line 3: again."
        ]
    );
    list = ListCounts::default();
    list.add_wrong(&"keys.csv, line 7: the line has no key");
    assert_eq!(
        with(&list),
        [
            "What wrong lines name was not planned. The list: 1 line wrong. The first: keys.csv, line 7: the line has no key."
        ]
    );
    listed.deleted.back_at_source = 2;
    assert!(sentences(&listed)[0].contains("appeared at the source after it was listed"));
    listed.list = Some(ListCounts::default());
    assert!(sentences(&listed)[0].contains("though the inventory does not name them"));
}
