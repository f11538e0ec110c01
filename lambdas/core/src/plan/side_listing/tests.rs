use super::*;
use crate::{
    failure::FailureCode,
    value::{object::ETag, storage::ObjectStorage, time::Timestamp},
};

fn relative(text: &str) -> RelativeKey {
    RelativeKey::new(text).unwrap()
}

fn side(after: Option<&str>, until: Option<&str>) -> SideListing {
    let (after, until) = (after.map(relative), until.map(relative));
    let prefix = KeyPrefix::new("p/").unwrap();
    SideListing::new(Side::Source, prefix, after.as_ref(), until.as_ref())
}

fn object(key: &str) -> ListedObject {
    ListedObject {
        key: ObjectKey::new(key).unwrap(),
        size_bytes: 1,
        etag: ETag::new("e").unwrap(),
        modified_at: Timestamp::default(),
        storage: ObjectStorage::default(),
        version_id: None,
    }
}

/// A page after which more follow.
fn more(keys: &[&str]) -> ObjectPage {
    ObjectPage {
        listed_through: None,
        objects: keys.iter().map(|key| object(key)).collect(),
        is_truncated: true,
    }
}

fn last(keys: &[&str]) -> ObjectPage {
    ObjectPage {
        is_truncated: false,
        ..more(keys)
    }
}

fn drain(side: &mut SideListing) -> Vec<String> {
    std::iter::from_fn(|| side.pop())
        .map(|object| object.key.into())
        .collect()
}

fn asks_after(side: &SideListing) -> Option<String> {
    let request = side.next_request(usize::MAX)?;
    request.after.map(Into::into)
}

#[test]
fn a_page_that_no_listing_gives_is_refused_and_leaves_the_side_as_it_was() {
    for wrong in [
        more(&[]),
        more(&["p/c", "p/b"]),
        last(&["p/c", "p/c"]),
        last(&["p/c", "q/d"]),
        last(&["a"]),
        last(&["p"]),
    ] {
        let mut side = side(None, None);
        side.feed(more(&["p/a"])).unwrap();
        let refused = side.feed(wrong.clone()).unwrap_err();
        assert_eq!(refused.code, FailureCode::ListingIncomplete, "{wrong:?}");
        assert!(refused.detail.contains("source"), "{}", refused.detail);
        assert_eq!(drain(&mut side), ["p/a"], "{wrong:?}");
        assert!(!side.is_exhausted(), "{wrong:?}");
    }
}

#[test]
fn a_listing_that_goes_in_circles_is_refused() {
    for again in [more(&["p/a", "p/b"]), more(&["p/b"]), last(&["p/b", "p/c"])] {
        let mut side = side(None, None);
        side.feed(more(&["p/a", "p/b"])).unwrap();
        assert_eq!(asks_after(&side).as_deref(), Some("p/b"));
        let refused = side.feed(again).unwrap_err();
        assert_eq!(refused.code, FailureCode::ListingIncomplete);
    }
    let mut resumed = side(Some("m"), None);
    let refused = resumed.feed(last(&["p/m"])).unwrap_err();
    assert_eq!(refused.code, FailureCode::ListingIncomplete);
}

#[test]
fn only_a_page_that_says_so_is_the_last() {
    let mut side = side(None, None);
    assert!(side.is_starved() && !side.is_exhausted());
    side.feed(more(&["p/a"])).unwrap();
    drain(&mut side);
    assert!(side.is_starved() && !side.is_exhausted());
    side.feed(last(&[])).unwrap();
    assert!(side.is_exhausted() && !side.is_starved());
    assert_eq!(side.next_request(usize::MAX), None);
}

#[test]
fn what_lies_past_the_end_of_the_range_is_left_out_and_ends_it() {
    let mut side = side(Some("b"), Some("m"));
    assert_eq!(asks_after(&side).as_deref(), Some("p/b"));
    side.feed(more(&["p/c", "p/m", "p/m\u{0}", "p/z"])).unwrap();
    assert_eq!(side.next_request(usize::MAX), None);
    assert_eq!(drain(&mut side), ["p/c", "p/m"]);
    assert!(side.is_exhausted());
}

#[test]
fn a_page_that_ends_at_the_end_of_the_range_does_not_end_it() {
    let mut side = side(None, Some("m"));
    side.feed(more(&["p/m"])).unwrap();
    assert_eq!(asks_after(&side).as_deref(), Some("p/m"));
    side.feed(more(&["p/n"])).unwrap();
    assert_eq!(drain(&mut side), ["p/m"]);
    assert!(side.is_exhausted());
}

#[test]
fn what_a_shortened_start_lists_before_the_range_is_left_out() {
    // Prefix and key together are longer than a key may be, so the listing begins before the range does.
    let long = "k".repeat(1_023);
    let mut side = side(Some(&long), None);
    let start = asks_after(&side).unwrap();
    assert!(start.len() == 1_024 && format!("p/{long}").starts_with(&start));
    side.feed(last(&["p/z"])).unwrap();
    assert_eq!(drain(&mut side), ["p/z"]);
}

#[test]
fn a_side_that_is_narrowed_gives_up_what_it_listed_past_the_cut() {
    let mut side = side(None, None);
    side.feed(more(&["p/a", "p/f", "p/m", "p/z"])).unwrap();
    side.narrow(&relative("f"));
    assert_eq!(side.next_request(usize::MAX), None);
    assert_eq!(drain(&mut side), ["p/a", "p/f"]);
    assert!(side.is_exhausted());
}

#[test]
fn a_side_that_merged_past_the_cut_is_done() {
    let mut side = side(None, None);
    side.feed(more(&["p/a", "p/m"])).unwrap();
    drain(&mut side);
    side.narrow(&relative("f"));
    assert!(side.is_exhausted());
}

#[test]
fn a_side_that_is_narrowed_ahead_of_its_listing_goes_on_to_the_cut() {
    let mut side = side(None, None);
    side.feed(more(&["p/a"])).unwrap();
    let on_its_way = more(&["p/b", "p/z"]);
    side.narrow(&relative("m"));
    assert!(!side.is_exhausted());
    assert_eq!(asks_after(&side).as_deref(), Some("p/a"));
    side.feed(on_its_way).unwrap();
    assert_eq!(drain(&mut side), ["p/a", "p/b"]);
    assert!(side.is_exhausted());
}
