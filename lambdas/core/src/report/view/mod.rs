//! A report as people read it: every sentence and figure, in the one order in which each surface shows them.
//!
//! [`ReportView`] is built from a [`Report`](super::Report) and has six parts, in this order: [`Headline`], [`Figure`]s,
//! [`ProblemEntry`]s, [`Warning`]s, [`NextStep`]s, and the scope of the costs. The notification, the page and the command only lay it out, and escape
//! the texts from outside in the way of their medium. None of them chooses or writes a sentence.

mod figure;
mod headline;
mod next_command;
mod next_step;
mod problem_entry;
mod report_view;
mod storage;
mod warning;

pub use figure::{Figure, FigureKind};
pub use headline::Headline;
pub use next_step::NextStep;
pub use problem_entry::{ProblemEntry, ProblemKind};
pub use report_view::ReportView;
pub use warning::{WARNINGS_HEADING, Warning, WarningCode, reported_warnings};
