//! `shardlift report`: the report of a run, laid out for a terminal.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
};

use serde_json::json;
use shardlift_core::{
    documents::RunDocument,
    failure::FailureCode,
    report::{
        FailureExamples, Report, Verdict,
        view::{Headline, ReportView, WARNINGS_HEADING},
    },
    run::record::RunRecord,
    value::printable::{Printable, printable_json},
};

use crate::{
    Ending, Screen,
    connection::Connection,
    error::CommandError,
    failure_table,
    next_step_text::write_next_steps,
    problem_text::{write_problem_action, write_problem_message},
    run_arguments::ReportArguments,
    run_end::steps_json,
    screen::Tone,
};

/// The documents that `--save` fetches.
const DOCUMENTS: [RunDocument; 6] = [
    RunDocument::ReportPage,
    RunDocument::Report,
    RunDocument::FailuresCsv,
    RunDocument::DifferencesCsv,
    RunDocument::ShardsJson,
    RunDocument::Preflight,
];

/// How many unfinished shards are named.
const SHARDS_NAMED_MAX: usize = 5;

/// Shows the report of a run.
pub(crate) async fn show(
    connection: &Connection,
    arguments: &ReportArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let run = &arguments.run;
    if arguments.json && !screen.is_json() {
        let Some(body) = connection.documents(run).bytes(RunDocument::Report).await? else {
            return Err(connection.no_report(run).await);
        };
        let text = String::from_utf8_lossy(&body);
        writeln!(screen.out(), "{}", printable_json(&text))?;
        return Ok(Ending::Good);
    }
    let Some(report) = connection.report(run).await? else {
        return Err(connection.no_report(run).await);
    };
    if let Some(folder) = &arguments.save {
        save(connection, &report, folder, screen).await?;
    }
    let ending = print(connection, &report, screen).await?;
    // The reporter writes no empty list for a run of few events.
    if arguments.failures && report.is_news() && !screen.is_json() {
        failure_table::print(connection, run, screen).await?;
    }
    Ok(ending)
}

async fn save(
    connection: &Connection,
    report: &Report,
    folder: &Path,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    std::fs::create_dir_all(folder)?;
    let documents = connection.documents(&report.run_id);
    for document in DOCUMENTS {
        if let Some(body) = documents.bytes(document).await? {
            let path = folder.join(document.file_name());
            write_new(&path, &body)?;
            screen.note(&format!("saved {}", path.display()))?;
        }
    }
    Ok(())
}

/// Writes a file that was not there, or is there with the same bytes. What else is there stays, and no link is followed.
fn write_new(path: &Path, body: &[u8]) -> Result<(), CommandError> {
    match File::create_new(path) {
        Ok(mut file) => Ok(file.write_all(body)?),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_file = path.symlink_metadata()?.is_file();
            if is_file && std::fs::read(path)? == body {
                return Ok(());
            }
            Err(CommandError::usage(format!(
                "{} already exists and was not overwritten; choose another folder for --save",
                path.display()
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints a report, and returns how the command ends.
pub(crate) async fn print(
    connection: &Connection,
    report: &Report,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let typed = typed_input(connection, report).await;
    if screen.is_json() {
        write_json(report, typed.as_deref(), &connection.flags, screen)?;
        return Ok(ending(report));
    }
    let record = connection.run_record(&report.run_id).await?;
    write_report(
        report,
        record.as_ref(),
        typed.as_deref(),
        &connection.flags,
        screen,
    )?;
    Ok(ending(report))
}

/// What was typed, where it is to be corrected; the report does not have it.
pub(crate) async fn typed_input(connection: &Connection, report: &Report) -> Option<String> {
    if report.leading_code() != FailureCode::InvalidRun.name() {
        return None;
    }
    let execution = connection.machine.describe(&report.run_id).await.ok();
    execution.and_then(|execution| execution.input)
}

fn write_json(
    report: &Report,
    typed: Option<&str>,
    flags: &str,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let view = ReportView::new(report, &FailureExamples::new());
    let run = &report.run_id;
    screen.json(json!({
        "run_id": run, "status": "REPORTED", "verdict": report.verdict, "report": report,
        "page": report.address(),
        "next_steps": steps_json(&view.next_steps, run, flags, typed),
    }))
}

/// How the command ends after a report.
pub(crate) const fn ending(report: &Report) -> Ending {
    match report.verdict {
        Verdict::Complete | Verdict::Planned => Ending::Good,
        Verdict::Incomplete => Ending::Incomplete,
    }
}

fn write_report(
    report: &Report,
    record: Option<&RunRecord>,
    typed: Option<&str>,
    flags: &str,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    // Examples are in failures.csv, which `--failures` prints.
    let view = ReportView::new(report, &FailureExamples::new());
    write_headline(&view, report, record, screen)?;
    writeln!(screen.out())?;
    write_figures(&view, screen)?;
    write_problems(&view, flags, screen)?;
    write_warnings(&view, screen)?;
    write_next_steps(&view.next_steps, &report.run_id, flags, typed, screen)?;
    writeln!(screen.out())?;
    screen.paragraph(Tone::Faint, 2, &view.price_scope)?;
    let page = report.address();
    writeln!(screen.out(), "\n  Report: {page}")?;
    Ok(())
}

pub(crate) fn write_headline(
    view: &ReportView,
    report: &Report,
    record: Option<&RunRecord>,
    screen: &mut Screen,
) -> std::io::Result<()> {
    let Headline { verdict, summary } = &view.headline;
    let tone = match verdict {
        Verdict::Complete | Verdict::Planned => Tone::Good,
        Verdict::Incomplete => Tone::Bad,
    };
    let verdict = screen.toned(tone, &verdict.to_string());
    let run = screen.toned(Tone::Strong, report.run_id.as_str());
    let summary = Printable(summary).to_string();
    let length = headline_length(view, report) + summary.chars().count() + 2;
    writeln!(screen.out())?;
    if screen.fits(length) {
        writeln!(screen.out(), "{verdict}  {run}  {summary}")?;
    } else {
        writeln!(screen.out(), "{verdict}  {run}")?;
        screen.paragraph(Tone::Plain, 2, &summary)?;
    }
    let out = screen.out();
    if let Some(record) = record {
        let pair = &record.spec.pair;
        writeln!(
            out,
            "  s3://{}/{}  ->  s3://{}/{}",
            pair.source.bucket,
            Printable(pair.source.prefix.as_str()),
            pair.target.bucket,
            Printable(pair.target.prefix.as_str()),
        )?;
    }
    Ok(())
}

/// How long the verdict and the run are.
fn headline_length(view: &ReportView, report: &Report) -> usize {
    view.headline.verdict.to_string().len() + 2 + report.run_id.as_str().chars().count()
}

/// Two columns of numbers where objects are counted, else the value and its detail.
fn write_figures(view: &ReportView, screen: &mut Screen) -> std::io::Result<()> {
    for figure in &view.figures {
        let label = figure.kind.label();
        let detail = figure.detail.as_deref().unwrap_or_default();
        let line = if figure.kind.is_count() {
            format!("{label:<12} {:>13}  {detail:>11}", figure.value)
        } else if detail.is_empty() {
            format!("{label:<12} {}", figure.value)
        } else {
            format!("{label:<12} {} ({detail})", figure.value)
        };
        let tone = if figure.is_bad {
            Tone::Bad
        } else {
            Tone::Plain
        };
        screen.paragraph(tone, 2, line.trim_end())?;
    }
    Ok(())
}

fn write_problems(view: &ReportView, flags: &str, screen: &mut Screen) -> std::io::Result<()> {
    for problem in &view.problems {
        write_problem_message(problem, flags, screen)?;
        write_problem_action(problem, screen)?;
    }
    Ok(())
}

fn write_warnings(view: &ReportView, screen: &mut Screen) -> std::io::Result<()> {
    if view.warnings.is_empty() {
        return Ok(());
    }
    let heading = screen.toned(Tone::Strong, WARNINGS_HEADING);
    writeln!(screen.out(), "\n  {heading}")?;
    for warning in &view.warnings {
        screen.paragraph(Tone::Plain, 4, &warning.sentence(SHARDS_NAMED_MAX))?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::screen::paper::Paper;

    /// A report with this verdict.
    pub(crate) fn report(verdict: &str) -> serde_json::Value {
        json!({
            "schema_version": 1, "run_id": "nightly-1", "verdict": verdict, "mode": "sync",
            "planned": {"objects": 3_000, "bytes": 1_073_741_824_u64},
            "copied": {"objects": 2_999, "bytes": 1_073_741_823_u64},
            "skipped": {"objects": 12, "bytes": 5}, "deleted": {"objects": 0},
            "failed": {"objects": 0, "bytes": 0, "by_reason": {}},
            "shards": {"total": 4, "done": 4, "not_done": []}, "rounds": 1,
            "verified": {"method": "relist", "missing": 0, "different": 0},
            "cost_usd": {"estimated": 0.016, "counted": 0.015, "requests": {}},
            "copy_seconds": {"estimated": 9, "counted": 11},
            "started_at": "2026-11-22T01:00:00.000Z", "ended_at": "2026-11-22T01:00:12.500Z",
            "report": {"bucket": "control", "prefix": "runs/nightly-1/"},
        })
    }

    fn printed(report: &serde_json::Value) -> (String, Ending) {
        let report: Report = serde_json::from_value(report.clone()).unwrap();
        let (mut screen, paper) = Paper::in_a_screen();
        write_report(&report, None, None, "--local ", &mut screen).unwrap();
        (paper.text(), ending(&report))
    }

    #[test]
    fn saving_overwrites_nothing_and_follows_no_link() {
        let folder = std::env::temp_dir().join(format!("shardlift-save-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (file, link, theirs) = (
            folder.join("report.json"),
            folder.join("report.html"),
            folder.join("theirs"),
        );
        write_new(&file, b"{}").unwrap();
        write_new(&file, b"{}").unwrap();
        assert!(write_new(&file, b"[]").is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"{}");
        std::fs::write(&theirs, b"theirs").unwrap();
        for pointed_to in [theirs.as_path(), Path::new("no-such-file")] {
            std::os::unix::fs::symlink(pointed_to, &link).unwrap();
            assert!(write_new(&link, b"theirs").is_err());
            std::fs::remove_file(&link).unwrap();
        }
        assert!(!folder.join("no-such-file").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_complete_run_says_so_first_and_ends_well() {
        let (text, ending) = printed(&report("COMPLETE"));
        assert!(
            text.trim_start().starts_with("COMPLETE  nightly-1"),
            "{text}"
        );
        assert!(
            text.contains("Copied               2,999      1.0 GiB"),
            "{text}"
        );
        for figure in [
            "Shards       4 of 4 done (in 1 round)",
            "Duration     12 s (from 2026-11-22 01:00:00 UTC)",
            "Copy time    11 s (estimated 9.0 s)",
            "Request cost $0.01 (estimated $0.02)",
        ] {
            assert!(text.contains(figure), "{figure} in {text}");
        }
        assert!(text.contains("list prices of us-east-1 for copies to STANDARD"));
        assert!(text.contains("s3://control/runs/nightly-1/report.html"));
        assert_eq!(ending, Ending::Good);
    }

    #[test]
    fn failures_are_listed_by_reason_with_what_to_do() {
        let mut incomplete = report("INCOMPLETE");
        incomplete["failed"] =
            json!({"objects": 1, "bytes": 1, "by_reason": {"ObjectArchived": 1}});
        let (text, ending) = printed(&incomplete);
        assert!(text.contains("ObjectArchived: 1 object"), "{text}");
        assert!(text.contains("The object is archived"), "{text}");
        assert!(text.contains("Restore it in the source bucket"), "{text}");
        assert!(text.contains("shardlift --local failures nightly-1"));
        assert!(text.contains("shardlift --local start --rerun-of nightly-1 --watch"));
        assert_eq!(ending, Ending::Incomplete);
    }

    #[test]
    fn a_broken_run_shows_what_broke_and_nothing_in_it_acts_on_the_terminal() {
        let mut broken = report("INCOMPLETE");
        broken["shards"] = json!({"total": 0, "done": 0, "not_done": []});
        broken["copy_seconds"] = json!(null);
        broken["problem"] = json!({"state": "PlanShards", "code": "AccessDenied",
            "message": "no\u{1b}[2J\nway", "action": "Grant it."});
        let (text, ending) = printed(&broken);
        assert!(text.contains("AccessDenied in PlanShards"), "{text}");
        assert!(text.contains("no\\u{1b}[2J"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let again = "shardlift --local start --input-of nightly-1 --watch";
        assert!(text.contains(again), "{text}");
        assert_eq!(ending, Ending::Incomplete);
    }
}
