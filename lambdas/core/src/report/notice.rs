//! What a person reads on a phone when a run ended.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    failure::{Failure, FailureCode},
    port::Notification,
    report::{Report, Verdict, cut},
    run::{option::Verify, pair::Pair},
    value::{arn::ExecutionArn, figures, key::ObjectKey, printable::Printable},
};

/// The longest subject that SNS takes (docs.aws.amazon.com/sns/latest/api/API_Publish.html: at most 100 ASCII characters).
pub const SUBJECT_CHARACTERS_MAX: usize = 100;

/// How much of an example's detail and key the text carries.
const DETAIL_CHARACTERS_MAX: usize = 400;
const KEY_CHARACTERS_MAX: usize = 200;
/// How much of what broke the text carries, in bytes of JSON: with an example of every failure, three such texts still
/// fit a message of 256 KB.
const PROBLEM_BYTES_MAX: usize = 24 * 1024;
/// How many undone shards the text names.
const NOT_DONE_NAMED_MAX: usize = 5;

/// One failed object that stands for all of its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureExample {
    /// Its full source key.
    pub key: ObjectKey,
    /// What happened.
    pub detail: String,
}

/// An example for each reason: of all failed objects the one with the least key.
pub type FailureExamples = BTreeMap<FailureCode, FailureExample>;

/// Notes an object as the example of its reason, when it is the least so far.
pub fn note_example(examples: &mut FailureExamples, key: &ObjectKey, failure: &Failure) {
    let is_least = examples
        .get(&failure.code)
        .is_none_or(|example| *key < example.key);
    if is_least {
        let example = FailureExample {
            key: key.clone(),
            detail: failure.detail.clone(),
        };
        examples.insert(failure.code, example);
    }
}

/// What the notification tells beside the report itself.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The run's execution.
    pub execution: &'a ExecutionArn,
    /// The pair; absent when the run was refused before it was settled.
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
            .map_err(|error| Failure::invariant(format!("the report is no JSON: {error}")))?;
        let mut attributes = BTreeMap::from([("verdict".to_owned(), report.verdict.to_string())]);
        if let Some(mode) = report.mode {
            attributes.insert("mode".to_owned(), mode.name().to_owned());
        }
        Ok(Self {
            subject: subject(report),
            text: text(report, around),
            json,
            attributes,
        })
    }
}

/// The headline first: a phone shows some forty characters. A long run id loses its end.
fn subject(report: &Report) -> String {
    let headline: String = report
        .headline()
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .collect();
    let mut subject = format!("Shardlift {headline} ({})", report.run_id);
    if subject.len() > SUBJECT_CHARACTERS_MAX {
        subject.truncate(SUBJECT_CHARACTERS_MAX - 3);
        subject.push_str("...");
    }
    subject
}

fn text(report: &Report, around: Surroundings<'_>) -> String {
    let mut paragraphs = vec![opening(report, around.pair)];
    paragraphs.extend(report.problem.as_ref().map(|problem| {
        format!(
            "What broke: {} with {}\n{}\nDo: {}",
            problem.state,
            problem.code,
            cut_in_json(&Printable(&problem.message).to_string(), PROBLEM_BYTES_MAX),
            problem.action
        )
    }));
    paragraphs.extend(failures(report, around.examples));
    paragraphs.extend(not_done(report));
    paragraphs.extend(verification(report));
    paragraphs.extend(report.uploads_sentence());
    paragraphs.extend(report.remedy().map(|remedy| remedy.sentences()));
    paragraphs.push(whereabouts(report, around.execution));
    paragraphs.join("\n\n") + "\n"
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

fn opening(report: &Report, pair: Option<&Pair>) -> String {
    let mut text = report.headline();
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
    if let Some(rerun) = report.rerun_sentences() {
        let _infallible = write!(text, "\n{rerun}");
    }
    let _infallible = write!(
        text,
        "\nPlanned {}, copied {} ({}), skipped {}, deleted {}, failed {}.\nTook {}. Cost: {}.",
        figures::grouped(report.planned.objects),
        figures::grouped(report.copied.objects),
        figures::bytes(report.copied.bytes),
        figures::grouped(report.skipped.objects),
        figures::grouped(report.deleted.objects),
        figures::grouped(report.failed.objects),
        figures::duration(report.ended_at.since(report.started_at)),
        report.cost_line(),
    );
    text
}

fn failures(report: &Report, examples: &FailureExamples) -> Option<String> {
    if report.failed.by_reason.is_empty() {
        return None;
    }
    let mut by_count: Vec<_> = report.failed.by_reason.iter().collect();
    by_count.sort_by_key(|&(code, &objects)| (std::cmp::Reverse(objects), *code));
    let mut text = "What failed:".to_owned();
    for (code, &objects) in by_count {
        let _infallible = write!(
            text,
            "\n- {} x {code}. {}",
            figures::grouped(objects),
            code.meaning()
        );
        if let Some(example) = examples.get(code) {
            let _infallible = write!(
                text,
                "\n  For example {}: {}",
                Printable(&cut(example.key.as_str(), KEY_CHARACTERS_MAX)),
                Printable(&cut(&example.detail, DETAIL_CHARACTERS_MAX))
            );
        }
        let _infallible = write!(text, "\n  Do: {}", code.action());
    }
    Some(text)
}

fn not_done(report: &Report) -> Option<String> {
    let open = report.shards.total - report.shards.done;
    if open == 0 || report.shards.not_done.is_empty() {
        return None;
    }
    let named: Vec<_> = report
        .shards
        .not_done
        .iter()
        .take(NOT_DONE_NAMED_MAX)
        .map(ToString::to_string)
        .collect();
    let more = if open > NOT_DONE_NAMED_MAX as u64 {
        ", ..."
    } else {
        ""
    };
    Some(format!(
        "{} of {} not finished: {}{more}\nDo: open the Map Run of the execution; each failed child shows why.",
        figures::grouped(open),
        figures::counted(report.shards.total, "shard"),
        named.join(", "),
    ))
}

fn verification(report: &Report) -> Option<String> {
    let found = &report.verified;
    if report.verdict == Verdict::Planned || report.problem.is_some() {
        return None;
    }
    let mut text = match found.method {
        Verify::None => "Not verified: the run was started with verify = none.".to_owned(),
        Verify::Relist | Verify::Checksum if found.agrees() => {
            "Verified: both sides were listed again, nothing is missing or different.".to_owned()
        }
        Verify::Relist | Verify::Checksum => format!(
            "Verified: both sides were listed again, {} missing and {} different at the target.",
            figures::grouped(found.missing),
            figures::grouped(found.different)
        ),
    };
    if found.changed_since_start > 0 {
        let _infallible = write!(text, " {}", report.changed_sentence());
    }
    if !report.remarks.is_empty() {
        let _infallible = write!(text, "\nCopied objects: {}.", report.remarks_line());
    }
    Some(text)
}

fn whereabouts(report: &Report, execution: &ExecutionArn) -> String {
    format!(
        "Report: s3://{bucket}/{prefix}report.html\nFailed keys: s3://{bucket}/{prefix}failures.csv\nExecution: {}",
        execution.console_url(),
        bucket = report.report.bucket,
        prefix = report.report.prefix,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::{ReportLocation, ReportedProblem, ShardSummary},
        value::{bucket::BucketName, id::RunId, tally::Count},
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
                &ObjectKey::new(key).unwrap(),
                &Failure::new(FailureCode::AccessDenied, detail),
            );
        }
        let text = notification(&denied, &examples).text;
        for part in [
            "1 of 1,000 objects failed",
            "1 x AccessDenied",
            "a: role/T may not s3:GetObject on arn:x",
            FailureCode::AccessDenied.action(),
            "with the input {\"rerun_of\":\"nightly\"}",
            "s3://control/runs/nightly/failures.csv",
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
