//! What holds for every shape.

use proptest::prelude::*;

use super::*;

fn shapes() -> Vec<Shape> {
    vec![
        Shape::Flat {},
        Shape::Hierarchical {
            directories: 7,
            subdirectories: 3,
        },
        Shape::Skewed {
            prefixes: 20,
            exponent: 1.5,
        },
        Shape::Uuid {},
        Shape::Dated { days: 400 },
        Shape::Unicode {},
    ]
}

fn any_space() -> impl Strategy<Value = KeySpace> {
    (
        0..shapes().len(),
        1u64..20_000,
        any::<u64>(),
        proptest::option::of(2u64..9),
    )
        .prop_map(|(shape, objects, seed, missing)| {
            let mut spec = KeySpaceSpec::new(shapes()[shape].clone(), objects)
                .seed(seed)
                .prefix("p/");
            spec.missing_every = missing;
            KeySpace::new(spec).expect("a valid spec")
        })
}

fn key(space: &KeySpace, rank: u64) -> Vec<u8> {
    let mut out = Vec::new();
    space.key(rank, &mut out);
    out
}

proptest! {
    #[test]
    fn keys_ascend_in_byte_order_and_are_utf8(space in any_space(), at in any::<u64>()) {
        let rank = at % space.len().max(1);
        let here = key(&space, rank);
        prop_assert!(std::str::from_utf8(&here).is_ok());
        if rank + 1 < space.len() {
            prop_assert!(here < key(&space, rank + 1));
        }
    }

    #[test]
    fn a_listing_can_start_after_any_string(space in any_space(), start in "\\PC{0,12}", inside in any::<u64>(), cut in 0usize..40) {
        // Arbitrary strings mostly fall outside, so cut and extended keys are probed too.
        let mut near = key(&space, inside % space.len().max(1));
        near.truncate(cut);
        let mut beyond = near.clone();
        beyond.extend_from_slice(start.as_bytes());
        for probe in [start.as_bytes(), &near, &beyond] {
            let rank = space.lower_bound(probe);
            prop_assert!(rank == 0 || key(&space, rank - 1).as_slice() < probe);
            prop_assert!(rank == space.len() || key(&space, rank).as_slice() >= probe);
        }
    }

    #[test]
    fn every_key_is_found_at_its_rank_and_no_other_key_is(space in any_space(), at in any::<u64>()) {
        let rank = at % space.len().max(1);
        let mut here = key(&space, rank);
        prop_assert_eq!(space.find(&here), Some(rank));
        here.push(b'!');
        prop_assert_eq!(space.find(&here), None);
    }

    #[test]
    fn sizes_stay_within_their_bounds(random in any::<u64>(), low in 0u64..1000, more in 0u64..1_000_000) {
        for sizes in [
            Sizes::Uniform { bytes_min: low, bytes_max: low + more },
            Sizes::LogUniform { bytes_min: low, bytes_max: low + more },
        ] {
            prop_assert!((low..=low + more).contains(&sizes.of(random)));
        }
    }
}

#[test]
fn a_hundred_million_keys_ascend_at_sampled_ranks() {
    for shape in shapes() {
        let space = KeySpace::new(KeySpaceSpec::new(shape, 100_000_000)).expect("a valid spec");
        let mut previous = key(&space, 0);
        for rank in (9_999..100_000_000).step_by(9_999) {
            let here = key(&space, rank);
            assert!(previous < here);
            previous = here;
        }
    }
}

#[test]
fn a_target_with_holes_holds_the_same_objects_otherwise() {
    let source = KeySpace::new(KeySpaceSpec::flat(1_000).seed(5)).expect("valid");
    let target = KeySpace::new(
        KeySpaceSpec::flat(1_000)
            .seed(5)
            .missing_every(10)
            .differing_every(7),
    )
    .expect("valid");
    assert_eq!(target.len(), 900);
    let mut same = 0;
    for rank in 0..target.len() {
        let key = key(&target, rank);
        let twin = source.find(&key).expect("the target has no key of its own");
        assert_ne!(twin % 10, 9, "every tenth is missing");
        let equal = source.object(twin) == target.object(rank);
        assert_eq!(equal, twin % 7 != 6, "every seventh differs");
        same += u64::from(equal);
    }
    assert_eq!(
        same,
        900 - (0..1_000)
            .filter(|index| index % 7 == 6 && index % 10 != 9)
            .count() as u64
    );
}

#[test]
fn the_unicode_alphabet_is_in_byte_order() {
    assert!(unicode::ALPHABET.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let refused = [
        KeySpaceSpec::new(
            Shape::Hierarchical {
                directories: 0,
                subdirectories: 1,
            },
            1,
        ),
        KeySpaceSpec::new(
            Shape::Skewed {
                prefixes: 5_000,
                exponent: 1.0,
            },
            1,
        ),
        KeySpaceSpec::new(Shape::Dated { days: 0 }, 1),
        KeySpaceSpec::flat(1 << 51),
        KeySpaceSpec::flat(10).missing_every(1),
        KeySpaceSpec::flat(10).sizes(Sizes::Uniform {
            bytes_min: 2,
            bytes_max: 1,
        }),
    ];
    for spec in refused {
        assert!(
            KeySpace::new(spec.clone()).is_err(),
            "{spec:?} was accepted"
        );
    }
}
