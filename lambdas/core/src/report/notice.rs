//! The notification of a report: what a person reads on a phone when a run ended.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    failure_example::FailureExamples,
    run_report::Report,
    view::{Figure, NextStep, ProblemEntry, ReportView, WARNINGS_HEADING, Warning},
};
use crate::{
    failure::Failure,
    port::Notification,
    run::pair::Pair,
    value::{arn::ExecutionArn, printable::Printable, text::cut},
};

/// The longest subject that SNS takes (docs.aws.amazon.com/sns/latest/api/API_Publish.html: at most 100 ASCII characters).
pub const SUBJECT_CHARACTERS_MAX: usize = 100;

/// How much of an example's detail and key the text carries.
const DETAIL_CHARACTERS_MAX: usize = 400;
const KEY_CHARACTERS_MAX: usize = 200;
/// How much of a problem's message the text carries, in bytes of JSON: with an example of every failure, three such
/// texts still fit a message of 256 KB.
const PROBLEM_BYTES_MAX: usize = 20 * 1024;
/// How many unfinished shards the text names.
const SHARDS_NAMED_MAX: usize = 5;

/// What the notification carries beside the report.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The run's execution.
    pub execution: &'a ExecutionArn,
    /// The pair; absent when the input of the run was refused.
    pub pair: Option<&'a Pair>,
    /// An example for each reason.
    pub examples: &'a FailureExamples,
}

impl Notification {
    /// The notification of a report.
    ///
    /// # Errors
    /// `InvariantViolated` when the report cannot be written as JSON.
    pub fn of_report(report: &Report, around: Surroundings<'_>) -> Result<Self, Failure> {
        let json = serde_json::to_string(report)
            .map_err(|error| Failure::invariant(format!("the report is not JSON: {error}")))?;
        let mut attributes = BTreeMap::from([("verdict".to_owned(), report.verdict.to_string())]);
        if let Some(mode) = report.mode {
            attributes.insert("mode".to_owned(), mode.name().to_owned());
        }
        let view = ReportView::new(report, around.examples);
        Ok(Self {
            subject: subject(&view, report),
            text: text(&view, report, around),
            json,
            attributes,
        })
    }
}

/// The headline first: a phone shows some forty characters. A long run id loses its end.
fn subject(view: &ReportView, report: &Report) -> String {
    let mut subject: String = format!("Shardlift {} ({})", view.headline, report.run_id)
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .collect();
    if subject.len() > SUBJECT_CHARACTERS_MAX {
        subject.truncate(SUBJECT_CHARACTERS_MAX - 3);
        subject.push_str("...");
    }
    subject
}

fn text(view: &ReportView, report: &Report, around: Surroundings<'_>) -> String {
    let mut paragraphs = vec![
        opening(view, around.pair),
        lines(view.figures.iter().map(figure)),
    ];
    paragraphs.extend(view.problems.iter().map(problem));
    if !view.warnings.is_empty() {
        paragraphs.push(list(WARNINGS_HEADING, view.warnings.iter().map(warning)));
    }
    if !view.next_steps.is_empty() {
        paragraphs.push(list("Next steps", view.next_steps.iter().map(next_step)));
    }
    paragraphs.push(view.price_scope.clone());
    paragraphs.push(links(report, around.execution));
    paragraphs.join("\n\n") + "\n"
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn list(heading: &str, entries: impl Iterator<Item = String>) -> String {
    format!(
        "{heading}:\n{}",
        lines(entries.map(|entry| format!("- {entry}")))
    )
}

fn opening(view: &ReportView, pair: Option<&Pair>) -> String {
    let mut text = view.headline.to_string();
    if let Some(pair) = pair {
        let _infallible = write!(
            text,
            "\ns3://{}/{} -> s3://{}/{}",
            pair.source.bucket,
            Printable(pair.source.prefix.as_str()),
            pair.target.bucket,
            Printable(pair.target.prefix.as_str())
        );
    }
    text
}

fn figure(figure: &Figure) -> String {
    let (label, value) = (figure.kind.label(), &figure.value);
    match &figure.detail {
        Some(detail) => format!("{label}: {value} ({detail})"),
        None => format!("{label}: {value}"),
    }
}

fn problem(problem: &ProblemEntry) -> String {
    let mut text = format!(
        "{}: {}\n{}",
        problem.kind.heading(),
        Printable(&problem.title),
        cut_in_json(&printable_lines(&problem.message), PROBLEM_BYTES_MAX)
    );
    if let Some(example) = &problem.example {
        let _infallible = write!(
            text,
            "\nFor example {}: {}",
            Printable(&cut(example.key.as_str(), KEY_CHARACTERS_MAX)),
            printable_lines(&cut(&example.detail, DETAIL_CHARACTERS_MAX))
        );
    }
    let _infallible = write!(text, "\nWhat to do: {}", problem.action);
    text
}

/// A text from outside that has lines of its own.
fn printable_lines(text: &str) -> String {
    lines(text.lines().map(|line| Printable(line).to_string()))
}

fn warning(warning: &Warning) -> String {
    warning.sentence(SHARDS_NAMED_MAX)
}

fn next_step(step: &NextStep) -> String {
    match step.input() {
        Some(input) => format!("{}\n  Input: {input}", step.sentence()),
        None => step.sentence(),
    }
}

/// As much of `text` as takes `bytes_max` bytes as a JSON string.
fn cut_in_json(text: &str, bytes_max: usize) -> String {
    let mut bytes = 0;
    let end = text.char_indices().find(|&(_, character)| {
        bytes += match character {
            '"' | '\\' | '\n' => 2,
            control if control < ' ' => 6,
            other => other.len_utf8(),
        };
        bytes > bytes_max
    });
    end.map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]))
}

fn links(report: &Report, execution: &ExecutionArn) -> String {
    format!(
        "Report: {}\nFailed objects: {}\nExecution: {}",
        report.report.document("report.html"),
        report.report.document("failures.csv"),
        execution.console_url(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failure::FailureCode,
        report::{
            FailedWork, ReportLocation, ReportedProblem, ShardSummary, emptiness::tests::empty,
            note_example,
        },
        value::{bucket::BucketName, id::RunId, key::ObjectKey, tally::Count},
    };

    fn report(run_id: &str) -> Report {
        Report {
            run_id: RunId::new(run_id).unwrap(),
            planned: Count {
                objects: 1_000,
                bytes: 1 << 30,
            },
            copied: Count {
                objects: 970,
                bytes: 1 << 29,
            },
            shards: ShardSummary {
                total: 1,
                done: 1,
                not_done: Vec::new(),
            },
            report: ReportLocation {
                bucket: BucketName::new("control").unwrap(),
                prefix: format!("runs/{run_id}/"),
            },
            ..crate::report::run_report::tests::report()
        }
    }

    fn execution() -> ExecutionArn {
        ExecutionArn::new("arn:aws:states:eu-west-1:111111111111:execution:m:run").unwrap()
    }

    fn notification(report: &Report, examples: &FailureExamples) -> Notification {
        let execution = execution();
        let around = Surroundings {
            execution: &execution,
            pair: None,
            examples,
        };
        Notification::of_report(report, around).unwrap()
    }

    #[test]
    fn the_subject_of_a_run_that_deleted_begins_with_that() {
        let mut emptied = empty(0);
        (emptied.deleted.planned, emptied.deleted.objects) = (3, 3);
        let subject = notification(&emptied, &FailureExamples::new()).subject;
        assert!(
            subject.starts_with("Shardlift COMPLETE: 3 objects deleted, the source is empty"),
            "{subject}"
        );
    }

    #[test]
    fn the_subject_is_at_most_100_ascii_characters_whatever_the_run_is_called() {
        let mut worst = report(&"r".repeat(80));
        worst.problem = Some(ReportedProblem {
            state: "PlanShards".into(),
            code: "Ärger\n".repeat(50),
            message: String::new(),
            action: String::new(),
        });
        let subject = notification(&worst, &FailureExamples::new()).subject;
        assert!(subject.len() <= SUBJECT_CHARACTERS_MAX, "{subject}");
        assert!(subject.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
        assert!(subject.starts_with("Shardlift INCOMPLETE"));
    }

    #[test]
    fn the_text_says_what_failed_on_which_object_and_what_to_do() {
        let mut denied = report("nightly");
        denied.failed.add_object(FailureCode::AccessDenied, 5);
        let mut examples = FailureExamples::new();
        for (key, detail) in [
            ("b", "second"),
            ("a", "role/T may not s3:GetObject on arn:x"),
        ] {
            note_example(
                &mut examples,
                FailedWork::Copy,
                &ObjectKey::new(key).unwrap(),
                &Failure::new(FailureCode::AccessDenied, detail),
            );
        }
        let text = notification(&denied, &examples).text;
        for part in [
            "1 of 1,000 objects failed",
            "AccessDenied: 1 object",
            "a: role/T may not s3:GetObject on arn:x",
            FailureCode::AccessDenied.action(),
            "Input: {\"rerun_of\":\"nightly\"}",
            "s3://control/runs/nightly/failures.csv",
            "list prices of us-east-1 for copies to STANDARD",
            "console.aws.amazon.com",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn the_largest_notification_fits_sns() {
        let mut worst = report(&"r".repeat(80));
        let mut examples = FailureExamples::new();
        for &code in FailureCode::ALL {
            worst.failed.add_object(code, 1);
            note_example(
                &mut examples,
                FailedWork::Copy,
                &ObjectKey::new("\u{1}".repeat(1_024)).unwrap(),
                &Failure::new(code, "\u{1F600}".repeat(10_000)),
            );
        }
        worst.shards.total = 1_000_000;
        worst.shards.not_done = vec![
            crate::value::id::ShardId::new("s".repeat(48)).unwrap();
            crate::report::NOT_DONE_SHOWN_MAX
        ];
        worst.problem = Some(ReportedProblem::of_failure(
            "ReportRun",
            &Failure::invariant("\u{1}".repeat(100_000)),
        ));
        let notification = notification(&worst, &examples);
        // SNS counts the message as JSON, with a text for each kind of subscription: three times the text, if need be
        // without the report.
        let message = 3 * serde_json::to_string(&notification.text).unwrap().len();
        assert!(message < 256 * 1024, "{message} bytes");
    }

    #[test]
    fn filter_policies_find_verdict_and_mode() {
        let attributes = notification(&report("r"), &FailureExamples::new()).attributes;
        assert_eq!(attributes["verdict"], "INCOMPLETE");
        assert_eq!(attributes["mode"], "sync");
    }
}
