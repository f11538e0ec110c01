//! How far a rerun got through the undone objects of the earlier run.

use shardlift_core::{
    failure::Failure,
    value::{id::ShardId, key::RelativeKey},
};

/// An undone object of the earlier run. Positions order by shard id, and within a shard by manifest index.
///
/// The checkpoint of the rerun's one range holds it in the place of a key: everything up to it is planned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// The shard of the earlier run.
    pub(super) shard_id: ShardId,
    /// The object's index in that shard's manifest.
    pub(super) index: u32,
}

impl Position {
    pub(super) fn parse(text: &RelativeKey) -> Result<Self, Failure> {
        let parts = text.as_str().rsplit_once('/');
        parts
            .and_then(|(id, index)| {
                Some(Self {
                    shard_id: ShardId::new(id).ok()?,
                    index: index.parse().ok()?,
                })
            })
            .ok_or_else(|| Failure::invariant(format!("{text} is no position in an earlier run")))
    }

    pub(super) fn to_text(&self) -> Result<RelativeKey, Failure> {
        RelativeKey::new(format!("{}/{}", self.shard_id, self.index))
            .map_err(|error| Failure::invariant(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_the_ledger_and_order_by_number() {
        let position = |index| Position {
            shard_id: ShardId::new("2-17").unwrap(),
            index,
        };
        let text = position(9).to_text().unwrap();
        assert_eq!(Position::parse(&text).unwrap(), position(9));
        assert!(position(9) < position(10));
        assert!(Position::parse(&RelativeKey::new("2-17").unwrap()).is_err());
    }
}
