//! `report.html`: the page that an operator opens from the notification.

mod charts;

pub(crate) use charts::Charts;
