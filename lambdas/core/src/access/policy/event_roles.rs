//! What the functions' own roles may do where the stack starts runs from events.

use super::{
    agreement::{Agreement, Installation},
    place::{Place, in_partitions},
    statement::{Document, Statement},
};
use crate::value::action::Action;

/// The intake enters no other account and reads no object of the pair: it takes messages, writes lists, and starts runs.
pub(super) fn intake_role(place: &Place<'_>) -> Document {
    const LOCKS: &[&str] = &["LOCKS#*"];
    let stack = &place.installation.stack;
    let read = place.ledger("ReadTheLedger", &[Action::GetItem, Action::Query]);
    let write = place.ledger("WriteTheLedger", &[Action::PutItem]);
    Document::of(vec![
        place.write_its_log("intake"),
        Statement::allow(
            "TakeTheMessages",
            &[
                Action::ReceiveMessage,
                Action::DeleteMessage,
                Action::GetQueueAttributes,
            ],
            place.arn("sqs", &format!("{stack}-events")),
        ),
        // Locks, and the shards of a run that has ended: whether a copier of it may still write.
        in_partitions(read, &["LOCKS#*", "RUN#*#SHARDS#*"]),
        in_partitions(write, LOCKS),
        place.event_lists("ReadTheRunsDocuments", Action::GetObject, &["waiting/*"]),
        place.event_lists(
            "WriteTheRunsDocuments",
            Action::PutObject,
            &["waiting/*", "merged/*"],
        ),
        place.event_lists("RemoveTheEvents", Action::DeleteObject, &["waiting/*"]),
        place.tell_missing_from_forbidden("lists/events/waiting/*"),
        Statement::allow(
            "StartRuns",
            &[Action::StartExecution],
            place.arn("states", &format!("stateMachine:{stack}-sync")),
        ),
        place.ask_whether_a_lock_is_still_held(),
    ])
}

/// Source account: what the reporter's role may do in addition, where the stack starts runs from events.
#[must_use]
pub fn reporter_of_events(agreement: &Agreement, installation: &Installation) -> Document {
    let place = Place {
        agreement,
        installation,
    };
    Document::of(vec![
        place.event_lists(
            "WriteTheRunsDocuments",
            Action::PutObject,
            &["waiting/.held"],
        ),
        place.event_lists("RemoveTheEvents", Action::DeleteObject, &["waiting/*"]),
    ])
}
