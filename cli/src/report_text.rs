//! `shardlift report`: the account of a run, for a person at a terminal.

use std::path::Path;

use shardlift_core::{
    documents::RunDocument,
    failure::FailureCode,
    report::{Remedy, Report, Verdict},
    run::record::RunRecord,
    value::{
        figures::{bytes, counted, duration, grouped},
        printable::Printable,
        tally::Count,
    },
};

use crate::{
    Ending, Screen, arguments::ReportArguments, connection::Connection, error::CommandError,
    failure_table, screen::Tone,
};

/// The documents that `--save` fetches.
const DOCUMENTS: [RunDocument; 5] = [
    RunDocument::ReportPage,
    RunDocument::Report,
    RunDocument::FailuresCsv,
    RunDocument::ShardsJson,
    RunDocument::Preflight,
];

/// How many undone shards are named.
const SHARDS_SHOWN_MAX: usize = 5;

/// Shows the report of a run.
pub(crate) async fn show(
    connection: &Connection,
    arguments: &ReportArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let run = &arguments.run;
    if arguments.json {
        let Some(body) = connection.documents(run).bytes(RunDocument::Report).await? else {
            return Err(no_report(connection, arguments));
        };
        screen.out().write_all(&body)?;
        writeln!(screen.out())?;
        return Ok(Ending::Good);
    }
    let Some(report) = connection.report(run).await? else {
        return Err(no_report(connection, arguments));
    };
    if let Some(folder) = &arguments.save {
        save(connection, &report, folder, screen).await?;
    }
    let ending = print(connection, &report, screen).await?;
    if arguments.failures {
        failure_table::print(connection, run, screen).await?;
    }
    Ok(ending)
}

fn no_report(connection: &Connection, arguments: &ReportArguments) -> CommandError {
    CommandError::usage(format!(
        "run {run} has no report (yet); look at it: shardlift {flags}watch {run}",
        run = arguments.run,
        flags = connection.flags,
    ))
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
            std::fs::write(&path, body)?;
            screen.note(&format!("saved {}", path.display()))?;
        }
    }
    Ok(())
}

/// Prints a report, and tells how the command ends on it.
pub(crate) async fn print(
    connection: &Connection,
    report: &Report,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let record = connection.run_record(&report.run_id).await?;
    write_report(report, record.as_ref(), &connection.flags, screen)?;
    Ok(ending(report))
}

fn ending(report: &Report) -> Ending {
    match report.verdict {
        Verdict::Complete | Verdict::Planned => Ending::Good,
        Verdict::Incomplete if report.problem.is_some() => Ending::Broken,
        Verdict::Incomplete => Ending::Incomplete,
    }
}

fn write_report(
    report: &Report,
    record: Option<&RunRecord>,
    flags: &str,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    write_heading(report, record, screen)?;
    write_problem(report, screen)?;
    write_counts(report, screen)?;
    write_failures(report, screen)?;
    write_undone(report, screen)?;
    write_remedy(report, flags, screen)?;
    let location = format!(
        "s3://{}/{}report.html",
        report.report.bucket, report.report.prefix
    );
    let next = next_step(report);
    let out = screen.out();
    writeln!(out)?;
    writeln!(out, "  report    {location}")?;
    writeln!(out, "  next      shardlift {flags}{next}")?;
    Ok(())
}

fn write_heading(
    report: &Report,
    record: Option<&RunRecord>,
    screen: &mut Screen,
) -> std::io::Result<()> {
    let tone = match report.verdict {
        Verdict::Complete | Verdict::Planned => Tone::Good,
        Verdict::Incomplete => Tone::Bad,
    };
    let verdict = screen.toned(tone, &report.verdict.to_string());
    let sentence = match report.verdict {
        Verdict::Complete => "every planned object arrived",
        Verdict::Planned => "a dry run: nothing was copied",
        Verdict::Incomplete if report.problem.is_some() => "the run broke",
        Verdict::Incomplete => "something is missing, different or unproven",
    };
    let run = screen.toned(Tone::Strong, report.run_id.as_str());
    let out = screen.out();
    writeln!(out)?;
    writeln!(out, "{verdict}  {run}  {sentence}")?;
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
    if let Some(rerun) = report.rerun_sentences() {
        writeln!(out, "  {rerun}")?;
    }
    writeln!(out)
}

fn write_problem(report: &Report, screen: &mut Screen) -> std::io::Result<()> {
    let Some(problem) = &report.problem else {
        return Ok(());
    };
    let code = screen.toned(Tone::Bad, &Printable(&problem.code).to_string());
    let out = screen.out();
    writeln!(out, "  {code} in {}", Printable(&problem.state))?;
    for line in problem.message.lines() {
        writeln!(out, "    {}", Printable(line))?;
    }
    writeln!(out, "  What to do: {}", Printable(&problem.action))?;
    writeln!(out)
}

fn write_counts(report: &Report, screen: &mut Screen) -> std::io::Result<()> {
    let Report {
        planned,
        copied,
        skipped,
        ..
    } = *report;
    let failed = Count {
        objects: report.failed.objects,
        bytes: report.failed.bytes,
    };
    let out = screen.out();
    for (name, count) in [
        ("planned", planned),
        ("copied", copied),
        ("skipped", skipped),
        ("failed", failed),
    ] {
        writeln!(
            out,
            "  {name:<9} {:>13}  {:>11}",
            grouped(count.objects),
            bytes(count.bytes)
        )?;
    }
    if report.deleted.objects > 0 {
        writeln!(out, "  deleted   {:>13}", grouped(report.deleted.objects))?;
    }
    let took = report.ended_at.since(report.started_at);
    writeln!(
        out,
        "  verified  by {}: {} missing, {} different",
        serde_word(&report.verified.method),
        grouped(report.verified.missing),
        grouped(report.verified.different),
    )?;
    writeln!(
        out,
        "  took      {} in {}, {} of {} done",
        duration(took),
        counted(u64::from(report.rounds), "round"),
        grouped(report.shards.done),
        counted(report.shards.total, "shard"),
    )?;
    writeln!(
        out,
        "  cost      {}; compute time and transfer between Regions are not in it",
        report.cost_line()
    )
}

fn write_failures(report: &Report, screen: &mut Screen) -> std::io::Result<()> {
    if report.failed.by_reason.is_empty() {
        return Ok(());
    }
    let heading = screen.toned(Tone::Strong, "Failed, by reason");
    writeln!(screen.out(), "\n  {heading}")?;
    for (code, &objects) in &report.failed.by_reason {
        let name = screen.toned(Tone::Bad, code.name());
        let out = screen.out();
        writeln!(
            out,
            "    {:>9}  {name}: {}",
            grouped(objects),
            code.meaning()
        )?;
        writeln!(out, "               {}", code.action())?;
    }
    Ok(())
}

fn write_undone(report: &Report, screen: &mut Screen) -> std::io::Result<()> {
    let undone = report.shards.total - report.shards.done.min(report.shards.total);
    if undone == 0 || report.verdict == Verdict::Planned {
        return Ok(());
    }
    let shown: Vec<&str> = report
        .shards
        .not_done
        .iter()
        .take(SHARDS_SHOWN_MAX)
        .map(shardlift_core::value::id::ShardId::as_str)
        .collect();
    writeln!(
        screen.out(),
        "\n  {} not done: {}{}",
        counted(undone, "shard"),
        shown.join(", "),
        if undone > shown.len() as u64 {
            ", …"
        } else {
            ""
        },
    )
}

fn write_remedy(report: &Report, flags: &str, screen: &mut Screen) -> std::io::Result<()> {
    let start = match report.remedy() {
        None => return Ok(()),
        Some(Remedy::Rerun { of }) => format!("--rerun-of {of}"),
        Some(remedy @ Remedy::Ordinary { .. }) => format!("--input '{}'", remedy.input()),
    };
    let out = screen.out();
    writeln!(out, "\n  To do what is undone, once mended:")?;
    writeln!(out, "    shardlift {flags}start {start} --watch")
}

/// The command that most people want after such an end.
fn next_step(report: &Report) -> String {
    let run = &report.run_id;
    match report.verdict {
        Verdict::Complete => "status".to_owned(),
        Verdict::Planned => "start --watch".to_owned(),
        Verdict::Incomplete
            if report
                .failed
                .by_reason
                .contains_key(&FailureCode::InvariantViolated) =>
        {
            format!("report {run} --save {run}")
        }
        Verdict::Incomplete if report.failed.objects > 0 => format!("report {run} --failures"),
        Verdict::Incomplete if report.problem.is_some() => "start --watch".to_owned(),
        Verdict::Incomplete => format!("shards {run} --not-done"),
    }
}

/// An enum as it is written in the input and the report.
fn serde_word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::screen::paper::Paper;

    fn report(verdict: &str) -> serde_json::Value {
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
        write_report(&report, None, "--local ", &mut screen).unwrap();
        (paper.text(), ending(&report))
    }

    #[test]
    fn a_complete_run_says_so_first_and_ends_well() {
        let (text, ending) = printed(&report("COMPLETE"));
        assert!(
            text.trim_start().starts_with("COMPLETE  nightly-1"),
            "{text}"
        );
        assert!(text.contains("copied            2,999"), "{text}");
        assert!(text.contains("took      12 s in 1 round"), "{text}");
        let cost =
            "cost      $0.01 for requests (estimated $0.02), 11 s of copying (estimated 9.0 s)";
        assert!(text.contains(cost), "{text}");
        assert!(text.contains("s3://control/runs/nightly-1/report.html"));
        assert_eq!(ending, Ending::Good);
    }

    #[test]
    fn failures_are_told_by_reason_with_what_to_do() {
        let mut incomplete = report("INCOMPLETE");
        incomplete["failed"] =
            json!({"objects": 1, "bytes": 1, "by_reason": {"ObjectArchived": 1}});
        let (text, ending) = printed(&incomplete);
        assert!(
            text.contains("ObjectArchived: The object is archived"),
            "{text}"
        );
        assert!(text.contains("Restore it in the source bucket"), "{text}");
        assert!(text.contains("shardlift --local report nightly-1 --failures"));
        assert!(text.contains("shardlift --local start --rerun-of nightly-1 --watch"));
        assert_eq!(ending, Ending::Incomplete);
    }

    #[test]
    fn a_broken_run_tells_what_broke_and_nothing_in_it_acts_on_the_terminal() {
        let mut broken = report("INCOMPLETE");
        broken["problem"] = json!({"state": "PlanShards", "code": "AccessDenied",
            "message": "no\u{1b}[2J\nway", "action": "Grant it."});
        let (text, ending) = printed(&broken);
        assert!(text.contains("AccessDenied in PlanShards"), "{text}");
        assert!(text.contains("no\\u{1b}[2J"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(ending, Ending::Broken);
    }
}
