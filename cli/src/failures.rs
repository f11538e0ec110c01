//! `shardlift failures`: what failed in a run and why, by reason, with what to do about it.

use std::collections::BTreeMap;

use serde_json::json;
use shardlift_core::{
    failure::FailureCode,
    report::{
        FailureExamples, Report,
        view::{NextStep, ProblemEntry, ReportView},
    },
    value::{
        figures::{bytes, grouped},
        id::RunId,
        printable::Printable,
    },
};

use crate::{
    Ending, Screen,
    connection::Connection,
    error::CommandError,
    failure_table::{self, FailedLine},
    json_output::JsonList,
    next_step_text::write_next_steps,
    problem_text::{write_problem_action, write_problem_message},
    report_text,
    run_arguments::FailuresArguments,
    run_end::steps_json,
    screen::Tone,
};

/// How many runs are looked through for one that has ended.
const RUNS_LOOKED_THROUGH: u16 = 20;

/// Shows what failed.
pub(crate) async fn show(
    connection: &Connection,
    arguments: &FailuresArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let run = match &arguments.run {
        Some(run) => run.clone(),
        None => latest_ended(connection).await?,
    };
    let Some(report) = connection.report(&run).await? else {
        return Err(connection.no_report(&run).await);
    };
    let body = failure_table::body(connection, &run).await?;
    let body = body.unwrap_or_default();
    if screen.is_csv() {
        screen.out().write_all(&body)?;
        return Ok(report_text::ending(&report));
    }
    let typed = report_text::typed_input(connection, &report).await;
    let after = After {
        report: &report,
        typed: typed.as_deref(),
        flags: &connection.flags,
    };
    if screen.is_json() {
        write_json(&after, &body, screen)?;
    } else {
        let shown_max = match arguments.all {
            true => usize::MAX,
            false => usize::from(arguments.count),
        };
        write_text(&after, &body, shown_max, screen)?;
    }
    Ok(report_text::ending(&report))
}

/// The latest run that has ended.
async fn latest_ended(connection: &Connection) -> Result<RunId, CommandError> {
    let latest = connection.machine.latest(RUNS_LOOKED_THROUGH).await?;
    let ended = latest.iter().find(|execution| !execution.is_running());
    match ended.map(|execution| RunId::new(execution.name.as_str())) {
        Some(Ok(run)) => Ok(run),
        _ => Err(CommandError::usage(format!(
            "no run has ended yet; the latest ones: shardlift {}status",
            connection.flags
        ))),
    }
}

/// A report, and what is needed to name the commands after it.
struct After<'a> {
    report: &'a Report,
    /// The input of the run, where it is to be corrected.
    typed: Option<&'a str>,
    flags: &'a str,
}

/// The failed objects of a reason: how many, and the first of them.
#[derive(Default)]
struct ReasonGroup {
    objects: u64,
    first: Vec<FailedLine>,
}

fn by_reason(body: &[u8], shown_max: usize) -> Result<BTreeMap<String, ReasonGroup>, CommandError> {
    let mut groups = BTreeMap::<String, ReasonGroup>::new();
    for line in failure_table::lines(body) {
        let line = line?;
        let group = groups.entry(line.reason.clone()).or_default();
        group.objects += 1;
        if group.first.len() < shown_max {
            group.first.push(line);
        }
    }
    Ok(groups)
}

fn write_text(
    after: &After<'_>,
    body: &[u8],
    shown_max: usize,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let report = after.report;
    let view = ReportView::new(report, &FailureExamples::new());
    let mut groups = by_reason(body, shown_max)?;
    report_text::write_headline(&view, report, None, screen)?;
    if view.problems.is_empty() {
        writeln!(screen.out(), "  Nothing failed.")?;
    }
    for problem in &view.problems {
        write_problem_message(problem, after.flags, screen)?;
        // Copies and deletions that failed for one reason stand together in the list.
        if let Some(group) = groups.remove(code_of(problem)) {
            write_group(&group, screen)?;
        }
        write_problem_action(problem, screen)?;
    }
    let (run, flags) = (&report.run_id, after.flags);
    // Their list is what stands above.
    let steps = view.next_steps.into_iter();
    let steps: Vec<_> = steps
        .filter(|step| *step != NextStep::ListFailures)
        .collect();
    write_next_steps(&steps, run, flags, after.typed, screen)?;
    Ok(())
}

/// The failure code in the title of a problem: `AccessDenied: 2 objects`.
fn code_of(problem: &ProblemEntry) -> &str {
    problem.title.split([':', ' ']).next().unwrap_or_default()
}

/// The first objects of a reason. A detail that is the same for many is written once.
fn write_group(group: &ReasonGroup, screen: &mut Screen) -> std::io::Result<()> {
    let mut last_detail = None;
    writeln!(screen.out())?;
    for line in &group.first {
        let key = Printable(&line.key).to_string();
        let rest = format!("({}, shard {})", bytes(line.size), Printable(&line.shard));
        writeln!(screen.out(), "    {key}  {rest}")?;
        if last_detail != Some(&line.detail) {
            write_detail(&line.detail, screen)?;
        }
        last_detail = Some(&line.detail);
    }
    let more = group.objects - group.first.len() as u64;
    if more > 0 {
        let more = format!("and {} more (--all, or --output csv)", grouped(more));
        screen.paragraph(Tone::Faint, 4, &more)?;
    }
    Ok(())
}

/// A statement in a detail is indented and stays as it is, to be pasted.
fn write_detail(detail: &str, screen: &mut Screen) -> std::io::Result<()> {
    for line in detail.lines() {
        let shown = Printable(line).to_string();
        if shown.starts_with(' ') {
            writeln!(screen.out(), "      {shown}")?;
        } else {
            screen.paragraph(Tone::Plain, 6, &shown)?;
        }
    }
    Ok(())
}

fn write_json(after: &After<'_>, body: &[u8], screen: &mut Screen) -> Result<(), CommandError> {
    let report = after.report;
    let view = ReportView::new(report, &FailureExamples::new());
    let mut list = JsonList::begin(screen, "failures")?;
    for line in failure_table::lines(body) {
        list.add(&line?.json(), screen)?;
    }
    let reasons: Vec<_> = report
        .failed
        .most_frequent_first()
        .into_iter()
        .map(|(code, objects)| reason(code, objects, "copy"))
        .chain(
            report
                .deleted
                .failures_first()
                .into_iter()
                .map(|(code, objects)| reason(code, objects, "delete")),
        )
        .collect();
    let (run, flags) = (&report.run_id, after.flags);
    let rest = json!({
        "run_id": run, "verdict": report.verdict, "reasons": reasons, "problem": report.problem,
        "next_steps": steps_json(&view.next_steps, run, flags, after.typed),
    });
    list.end(&rest, screen)
}

fn reason(code: FailureCode, objects: u64, work: &str) -> serde_json::Value {
    json!({
        "code": code.name(), "work": work, "objects": objects,
        "meaning": code.meaning(), "action": code.action(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{output_format::OutputFormat, report_text::tests::report, screen::paper::Paper};

    const CSV: &str = "key,size,reason,detail,shard,version_id\n\
        a,1,AccessDenied,\"refused\n  {}\",1-1,\nb,2,AccessDenied,\"refused\n  {}\",1-1,\n\
        \"c\u{1b}[2J\",3,ObjectArchived,in GLACIER,1-2,v7\nd,4,AccessDenied,other,1-2,\n";

    fn incomplete() -> Report {
        let mut report = report("INCOMPLETE");
        report["failed"] = json!({"objects": 4, "bytes": 10,
            "by_reason": {"AccessDenied": 3, "ObjectArchived": 1}});
        serde_json::from_value(report).unwrap()
    }

    fn after(report: &Report) -> After<'_> {
        After {
            report,
            typed: None,
            flags: "--local ",
        }
    }

    #[test]
    fn what_failed_stands_under_its_reason_with_the_fix_and_what_to_start() {
        for columns in [60, 80] {
            let (screen, paper) = Paper::in_a_screen();
            let mut screen = screen.with_columns(columns);
            let report = incomplete();
            write_text(&after(&report), CSV.as_bytes(), 2, &mut screen).unwrap();
            let text = paper.text();
            let denied = text.find("AccessDenied: 3 objects").unwrap();
            let archived = text.find("ObjectArchived: 1 object").unwrap();
            assert!(denied < archived, "{text}");
            assert_eq!(text.matches("refused").count(), 1, "{text}");
            assert!(text.contains("    and 1 more (--all"), "{text}");
            assert!(text.contains("    c\\u{1b}[2J  (3 bytes, shard 1-2)"));
            assert!(text.contains("Restore it in the source bucket"), "{text}");
            assert!(text.contains("shardlift --local start --rerun-of nightly-1 --watch"));
            let widest = text
                .lines()
                .filter(|line| !line.contains("shardlift --local"))
                .map(|line| line.chars().count())
                .max();
            assert!(widest <= Some(columns), "{columns}: {text}");
        }
    }

    #[test]
    fn programs_get_every_failed_object_as_it_is() {
        let (mut screen, paper) = Paper::in_a_screen();
        screen.format = OutputFormat::Json;
        let report = incomplete();
        write_json(&after(&report), CSV.as_bytes(), &mut screen).unwrap();
        let document: Value = serde_json::from_str(&paper.text()).unwrap();
        assert_eq!(document["failures"].as_array().unwrap().len(), 4);
        assert_eq!(document["failures"][2]["key"], "c\u{1b}[2J");
        assert_eq!(document["failures"][2]["version_id"], "v7");
        assert_eq!(document["failures"][0]["version_id"], json!(null));
        assert_eq!(document["reasons"][0]["code"], "AccessDenied");
        assert_eq!(
            document["next_steps"][1]["input"],
            json!({"rerun_of": "nightly-1"})
        );
    }

    #[test]
    fn a_complete_run_has_no_failures() {
        let report = serde_json::from_value(report("COMPLETE")).unwrap();
        let (mut screen, paper) = Paper::in_a_screen();
        write_text(&after(&report), b"", 10, &mut screen).unwrap();
        assert!(paper.text().contains("Nothing failed."), "{}", paper.text());
    }
}
