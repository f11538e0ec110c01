//! How far a rerun got through the undone objects of the earlier run.

use shardlift_core::{
    failure::Failure,
    plan::range::{Checkpoint, ListingTally},
    value::{id::ShardId, key::RelativeKey},
};

use crate::picked::Waypoint;

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

/// The last planned object of the earlier run.
#[derive(Debug, Default)]
pub(super) struct RerunWaypoint(pub(super) Option<Position>);

impl RerunWaypoint {
    /// Whether the undone object at `position` is planned.
    pub(super) fn has_planned(&self, position: &Position) -> bool {
        self.0.as_ref() >= Some(position)
    }

    /// Whether every undone object of this shard is planned, since one of a later shard is.
    pub(super) fn is_past(&self, shard_id: &ShardId) -> bool {
        let reached = self.0.as_ref().map(|position| &position.shard_id);
        reached > Some(shard_id)
    }
}

impl Waypoint for RerunWaypoint {
    fn read(checkpoint: Option<&Checkpoint>) -> Result<Self, Failure> {
        let through = checkpoint.and_then(|checkpoint| checkpoint.through.as_ref());
        Ok(Self(through.map(Position::parse).transpose()?))
    }

    fn checkpoint(&self, tally: ListingTally) -> Result<Checkpoint, Failure> {
        Ok(Checkpoint {
            through: self.0.as_ref().map(Position::to_text).transpose()?,
            tally,
            list: None,
        })
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
