//! `shardlift verify`: whether the target still is what a run proved.

use shardlift_aws::{AwsAccounts, SystemClock};
use shardlift_core::{
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::malformed_listing,
    report::{ProofMethod, Verdict},
    run::{option::Mode, pair::Side, record::BucketFacts},
    value::{
        figures::{bytes, counted, grouped},
        printable::{Printable, printable_json},
        set_sum::SetSum,
    },
};
use shardlift_proof::{Recheck, Rechecked, TargetState, csv_row::object_text};

use crate::{
    Ending, Screen,
    arguments::StackArguments,
    connection::Connection,
    deployment::Deployment,
    difference_list::{DIFFERENCES_SHOWN_MAX, DifferenceList},
    error::CommandError,
    listing_progress::ListingProgress,
    proven_run::ProvenRun,
    run_arguments::VerifyArguments,
    screen::Tone,
};

/// Lists the target of a run, and says whether it still is what the run proved.
pub(crate) async fn verify(
    connection: &Connection,
    stack: &StackArguments,
    arguments: &VerifyArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let run = &arguments.run;
    let Some(report) = connection.report(run).await? else {
        return Err(connection.no_report(run).await);
    };
    let proven = ProvenRun::of(&report)?;
    let side = &proven.pair.target;
    let profile = arguments.target_profile.as_deref();
    let accounts = AwsAccounts::new(&Deployment::target_sdk(stack, profile).await?, None);
    let facts = BucketFacts {
        region: side.region.clone(),
        owner: side.owner.clone(),
    };
    let target = accounts.listed_bucket(&side.bucket, facts)?;
    let mut list = DifferenceList::open(arguments.csv.as_deref())?;
    let prefix = Printable(side.prefix.as_str());
    screen.note(&format!("listing s3://{}/{prefix} ...", side.bucket))?;
    let target = ListingProgress::over(target, proven.expected_objects(), screen);
    let recheck = Recheck {
        control: &connection.control,
        run,
        proof: proven.proof,
        pair: proven.pair,
        // A copy of everything does not list the target, and of a run from a list a mirror alone.
        knows_beside: proven.mode == Mode::Mirror
            || (proven.mode != Mode::Copy && proven.report.list.is_none()),
        target: &target,
        clock: &SystemClock,
        failure_of: page_failure,
    };
    let rechecked = recheck.run(&mut list).await;
    target.clear();
    let rechecked = match rechecked {
        Ok(rechecked) => rechecked,
        Err(failure) => {
            list.abandon();
            return Err(failure.into());
        }
    };
    list.finish()?;
    if arguments.json || screen.is_json() {
        write_json(&proven, &rechecked, &list, screen)?;
    } else {
        write_text(&proven, &rechecked, &list, screen)?;
    }
    Ok(match rechecked.state {
        TargetState::AsProven | TargetState::BesideChanged => Ending::Good,
        TargetState::Differs => Ending::Incomplete,
    })
}

/// What a refused listing means to a person, whose own credentials were refused.
fn page_failure(fault: CallFault) -> Failure {
    if let Some(malformed) = malformed_listing(Side::Target, &fault) {
        return malformed;
    }
    let is_refused = fault.kind == FaultKind::AccessDenied;
    let mut failure = Failure::from(fault);
    if is_refused && failure.code == FailureCode::AccessDenied {
        failure.detail.push_str(
            "; these credentials need s3:ListBucket on the target bucket: name a profile of the target account with \
             --target-profile",
        );
    }
    failure
}

/// `3 objects, 5 bytes, digest …`.
fn sum_text(sum: &SetSum) -> String {
    format!(
        "{}, {}, digest {}",
        counted(sum.objects, "object"),
        bytes(sum.bytes),
        sum.digest
    )
}

/// The sentence.
fn summary(proven: &ProvenRun<'_>, rechecked: &Rechecked) -> String {
    let side = &proven.pair.target;
    let place = format!("s3://{}/{}", side.bucket, Printable(side.prefix.as_str()));
    let (proof, seen) = (proven.proof, &rechecked.seen);
    let beside = proof.beside.unwrap_or_default();
    let vouched = sum_text(&proof.vouched);
    let proved = match proof.method {
        ProofMethod::None => "the run vouches for, though it did not prove it",
        ProofMethod::Listing | ProofMethod::Plan => "the run proved",
    };
    let text = match rechecked.state {
        TargetState::AsProven if beside.is_empty() => {
            format!("{place} is what {proved}: {vouched}.")
        }
        TargetState::AsProven => format!(
            "{place} is what {proved}: {vouched}. It also still holds {}.",
            sum_text(&beside)
        ),
        TargetState::BesideChanged if proof.beside.is_none() => format!(
            "{place} holds every object that {proved}: {vouched}. There are now {} in all; of the others the run knows \
             nothing.",
            counted(seen.objects, "object"),
        ),
        TargetState::BesideChanged => format!(
            "{place} holds every object that {proved}: {vouched}. The other objects there have changed: there are now {} in \
             all, and there were {} then.",
            counted(seen.objects, "object"),
            counted(proof.vouched.objects + beside.objects, "object"),
        ),
        TargetState::Differs => {
            let found = &rechecked.found;
            format!(
                "{place} is not what {proved} ({vouched}): {} missing, {} different, {} unknown to the run. Now it holds {}.",
                grouped(found.missing),
                grouped(found.different),
                grouped(found.foreign),
                sum_text(seen),
            )
        }
    };
    match proven.report.verdict {
        Verdict::Incomplete => format!(
            "{text} The run was INCOMPLETE: what it left undone is not part of this (shardlift report {}).",
            proven.report.run_id
        ),
        Verdict::Complete | Verdict::Planned => text,
    }
}

fn write_text(
    proven: &ProvenRun<'_>,
    rechecked: &Rechecked,
    list: &DifferenceList,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let (tone, verdict) = match rechecked.state {
        TargetState::AsProven => (Tone::Good, "AS PROVEN"),
        TargetState::BesideChanged => (Tone::Good, "HOLDS ALL"),
        TargetState::Differs => (Tone::Bad, "DIFFERS"),
    };
    let verdict = screen.toned(tone, verdict);
    let run = screen.toned(Tone::Strong, proven.report.run_id.as_str());
    writeln!(
        screen.out(),
        "{verdict}  {run}  {}",
        summary(proven, rechecked)
    )?;
    if rechecked.state != TargetState::Differs {
        return Ok(());
    }
    let heading = format!("{:<9} {}", "how", "key: expected -> found");
    let heading = screen.toned(Tone::Strong, &heading);
    let out = screen.out();
    writeln!(out, "\n  {heading}")?;
    for difference in list.first() {
        let side = |object| match object_text(object) {
            text if text.is_empty() => "nothing".to_owned(),
            text => Printable(&text).to_string(),
        };
        writeln!(
            out,
            "  {:<9} {}: {} -> {}",
            difference.kind.name(),
            Printable(difference.key.as_str()),
            side(difference.expected.as_ref()),
            side(difference.found.as_ref()),
        )?;
    }
    let rest = rechecked.found.differences() - list.first().len() as u64;
    if rest > 0 {
        let all = match list.path() {
            Some(path) => format!("all are in {}", path.display()),
            None => "--csv FILE writes all".to_owned(),
        };
        writeln!(out, "  and {} more; {all}", grouped(rest))?;
    }
    Ok(())
}

fn write_json(
    proven: &ProvenRun<'_>,
    rechecked: &Rechecked,
    list: &DifferenceList,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let found = &rechecked.found;
    let differences: Vec<_> = list
        .first()
        .iter()
        .map(|difference| {
            serde_json::json!({
                "key": difference.key, "difference": difference.kind.name(),
                "expected": difference.expected, "found": difference.found,
            })
        })
        .collect();
    let answer = serde_json::json!({
        "run_id": proven.report.run_id,
        "state": match rechecked.state {
            TargetState::AsProven => "as_proven",
            TargetState::BesideChanged => "beside_changed",
            TargetState::Differs => "differs",
        },
        "target": {"bucket": proven.pair.target.bucket, "prefix": proven.pair.target.prefix},
        "proof": proven.proof,
        "seen": rechecked.seen,
        "missing": found.missing, "different": found.different, "foreign": found.foreign,
        "differences": differences,
        "differences_shown_max": DIFFERENCES_SHOWN_MAX,
    });
    if screen.is_json() {
        return screen.json(answer);
    }
    writeln!(screen.out(), "{}", printable_json(&answer.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shardlift_core::{
        report::{Report, Verification},
        run::option::Verify,
        value::{key::RelativeKey, object::ETag},
        verify::{Difference, DifferenceKind, DifferingObject},
    };
    use shardlift_proof::DifferenceSink as _;

    use super::*;
    use crate::screen::paper::Paper;

    fn report(proof: &serde_json::Value) -> Report {
        let side = |bucket: &str, owner: &str| json!({"bucket": bucket, "prefix": "data/", "region": "eu-west-1", "owner": owner});
        let report = json!({
            "schema_version": 1, "run_id": "nightly-1", "verdict": "COMPLETE", "mode": "sync",
            "pair": {"source": side("source", "111111111111"), "target": side("target", "222222222222")},
            "planned": {"objects": 0, "bytes": 0}, "copied": {"objects": 0, "bytes": 0},
            "skipped": {"objects": 0, "bytes": 0}, "deleted": {"objects": 0},
            "failed": {"objects": 0, "bytes": 0, "by_reason": {}},
            "shards": {"total": 0, "done": 0, "not_done": []}, "rounds": 0,
            "verified": {"method": "relist", "missing": 0, "different": 0}, "proof": proof,
            "cost_usd": {"estimated": 0.0, "counted": 0.0, "requests": {}},
            "started_at": "2026-11-22T01:00:00.000Z", "ended_at": "2026-11-22T01:00:12.500Z",
            "report": {"bucket": "control", "prefix": "runs/nightly-1/"},
        });
        serde_json::from_value(report).unwrap()
    }

    fn digest(digit: &str) -> String {
        digit.repeat(64)
    }

    fn rechecked(state: TargetState, found: Verification, seen: &serde_json::Value) -> Rechecked {
        let seen = serde_json::from_value(seen.clone()).unwrap();
        Rechecked { state, seen, found }
    }

    #[test]
    fn one_sentence_says_what_was_proven_and_that_it_still_stands() {
        let sum = json!({"objects": 3, "bytes": 2_048, "digest": digest("a")});
        let report = report(
            &json!({"method": "listing", "objects": 3, "bytes": 2_048, "digest": digest("a")}),
        );
        let proven = ProvenRun::of(&report).unwrap();
        let clean = Verification::clean(Verify::Relist);
        let rechecked = rechecked(TargetState::AsProven, clean, &sum);
        let (mut screen, paper) = Paper::in_a_screen();
        let list = DifferenceList::open(None).unwrap();
        write_text(&proven, &rechecked, &list, &mut screen).unwrap();
        let sentence = format!(
            "AS PROVEN  nightly-1  s3://target/data/ is what the run proved: 3 objects, 2.0 KiB, digest {}.\n",
            digest("a")
        );
        assert_eq!(paper.text(), sentence);
    }

    /// As after a run from a list, which does not list the target.
    #[test]
    fn what_the_run_did_not_know_is_not_said_to_have_changed() {
        let sum = |objects: u64| json!({"objects": objects, "bytes": 9, "digest": digest("a")});
        for (beside, told) in [
            (json!(null), "of the others the run knows nothing."),
            (
                sum(2),
                "there are now 9 objects in all, and there were 5 objects then.",
            ),
        ] {
            let mut proof = sum(3);
            proof["method"] = json!("none");
            proof["beside"] = beside;
            let (report, clean) = (report(&proof), Verification::clean(Verify::Relist));
            let rechecked = rechecked(TargetState::BesideChanged, clean, &sum(9));
            let text = summary(&ProvenRun::of(&report).unwrap(), &rechecked);
            assert!(text.ends_with(told), "{text}");
        }
    }

    #[tokio::test]
    async fn each_key_that_differs_is_a_line_that_does_nothing_to_a_terminal() {
        let sum = json!({"objects": 4, "bytes": 9, "digest": digest("b")});
        let report =
            report(&json!({"method": "none", "objects": 3, "bytes": 9, "digest": digest("a")}));
        let proven = ProvenRun::of(&report).unwrap();
        let mut list = DifferenceList::open(None).unwrap();
        let mut found = Verification::clean(Verify::Relist);
        for (key, kind) in [
            ("a\n\u{1b}[2J", DifferenceKind::Missing),
            ("b", DifferenceKind::Foreign),
        ] {
            let object = || {
                Some(DifferingObject {
                    etag: ETag::new("e-2").unwrap(),
                    size: 5,
                })
            };
            let is_missing = kind == DifferenceKind::Missing;
            found.add(kind);
            let difference = Difference {
                key: RelativeKey::new(key).unwrap(),
                kind,
                expected: object().filter(|_| is_missing),
                found: object().filter(|_| !is_missing),
            };
            list.add(&difference).await.unwrap();
        }
        // One more was found than is kept to be shown.
        found.add(DifferenceKind::Content);
        let rechecked = rechecked(TargetState::Differs, found, &sum);
        let (mut screen, paper) = Paper::in_a_screen();
        write_text(&proven, &rechecked, &list, &mut screen).unwrap();
        let text = paper.text();
        for expected in [
            "DIFFERS  nightly-1  s3://target/data/ is not what the run vouches for, though it did not prove it (3 objects",
            "1 missing, 1 different, 1 unknown to the run. Now it holds 4 objects",
            "missing   a\\n\\u{1b}[2J: e-2 (5 bytes) -> nothing\n",
            "foreign   b: nothing -> e-2 (5 bytes)\n",
            "and 1 more; --csv FILE writes all",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let (mut screen, paper) = Paper::in_a_screen();
        write_json(&proven, &rechecked, &list, &mut screen).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&paper.text()).unwrap();
        assert_eq!(
            (&answer["state"], &answer["missing"]),
            (&json!("differs"), &json!(1))
        );
        assert_eq!(answer["differences"][0]["key"], "a\n\u{1b}[2J");
        assert_eq!(answer["seen"]["digest"], digest("b"));
    }

    #[test]
    fn a_report_that_vouches_for_nothing_cannot_be_compared() {
        let mut report = report(&json!(null));
        assert!(ProvenRun::of(&report).is_err());
        report.proof = None;
        report.pair = None;
        assert!(ProvenRun::of(&report).is_err());
    }
}
