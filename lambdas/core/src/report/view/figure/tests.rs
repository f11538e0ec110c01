//! What the figures of a report show.

use super::*;
use crate::plan::ListCounts;
use crate::report::{CopySeconds, Cost, ShardSummary, run_report::tests::report};

fn shown(report: &Report, kind: FigureKind) -> Option<String> {
    let figures = Figure::all_of(report);
    let figure = figures.into_iter().find(|figure| figure.kind == kind)?;
    Some(match figure.detail {
        Some(detail) => format!("{} ({detail})", figure.value),
        None => figure.value,
    })
}

#[test]
fn what_was_estimated_stands_beside_what_was_counted() {
    let times = |counted| {
        Some(CopySeconds {
            estimated: 90,
            estimated_max: None,
            counted,
        })
    };
    let figures = |verdict, copy_seconds| {
        let cost_usd = Cost {
            estimated: 5.03,
            counted: 5.01,
            ..Cost::default()
        };
        let costly = Report {
            verdict,
            cost_usd,
            copy_seconds,
            ..report()
        };
        let cost = shown(&costly, FigureKind::RequestCost).unwrap();
        (cost, shown(&costly, FigureKind::CopyTime))
    };
    let expected = |cost: &str, time: Option<&str>| (cost.to_owned(), time.map(str::to_owned));
    assert_eq!(
        figures(Verdict::Complete, times(Some(125))),
        expected(
            "$5.01 (estimated $5.03)",
            Some("2 min 5 s (estimated 1 min 30 s)")
        )
    );
    assert_eq!(
        figures(Verdict::Incomplete, times(None)),
        expected("$5.01 (estimated $5.03)", None)
    );
    assert_eq!(
        figures(Verdict::Planned, times(None)),
        expected("$5.03 (estimated)", Some("1 min 30 s (estimated)"))
    );
    assert_eq!(figures(Verdict::Incomplete, None), expected("$5.01", None));
}

#[test]
fn an_estimated_time_is_a_range_and_a_dry_run_says_what_it_depends_on() {
    let mut long = report();
    let mut time = |verdict, counted| {
        long.verdict = verdict;
        long.copy_seconds = Some(CopySeconds {
            estimated: 2_441,
            estimated_max: Some(28_572),
            counted,
        });
        shown(&long, FigureKind::CopyTime).unwrap()
    };
    assert_eq!(
        time(Verdict::Planned, None),
        "40 min 41 s to 7 h 56 min (estimated: the longer time at the 3,500 writes per second of one S3 partition, \
         the shorter one once S3 has split the target prefix into enough of them)"
    );
    assert_eq!(
        time(Verdict::Complete, Some(7_300)),
        "2 h 1 min (estimated 40 min 41 s to 7 h 56 min)"
    );
}

#[test]
fn deletions_and_what_the_filters_left_out_add_up() {
    let mut mirror = report();
    assert_eq!(shown(&mirror, FigureKind::Deleted), None);
    assert_eq!(shown(&mirror, FigureKind::Filtered), None);
    mirror.filtered = Some(Count {
        objects: 1_200,
        bytes: 2_048,
    });
    mirror.deleted.planned = 9;
    mirror.deleted.objects = 5;
    (mirror.deleted.held, mirror.deleted.failed) = (1, 1);
    mirror.deleted.back_at_source = 2;
    let deleted = |report: &Report| shown(report, FigureKind::Deleted).unwrap();
    assert_eq!(
        deleted(&mirror),
        "5 (of 9 planned: 1 held, 2 back at the source, 1 failed)"
    );
    assert_eq!(
        shown(&mirror, FigureKind::Filtered).unwrap(),
        "1,200 (2.0 KiB)"
    );
    mirror.verdict = Verdict::Planned;
    assert_eq!(deleted(&mirror), "5 (9 planned)");
}

#[test]
fn what_was_skipped_and_what_is_newer_is_explained() {
    let mut live = report();
    live.skipped.count.add_object(SkipReason::Same, 1_024);
    assert_eq!(shown(&live, FigureKind::Skipped).unwrap(), "1 (1.0 KiB)");
    live.skipped.count.add_object(SkipReason::GoneAtSource, 0);
    assert_eq!(
        shown(&live, FigureKind::Skipped).unwrap(),
        "2 (1.0 KiB; 1 the same already, 1 gone at the source)"
    );
    (live.copied.objects, live.copied_newer.objects) = (3, 2);
    assert_eq!(
        shown(&live, FigureKind::Copied).unwrap(),
        "3 (0 bytes; 2 in a newer version)"
    );
}

#[test]
fn a_run_that_verified_nothing_has_no_figure_of_it() {
    let mut unverified = report();
    assert_eq!(
        shown(&unverified, FigureKind::Verified).unwrap(),
        "0 missing, 0 different (the target listed again)"
    );
    unverified.verified.method = Verify::None;
    assert_eq!(shown(&unverified, FigureKind::Verified), None);
}

#[test]
fn the_shards_of_a_dry_run_are_planned_and_not_undone() {
    let mut dry = report();
    assert_eq!(shown(&dry, FigureKind::Shards), None);
    dry.shards = ShardSummary {
        total: 1_200,
        done: 1_100,
        not_done: Vec::new(),
    };
    let shards = |report: &Report| shown(report, FigureKind::Shards).unwrap();
    assert_eq!(shards(&dry), "1,100 of 1,200 done (in 1 round)");
    dry.verdict = Verdict::Planned;
    assert_eq!(shards(&dry), "1,200 planned");
}

#[test]
fn a_run_of_renditions_says_what_was_made_and_not_how_copies_compare() {
    let mut rendered = report();
    assert_eq!(shown(&rendered, FigureKind::Transform), None);
    rendered.transform = Some("thumbnail:256,format=webp".parse().unwrap());
    assert_eq!(
        shown(&rendered, FigureKind::Transform).unwrap(),
        "thumbnail:256,format=webp,quality=80,pixels_max=250000000 \
         (a smaller picture of each image, in the place of a copy)"
    );
    assert_eq!(shown(&rendered, FigureKind::Mode).unwrap(), "sync");
}

#[test]
fn a_list_shows_its_lines_and_how_it_was_planned() {
    let mut listed = report();
    assert_eq!(shown(&listed, FigureKind::List), None);
    let list = ListCounts {
        objects: 1_200,
        way: ListWay::Merged,
        ..ListCounts::default()
    };
    let mut with = |list: &ListCounts| {
        listed.list = Some(list.clone());
        shown(&listed, FigureKind::List).unwrap()
    };
    assert_eq!(with(&list), "1,200 lines (1,200 named; in key order)");
    let mixed = ListCounts {
        repeated: 3,
        left_out: 6,
        outside: 4,
        wrong: 1,
        looked_up: 9,
        is_out_of_order: true,
        ..list
    };
    assert_eq!(
        with(&mixed),
        "1,210 lines (1,200 named, 3 repeated, 4 outside the source prefix, 2 left out, 1 wrong; sorted first; 9 looked up at the source)"
    );
    let of_events = ListCounts {
        objects: 1,
        ..ListCounts::default()
    };
    assert_eq!(
        with(&of_events),
        "1 line (1 named; each key looked up on both sides)"
    );
}

#[test]
fn an_instant_is_shown() {
    let mut past = report();
    assert_eq!(shown(&past, FigureKind::AsOf), None);
    past.as_of = Some("2026-11-20T02:00:00Z".to_owned());
    assert_eq!(
        shown(&past, FigureKind::AsOf).unwrap(),
        "2026-11-20T02:00:00Z (the newest version of each key at that instant)"
    );
}
