//! What people may do who start, watch and stop runs and read their reports.

use super::{
    agreement::{Agreement, Installation},
    place::Place,
    statement::{Document, Statement},
};
use crate::{run::list::LISTS_FOLDER, value::action::Action};

/// Source account: the permission policy of an operator. It changes nothing but runs and uploaded lists: what a run may do is
/// bounded by the stack's parameters, and what the functions may by their own roles.
#[must_use]
pub fn operator(agreement: &Agreement, installation: &Installation) -> Document {
    let place = Place {
        agreement,
        installation,
    };
    let stack = &installation.stack;
    let control = place.control_bucket();
    Document::of(vec![
        Statement::allow(
            "FindTheStack",
            &[Action::DescribeStacks],
            place.arn("cloudformation", &format!("stack/{stack}/*")),
        ),
        Statement::allow(
            "ReadTheSchedule",
            &[Action::GetSchedule],
            place.arn("scheduler", &format!("schedule/default/{stack}-nightly")),
        )
        .and_on(place.arn("scheduler", &format!("schedule/default/{stack}-pair-*"))),
        // AWS knows no resource for it
        // (docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html).
        Statement::allow("FindThePairs", &[Action::ListSchedules], "*"),
        // ListExecutions also takes a Map Run instead of the machine, and AWS names both as required
        // (docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html).
        Statement::allow(
            "StartAndListRuns",
            &[Action::StartExecution, Action::ListExecutions],
            place.arn("states", &format!("stateMachine:{stack}-sync")),
        )
        .and_on(place.arn("states", &format!("mapRun:{stack}-sync/*:*"))),
        Statement::allow(
            "WatchAndStopRuns",
            &[Action::DescribeExecution, Action::StopExecution],
            place.arn("states", &format!("execution:{stack}-sync:*")),
        ),
        place.ledger("ReadTheLedger", &[Action::GetItem, Action::Query]),
        place.documents("ReadTheRunsDocuments", &[Action::GetObject], &["*"]),
        place.tell_missing_from_forbidden("runs/*"),
        place.own(Statement::allow(
            "UploadLists",
            &[Action::PutObject, Action::AbortMultipartUpload],
            format!("{control}/{LISTS_FOLDER}*"),
        )),
    ])
}
