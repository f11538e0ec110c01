use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    failure::FailureCode,
    plan::{
        ListPage, RangeWalk, WalkRules,
        range::KeyRange,
        walk::tests::{page, range, rules_of},
    },
    run::pair::Side,
    value::key::RelativeKey,
};

/// The rules of a sync of a list.
fn rules() -> WalkRules {
    rules_of(&json!({
        "source": {"bucket": "source", "prefix": "s/",
            "list": {"bucket": "lists", "key": "lists/a", "format": "csv"}},
        "target": {"bucket": "target", "prefix": "t/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        "mode": "sync", "compare": "size",
    }))
}

/// Both sides of a range.
#[derive(Debug, Clone)]
struct Sides {
    listed: BTreeSet<String>,
    target: BTreeSet<String>,
    bounds: KeyRange,
    page_objects: usize,
}

impl Sides {
    fn list_page(&self, after: Option<&ObjectKey>, max: usize) -> ListPage {
        let keys = self.listed.iter().map(|key| format!("s/{key}"));
        let behind = keys.filter(|key| Some(key.as_str()) > after.map(ObjectKey::as_str));
        let mut keys: Vec<String> = behind.take(max + 1).collect();
        let is_last = keys.len() <= max;
        keys.truncate(max);
        let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
        ListPage {
            objects: page(&texts, false).objects,
            looks: Vec::new(),
            through: keys.last().map(|key| ObjectKey::new(key).unwrap()),
            is_last,
        }
    }

    fn target_page(&self, after: Option<&ObjectKey>) -> ObjectPage {
        let keys = self.target.iter().map(|key| format!("t/{key}"));
        let behind = keys.filter(|key| Some(key.as_str()) > after.map(ObjectKey::as_str));
        let keys: Vec<String> = behind.take(self.page_objects + 1).collect();
        let is_truncated = keys.len() > self.page_objects;
        let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
        page(&texts[..texts.len().min(self.page_objects)], is_truncated)
    }

    /// Whether the target has each key of the range that the list names.
    fn expected(&self) -> (u64, u64) {
        let in_range = self.listed.iter().filter(|key| self.bounds.contains(key));
        let (same, missing): (Vec<_>, Vec<_>) =
            in_range.partition(|key| self.target.contains(*key));
        (same.len() as u64, missing.len() as u64)
    }
}

/// What a walk found, and how many pages of the target it requested.
#[derive(Debug, PartialEq)]
struct Walked {
    found: (u64, u64),
    requests: usize,
    most_at_once: usize,
}

/// Walks the range, with responses in the order that `draws` gives; those of the list first where they give none.
fn walk(sides: &Sides, at_once: usize, draws: &[Option<usize>]) -> Walked {
    let rules = rules();
    let mut walk = RangeWalk::resume(&range(sides.bounds.clone()), &rules);
    let mut draws = draws.iter().cycle();
    let (mut source, mut target) = (None, Vec::new());
    let mut walked = Walked {
        found: (0, 0),
        requests: 0,
        most_at_once: 0,
    };
    while !walk.is_ended() {
        if source.is_none() {
            source = walk.next_request(Side::Source);
        }
        while let Some(request) = walk.next_ahead(at_once) {
            target.push(request);
            walked.requests += 1;
        }
        walked.most_at_once = walked.most_at_once.max(target.len());
        let responses = target.len() + usize::from(source.is_some());
        assert!(
            responses > 0,
            "nothing is on its way, and the range has not ended"
        );
        let drawn = draws.next().copied().flatten();
        let next = match drawn {
            Some(drawn) => drawn % responses,
            None if source.is_some() => target.len(),
            None => 0,
        };
        if next == target.len() {
            let after = source.take().and_then(|request| request.after);
            walk.feed_list(sides.list_page(after.as_ref(), 7)).unwrap();
        } else {
            let after = target.remove(next).after;
            let page = sides.target_page(after.as_ref());
            walk.feed_ahead(after.as_ref(), page).unwrap();
        }
        for chunk in walk.advance(&rules) {
            walked.found.0 += chunk.kept.same.objects;
            walked.found.1 += chunk.copy_work.count.objects;
        }
    }
    walked
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    numbers
        .into_iter()
        .map(|number| format!("{number:05}"))
        .collect()
}

fn whole(listed: BTreeSet<String>, target: BTreeSet<String>, page_objects: usize) -> Sides {
    Sides {
        listed,
        target,
        bounds: KeyRange::default(),
        page_objects,
    }
}

/// The list is read ahead, and the target responds in the order of the requests.
const IN_ORDER: [Option<usize>; 1] = [None];

#[test]
fn a_target_that_has_what_is_listed_takes_no_more_pages_several_at_once() {
    let sides = whole(numbered(0..1_000), numbered(0..1_000), 10);
    let alone = walk(&sides, 1, &IN_ORDER);
    let ahead = walk(&sides, 4, &IN_ORDER);
    assert_eq!(alone.found, (1_000, 0));
    assert_eq!(ahead.found, alone.found);
    assert_eq!((alone.most_at_once, ahead.most_at_once), (1, 4));
    assert!(alone.requests >= 100, "{alone:?}");
    assert!(ahead.requests <= alone.requests + 4, "{ahead:?}, {alone:?}");
}

#[test]
fn pages_ahead_tell_hardly_anything_twice_where_the_target_changes() {
    let every = |step: usize| numbered((0..3_000).step_by(step));
    let mixed = numbered((0..3_000).filter(|number| number % 7 > 2 || number % 300 > 150));
    for (what, listed, target) in [
        ("it has a tenth of the keys", every(1), every(10)),
        ("it has others between them", every(5), every(1)),
        ("it has most keys, and others", mixed.clone(), every(1)),
        ("it lacks some", every(1), mixed),
        ("it has none", every(1), BTreeSet::new()),
    ] {
        let sides = whole(listed, target, 10);
        let (alone, ahead) = (walk(&sides, 1, &IN_ORDER), walk(&sides, 4, &IN_ORDER));
        assert_eq!(alone.found, sides.expected(), "{what}");
        assert_eq!(ahead.found, alone.found, "{what}");
        assert!(
            ahead.requests <= alone.requests + alone.requests / 2 + 4,
            "{what}: {ahead:?}, {alone:?}"
        );
    }
}

#[test]
fn a_page_ahead_that_cannot_be_trusted_ends_the_walk() {
    let rules = rules();
    let mut walk = RangeWalk::resume(&range(KeyRange::default()), &rules);
    let sides = whole(numbered(0..9), BTreeSet::new(), 10);
    walk.feed_list(sides.list_page(None, 9)).unwrap();
    let request = walk.next_ahead(4).unwrap();
    for wrong in [
        page(&["t/00002", "t/00001"], true),
        page(&["elsewhere"], true),
        page(&[], true),
    ] {
        let refused = walk.feed_ahead(request.after.as_ref(), wrong).unwrap_err();
        assert_eq!(refused.code, FailureCode::ListingIncomplete);
        assert!(walk.advance(&rules).is_empty() && !walk.is_ended());
    }
}

#[test]
fn keys_that_are_too_long_for_the_target_are_planned_without_a_page_that_tells_of_them() {
    let long = "x".repeat(1_022);
    let rules = rules_of(&json!({
        "source": {"bucket": "source", "prefix": "s/",
            "list": {"bucket": "lists", "key": "lists/a", "format": "csv"}},
        "target": {"bucket": "target", "prefix": "longer/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        "mode": "sync", "compare": "size",
    }));
    let mut walk = RangeWalk::resume(&range(KeyRange::default()), &rules);
    let sides = whole(BTreeSet::from([long]), BTreeSet::new(), 10);
    let list = ListPage {
        is_last: false,
        ..sides.list_page(None, 9)
    };
    walk.feed_list(list).unwrap();
    assert_eq!(walk.next_ahead(4), None);
    walk.advance(&rules);
    assert!(walk.has_moved(), "it is planned");
}

/// Keys of few characters, so that many are prefixes of others and many are at both sides.
fn keys() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set("[ab\u{10ffff}\u{0}]{1,5}", 0..120)
}

proptest! {
    #[test]
    fn pages_in_any_order_give_what_one_after_the_other_gives(
        listed in keys(),
        others in keys(),
        shared in any::<u8>(),
        bounds in prop::option::of(("[ab]{1,3}", "[ab]{1,3}")),
        page_objects in 1..9_usize,
        at_once in 1..6_usize,
        draws in prop::collection::vec(any::<Option<usize>>(), 1..200),
    ) {
        let target = listed
            .iter()
            .enumerate()
            .filter(|(index, _)| shared >> (index % 8) & 1 == 1)
            .map(|(_, key)| key.clone())
            .chain(others);
        let key = |text: &String| RelativeKey::new(text.as_str()).unwrap();
        let bounds = bounds.filter(|(after, until)| after < until);
        let sides = Sides {
            target: target.collect(),
            listed,
            bounds: KeyRange {
                after: bounds.as_ref().map(|(after, _)| key(after)),
                until: bounds.as_ref().map(|(_, until)| key(until)),
            },
            page_objects,
        };
        let walked = walk(&sides, at_once, &draws);
        prop_assert_eq!(walked.found, sides.expected());
        prop_assert!(walked.most_at_once <= at_once + 1);
    }
}
