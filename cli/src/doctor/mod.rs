//! `shardlift doctor`: what keeps runs from working, as far as a person's own credentials can see it. Nothing is changed.

mod documents;
mod events;
mod expected;
mod finding;
mod source_bucket;
mod stack;
mod target_bucket;
mod target_role;

use serde_json::{Value, json};

use self::{
    expected::Expected,
    finding::{DoctorFinding, Level},
};
use crate::{
    Ending, Screen,
    arguments::{DoctorArguments, StackArguments},
    deployment::Deployment,
    error::CommandError,
};

/// Checks a stack, its source bucket, and with credentials of the target account the role and the target bucket.
pub(crate) async fn check(
    stack: &StackArguments,
    arguments: &DoctorArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    if stack.local && arguments.target_profile.is_some() {
        return Err(CommandError::usage(
            "--target-profile is not for the local stack, which has credentials of both accounts: leave it out",
        ));
    }
    let deployment = Deployment::find(stack).await?;
    let expected = Expected::of(&deployment).await?;
    let mut findings = stack::check(&deployment, &expected).await;
    findings.extend(source_bucket::check(&deployment, &expected).await);
    findings.extend(events::check(&deployment, &expected).await);
    let sees_target = stack.local || arguments.target_profile.is_some();
    if sees_target {
        let profile = arguments.target_profile.as_deref();
        let sdk = Deployment::target_sdk(stack, profile).await?;
        findings.extend(target_role::check(&sdk, &expected).await);
        findings.extend(target_bucket::check(&sdk, &expected).await);
    } else {
        findings.push(DoctorFinding::new(
            Level::Unknown,
            "target account",
            "not checked",
            "With --target-profile, name a profile of the target account; or ask its owner to run this command.",
        ));
    }
    report(&expected, &findings, screen)
}

fn report(
    expected: &Expected,
    findings: &[DoctorFinding],
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let count = |level| findings.iter().filter(|one| one.level == level).count();
    let problems = count(Level::Problem);
    let plan = format!("shardlift {}plan", expected.flags);
    if screen.is_json() {
        let list: Vec<Value> = findings.iter().map(DoctorFinding::json).collect();
        screen.json(json!({
            "stack": expected.stack, "findings": list, "problems": problems,
            "notes": count(Level::Note), "unknown": count(Level::Unknown), "next": plan,
        }))?;
    } else {
        for finding in findings {
            finding.write(screen)?;
        }
        let sentence = match problems {
            0 => "Nothing found that keeps a run from working. To test what the functions themselves may do, use a dry run:".to_owned(),
            1 => "1 problem. After fixing it, test what the functions themselves may do with a dry run:".to_owned(),
            more => format!("{more} problems. After fixing them, test what the functions themselves may do with a dry run:"),
        };
        writeln!(screen.out())?;
        screen.paragraph(crate::screen::Tone::Plain, 0, &sentence)?;
        writeln!(screen.out(), "  {plan}")?;
    }
    Ok(if problems == 0 {
        Ending::Good
    } else {
        Ending::Incomplete
    })
}
