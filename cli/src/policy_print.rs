//! `shardlift policy`: the policy documents of a pair, for review and for pasting.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use shardlift_core::{
    access::policy::{
        Agreement, Document, Extras, Function, execution_role, merge, operator, reporter_of_events,
        source_bucket, source_key, target_bucket, target_key, target_role_permissions,
        target_role_trust,
    },
    value::{arn::RoleArn, printable::printable_json},
};

use crate::{
    Ending, Screen,
    arguments::StackArguments,
    error::CommandError,
    policy_arguments::{DocumentName, PolicyArguments},
    policy_facts::PolicyFacts,
    screen::Tone,
};

/// Prints one document, or all.
pub(crate) async fn print(
    stack: &StackArguments,
    arguments: &PolicyArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let facts = PolicyFacts::of_stack(stack).await?.overridden_by(arguments);
    let printer = PolicyPrinter {
        agreement: facts.agreement(extras(arguments))?,
        facts,
        named_roles: &arguments.function_roles,
    };
    match arguments.document {
        Some(name) => {
            let document = printer.document(name)?.ok_or_else(|| {
                CommandError::usage(format!(
                    "the {} is only needed with a key: add --source-key or --target-key",
                    heading(name)
                ))
            })?;
            let text = match &arguments.merge {
                Some(path) => format!("{:#}", merged(path, &document)?),
                None => document.to_pretty_json(),
            };
            if screen.is_json() {
                let document: Value = serde_json::from_str(&text).unwrap_or_default();
                screen.json(json!({"documents": {word(name): document}}))?;
                return Ok(Ending::Good);
            }
            writeln!(screen.out(), "{}", printable_json(&text))?;
        }
        None if screen.is_json() => {
            screen.json(json!({"documents": printer.all_documents()?}))?;
        }
        None if arguments.json => {
            let all = printer.all_documents()?;
            writeln!(screen.out(), "{}", printable_json(&format!("{all:#}")))?;
        }
        None => printer.print_all(screen)?,
    }
    Ok(Ending::Good)
}

fn extras(arguments: &PolicyArguments) -> Extras {
    Extras {
        without_tags: arguments.without_tags,
        without_annotations: arguments.without_annotations,
        with_acls: arguments.acls,
        audits_only: arguments.audits_only,
        versions: arguments.versions,
        deletes: arguments.mirror,
        source_key: arguments.source_key.clone(),
        target_key: arguments.target_key.clone(),
        administrators: arguments.administrators.clone(),
    }
}

fn merged(path: &Path, ours: &Document) -> Result<Value, CommandError> {
    let wrong = |problem: String| CommandError::usage(format!("{}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    // What `aws s3api get-bucket-policy > file` leaves where there is no policy.
    if text.trim().is_empty() {
        return Ok(json!(ours));
    }
    let existing: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    merge::into_existing(&existing, ours).map_err(|error| wrong(error.to_string()))
}

/// Everything that the documents are made from.
struct PolicyPrinter<'a> {
    agreement: Agreement,
    facts: PolicyFacts,
    named_roles: &'a [RoleArn],
}

impl PolicyPrinter<'_> {
    /// The document of this name; nothing when the options leave nothing to grant.
    fn document(&self, name: DocumentName) -> Result<Option<Document>, CommandError> {
        let agreement = &self.agreement;
        let role = |function| {
            self.facts
                .installation()
                .map(|installation| execution_role(agreement, &installation, function))
        };
        let document = match name {
            DocumentName::SourceBucket => source_bucket(agreement),
            DocumentName::TargetBucket => target_bucket(agreement),
            DocumentName::TargetRole => target_role_permissions(agreement),
            DocumentName::TargetTrust => {
                target_role_trust(agreement, &self.facts.function_roles(self.named_roles)?)
            }
            DocumentName::PlannerRole => role(Function::Planner)?,
            DocumentName::CopierRole => role(Function::Copier)?,
            DocumentName::RendererRole => role(Function::Renderer)?,
            DocumentName::ReporterRole => role(Function::Reporter)?,
            DocumentName::IntakeRole => role(Function::Intake)?,
            DocumentName::ReporterOfEvents => {
                reporter_of_events(agreement, &self.facts.installation()?)
            }
            DocumentName::Operator => operator(agreement, &self.facts.installation()?),
            DocumentName::SourceKey => return Ok(source_key(agreement)),
            DocumentName::TargetKey => return Ok(target_key(agreement)),
        };
        Ok(Some(document))
    }

    /// All documents by name.
    fn all_documents(&self) -> Result<Value, CommandError> {
        let mut all = Map::new();
        for &name in DocumentName::value_variants() {
            if let Some(document) = self.document(name)? {
                all.insert(word(name), json!(document));
            }
        }
        Ok(Value::Object(all))
    }

    fn print_all(&self, screen: &mut Screen) -> Result<(), CommandError> {
        for &name in DocumentName::value_variants() {
            if let Some(document) = self.document(name)? {
                let heading = screen.toned(Tone::Strong, &format!("# {}", heading(name)));
                let location = screen.toned(Tone::Faint, &format!("# {}", self.location(name)));
                let text = printable_json(&document.to_pretty_json());
                writeln!(screen.out(), "{heading}\n{location}\n{text}\n")?;
            }
        }
        Ok(())
    }

    /// Where a document belongs.
    fn location(&self, name: DocumentName) -> String {
        let source = &self.agreement.source_account;
        let target = self.agreement.target_account();
        let pair = &self.agreement.pair;
        match name {
            DocumentName::SourceBucket => format!(
                "account {source}, bucket {}: merge it (--merge), a bucket has one policy",
                pair.source.bucket
            ),
            DocumentName::TargetBucket => {
                format!(
                    "account {target}, bucket {}: part of target-account.yaml, if deployed in the bucket's Region",
                    pair.target.bucket
                )
            }
            DocumentName::TargetRole | DocumentName::TargetTrust => {
                format!("account {target}, {}", pair.target.role_arn)
            }
            DocumentName::PlannerRole | DocumentName::CopierRole | DocumentName::ReporterRole => {
                format!("account {source}, part of the stack")
            }
            DocumentName::RendererRole => {
                format!("account {source}, part of a stack with EnableTransforms=true")
            }
            DocumentName::ReporterOfEvents | DocumentName::IntakeRole => {
                format!("account {source}, part of a stack with StartOnEvents=true")
            }
            DocumentName::Operator => {
                format!("account {source}, for people who operate runs: attach it to their role")
            }
            DocumentName::SourceKey => {
                "the key of the source's objects: merge it into its key policy".to_owned()
            }
            DocumentName::TargetKey => {
                "the key that encrypts at the target: merge it into its key policy".to_owned()
            }
        }
    }
}

fn heading(name: DocumentName) -> &'static str {
    match name {
        DocumentName::SourceBucket => "source bucket policy",
        DocumentName::TargetRole => "target role, permission policy",
        DocumentName::TargetTrust => "target role, trust policy",
        DocumentName::TargetBucket => "target bucket policy",
        DocumentName::PlannerRole => "planner's execution role, permission policy",
        DocumentName::CopierRole => "copier's execution role, permission policy",
        DocumentName::RendererRole => "renderer's execution role, permission policy",
        DocumentName::ReporterRole => "reporter's execution role, permission policy",
        DocumentName::ReporterOfEvents => "reporter's execution role, policy for runs of events",
        DocumentName::IntakeRole => "intake's execution role, permission policy",
        DocumentName::Operator => "operator's permission policy",
        DocumentName::SourceKey => "source key policy",
        DocumentName::TargetKey => "target key policy",
    }
}

fn word(name: DocumentName) -> String {
    name.to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
