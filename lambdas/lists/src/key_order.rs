//! Whether a list is in the order in which S3 lists.

use serde::{Deserialize, Serialize};
use shardlift_core::value::key::ObjectKey;

/// Watches the keys of a list. A list whose keys only increase can be merged with a listing; any other needs a look at each
/// object. It can be stored beside the position in the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyOrder {
    last: Option<ObjectKey>,
    /// Whether a key came that is not greater than the one before it.
    is_broken: bool,
    /// How many keys came twice in a row.
    repeated: u64,
}

impl KeyOrder {
    /// Takes the next key; whether the list is still in order.
    pub fn observe(&mut self, key: &ObjectKey) -> bool {
        if let Some(last) = self.last.as_mut() {
            if key <= last {
                self.is_broken = true;
                self.repeated += u64::from(key == last);
            }
            last.clone_from(key);
        } else {
            self.last = Some(key.clone());
        }
        self.is_increasing()
    }

    /// Whether each key so far was greater than the one before it, in the order of UTF-8 bytes.
    #[must_use]
    pub const fn is_increasing(&self) -> bool {
        !self.is_broken
    }

    /// How many keys were the same as the one before them. Of a list out of order this says nothing about its duplicates.
    #[must_use]
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The newest key.
    #[must_use]
    pub const fn last(&self) -> Option<&ObjectKey> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observed(keys: &[&str]) -> KeyOrder {
        let mut order = KeyOrder::default();
        for key in keys {
            order.observe(&ObjectKey::new(*key).unwrap());
        }
        order
    }

    #[test]
    fn order_is_that_of_bytes_and_strict() {
        assert!(observed(&[]).is_increasing());
        assert!(observed(&["Z", "a", "\u{e9}", "\u{ffff}", "\u{10000}"]).is_increasing());
        assert!(!observed(&["b", "a", "c"]).is_increasing());
        let twice = observed(&["a", "a", "b"]);
        assert!(!twice.is_increasing());
        assert_eq!(twice.repeated(), 1);
        assert_eq!(twice.last().unwrap().as_str(), "b");
    }

    proptest! {
        #[test]
        fn a_stored_observer_goes_on_as_if_nothing_had_happened(
            keys in proptest::collection::vec("[ab]{1,3}", 0..12), cut in 0usize..12,
        ) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let cut = cut.min(keys.len());
            let stored = serde_json::to_string(&observed(&keys[..cut])).unwrap();
            let mut order: KeyOrder = serde_json::from_str(&stored).unwrap();
            for key in &keys[cut..] {
                order.observe(&ObjectKey::new(*key).unwrap());
            }
            prop_assert_eq!(&order, &observed(&keys));
            prop_assert_eq!(order.is_increasing(), keys.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
