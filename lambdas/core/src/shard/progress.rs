//! Which objects of a shard are settled, compactly.

use roaring::RoaringBitmap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};

/// The set of settled positions in a shard's manifest: copied, skipped or failed for good.
///
/// Objects are settled nearly in order, so runs make up most of it and the stored form is some
/// tens of bytes; the worst case of 10,000 objects is 1.3 KB.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProgressMap(RoaringBitmap);

impl ProgressMap {
    /// Marks the object at `index` as settled; returns whether it was not before.
    pub fn settle(&mut self, index: u32) -> bool {
        self.0.insert(index)
    }

    /// Opens the object at `index` again, for another round.
    pub fn reopen(&mut self, index: u32) -> bool {
        self.0.remove(index)
    }

    /// Whether the object at `index` is settled.
    #[must_use]
    pub fn is_settled(&self, index: u32) -> bool {
        self.0.contains(index)
    }

    /// Whether nothing is settled yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many objects are settled.
    #[must_use]
    pub fn settled_count(&self) -> u64 {
        self.0.len()
    }

    /// The positions below `count` that are not settled, in order.
    pub fn open(&self, count: u32) -> impl Iterator<Item = u32> + '_ {
        (0..count).filter(|&index| !self.0.contains(index))
    }
}

impl Serialize for ProgressMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut compact = self.0.clone();
        compact.optimize();
        let mut bytes = Vec::with_capacity(compact.serialized_size());
        compact
            .serialize_into(&mut bytes)
            .map_err(S::Error::custom)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for ProgressMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| {
                text.get(at..at + 2)
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            })
            .collect::<Option<_>>()
            .ok_or_else(|| D::Error::custom("a progress map is written in hexadecimal"))?;
        RoaringBitmap::deserialize_from(bytes.as_slice())
            .map(Self)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn settling_in_order_stays_within_a_ledger_unit() {
        let mut progress = ProgressMap::default();
        for index in (0..10_000).filter(|index| index % 500 != 0) {
            progress.settle(index);
        }
        assert!(serde_json::to_string(&progress).unwrap().len() < 400);
    }

    proptest! {
        #[test]
        fn what_is_stored_comes_back(settled in prop::collection::btree_set(0_u32..10_000, 0..300)) {
            let mut progress = ProgressMap::default();
            for &index in &settled {
                prop_assert!(progress.settle(index));
                prop_assert!(!progress.settle(index));
            }
            let stored = serde_json::to_string(&progress).unwrap();
            let back: ProgressMap = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(back.settled_count(), settled.len() as u64);
            prop_assert!(back.open(10_000).all(|index| !settled.contains(&index)));
        }
    }

    #[test]
    fn garbage_is_refused() {
        assert!(serde_json::from_str::<ProgressMap>("\"zz\"").is_err());
        assert!(serde_json::from_str::<ProgressMap>("\"0\"").is_err());
        assert!(serde_json::from_str::<ProgressMap>("\"00\"").is_err());
    }
}
