//! Writes records, and settles whether a write that failed took effect.
//!
//! A write whose response was lost is settled by reading, never by assumption: every write leaves its own mark in the
//! record, by which it is recognized. Even a plain refusal must be settled, because the refused attempt may be the retry of
//! one that succeeded. The SDK sends a write once; [`retry::LEDGER_WRITE`] determines how often it is retried.

use shardlift_core::{
    failure::fault::{CallFault, Effect, FaultKind},
    port::PutOutcome,
};
use tokio::time::sleep;

use super::{
    item::{Entry, WriteMark, mark_of, revision_of},
    record_key::RecordKey,
    table::Table,
};
use crate::retry::{self, Retries};

/// What the table says about a write that failed.
enum Settled {
    /// The record has the write's mark.
    Written,
    /// The record is the same as before.
    Unchanged,
    /// Another write changed the record.
    Changed,
}

/// Writes the entries under their conditions, all or none.
pub(super) async fn write(
    table: &Table,
    entries: &[Entry],
    mark: &WriteMark,
) -> Result<PutOutcome, CallFault> {
    let Some(witness) = entries.first() else {
        return Ok(PutOutcome::Written);
    };
    let mut retries = Retries::new(retry::LEDGER_WRITE);
    loop {
        let fault = match write_once(table, entries, mark).await {
            Ok(()) => return Ok(PutOutcome::Written),
            Err(fault) => fault,
        };
        let is_refusal = fault.kind == FaultKind::ConditionFailed;
        let is_open = fault.effect == Effect::Unknown || fault.is_transient();
        if !is_refusal && !is_open {
            return Err(fault);
        }
        match settle(table, &witness.key, witness.revision_before, mark).await {
            Ok(Settled::Written) => return Ok(PutOutcome::Written),
            Ok(Settled::Changed) => return Ok(PutOutcome::Refused),
            Ok(Settled::Unchanged) if is_refusal => return Ok(PutOutcome::Refused),
            Ok(Settled::Unchanged) => {}
            // The read failed, so the effect of the write stays as unknown as it was.
            Err(unread) => {
                let effect = fault.effect;
                return Err(CallFault { effect, ..unread });
            }
        }
        match retries.backoff_after(&fault) {
            Some(backoff) => sleep(backoff).await,
            None => return Err(fault),
        }
    }
}

async fn write_once(table: &Table, entries: &[Entry], mark: &WriteMark) -> Result<(), CallFault> {
    match entries {
        [entry] => table.put(entry).await,
        _ => table.transact(entries, mark).await,
    }
}

async fn settle(
    table: &Table,
    key: &RecordKey,
    revision_before: Option<u64>,
    mark: &WriteMark,
) -> Result<Settled, CallFault> {
    let Some(item) = table.get(key).await? else {
        return Ok(match revision_before {
            None => Settled::Unchanged,
            Some(_) => Settled::Changed,
        });
    };
    Ok(if mark_of(&item) == Some(mark.as_str()) {
        Settled::Written
    } else if revision_before.is_some() && revision_of(&item) == revision_before {
        Settled::Unchanged
    } else {
        Settled::Changed
    })
}
