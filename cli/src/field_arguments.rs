//! The fields of a run's input as options of the command. The input's own parser checks their values.

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, ValueParser},
    value_parser,
};
use serde_json::{Value, json};
use shardlift_core::run::transform::Transform;

use crate::error::CommandError;

/// How an option is read.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text(&'static str),
    Choice(&'static [&'static str]),
    Number,
    Switch,
    List(&'static str),
    /// A bucket and a prefix.
    Place,
    /// A transform in its short form.
    Transform,
}

/// An option: its name is that of the field with - for _, the pointer is where the field stands in the input.
struct Field {
    name: &'static str,
    pointer: &'static str,
    kind: Kind,
    help: &'static str,
}

const fn field(name: &'static str, pointer: &'static str, kind: Kind, help: &'static str) -> Field {
    Field {
        name,
        pointer,
        kind,
        help,
    }
}

#[rustfmt::skip]
const FIELDS: &[Field] = &[
    field("mode", "/mode", Kind::Choice(&["sync", "copy", "mirror", "audit"]), "What to do"),
    field("source", "/source", Kind::Place, "Where to read"),
    field("as-of", "/source/as_of", Kind::Text("TIME"), "Copy the versions of this time (RFC 3339)"),
    field("target", "/target", Kind::Place, "Where to write"),
    field("role-arn", "/target/role_arn", Kind::Text("ARN"), "The role in the target account"),
    field("external-id", "/target/external_id", Kind::Text("ID"), "Its external id"),
    field("include", "/filters/include", Kind::List("GLOB"), "Only keys that match; may be repeated"),
    field("exclude", "/filters/exclude", Kind::List("GLOB"), "Leave out keys that match; may be repeated"),
    field("size-min-bytes", "/filters/size_min_bytes", Kind::Number, "Only objects of this size or larger"),
    field("size-max-bytes", "/filters/size_max_bytes", Kind::Number, "Only objects of this size or smaller"),
    field("modified-after", "/filters/modified_after", Kind::Text("TIME"), "Only objects written after this (RFC 3339)"),
    field("modified-before", "/filters/modified_before", Kind::Text("TIME"), "Only objects written before this"),
    field("compare", "/compare", Kind::Choice(&["size_and_mtime", "size", "etag"]), "What makes objects the same"),
    field("verify", "/verify", Kind::Choice(&["relist", "none", "checksum"]), "How the run proves the target"),
    field("tags", "/tags", Kind::Choice(&["preserve", "best_effort", "ignore"]), "What happens to tags"),
    field("storage-class", "/storage_class", Kind::Text("CLASS"), "preserve, or a class for every copy"),
    field("archived", "/archived", Kind::Choice(&["fail", "skip"]), "What happens to archived objects"),
    field("on-change", "/on_change", Kind::Choice(&["copy_newer", "fail"]), "What happens to changed objects"),
    field("kms-key-arn", "/kms_key_arn", Kind::Text("ARN"), "The key that encrypts at the target"),
    field("sse", "/sse", Kind::Choice(&["AES256"]), "Encrypt with S3's own keys"),
    field("acl", "/acl", Kind::Choice(&["bucket-owner-full-control"]), "Set this access control list"),
    field("request-payer", "/request_payer", Kind::Switch, "The target account pays for reading"),
    field("allow-empty-source", "/allow_empty_source", Kind::Switch, "A mirror of an empty source may delete"),
    field("delete-max-percent", "/delete_max_percent", Kind::Number, "The percentage that a mirror may delete"),
    field("delete-max-objects", "/delete_max_objects", Kind::Number, "The number of objects that it may delete"),
    field("multipart-threshold-bytes", "/multipart_threshold_bytes", Kind::Number, "Larger objects are copied in parts"),
    field("part-bytes", "/part_bytes", Kind::Number, "The preferred size of a part"),
    field("transform", "/transform", Kind::Transform, "Render images: thumbnail:256[,format=webp][,quality=80]"),
    field("rounds-max", "/rounds_max", Kind::Number, "How many rounds of copying"),
    field("dry-run", "/dry_run", Kind::Switch, "Plan and estimate, and copy nothing"),
];

const HEADING: &str = "Fields of the input, in place of those of --input (all are options: README)";
/// Those that the help shows.
const SHOWN: [&str; 6] = ["mode", "source", "target", "include", "exclude", "dry-run"];

/// The fields that were typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldArguments(Vec<(&'static str, Value)>);

impl FieldArguments {
    /// The input with these fields in it.
    ///
    /// # Errors
    /// When the input is no JSON object.
    pub(crate) fn put_into(&self, input: &str) -> Result<String, CommandError> {
        if self.0.is_empty() {
            return Ok(input.to_owned());
        }
        let mut value: Value = serde_json::from_str(input)
            .map_err(|error| CommandError::usage(format!("the input is not JSON: {error}")))?;
        for (pointer, field) in &self.0 {
            let mut place = &mut value;
            for name in pointer.split('/').skip(1) {
                if !place.is_object() && !place.is_null() {
                    return Err(CommandError::usage(format!(
                        "the input has no object where {pointer} belongs"
                    )));
                }
                place = &mut place[name];
            }
            *place = field.clone();
        }
        Ok(value.to_string())
    }
}

impl Kind {
    fn read(self, id: &str, matches: &ArgMatches) -> Option<Value> {
        Some(match self {
            Self::Number => json!(matches.get_one::<u64>(id)?),
            Self::Switch => json!(matches.get_one::<bool>(id)?),
            Self::List(_) => {
                let globs: Vec<&String> = matches.get_many(id)?.collect();
                json!(globs)
            }
            Self::Transform => json!(matches.get_one::<Transform>(id)?),
            Self::Text(_) | Self::Choice(_) | Self::Place => json!(matches.get_one::<String>(id)?),
        })
    }

    fn argument(self, argument: Arg) -> Arg {
        match self {
            Self::Text(name) => argument.value_name(name),
            Self::Place => argument.value_name("S3_URI").value_parser(place),
            Self::Transform => argument
                .value_name("TRANSFORM")
                .value_parser(|text: &str| text.parse::<Transform>()),
            Self::List(name) => argument.value_name(name).action(ArgAction::Append),
            Self::Number => argument.value_name("N").value_parser(value_parser!(u64)),
            Self::Choice(values) => argument
                .value_name(values[0])
                .value_parser(ValueParser::from(PossibleValuesParser::new(values))),
            Self::Switch => argument
                .value_name("BOOL")
                .value_parser(value_parser!(bool))
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
        }
    }
}

/// An address of S3, as it was typed.
fn place(text: &str) -> Result<String, String> {
    match text.strip_prefix("s3://") {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("expected s3://BUCKET/PREFIX".to_owned()),
    }
}

/// The fields of one option; two for a place.
fn placed(field: &Field, value: Value) -> Vec<(&'static str, Value)> {
    let (Kind::Place, Some(address)) = (field.kind, value.as_str()) else {
        return vec![(field.pointer, value)];
    };
    let rest = address.trim_start_matches("s3://");
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let (of_bucket, of_prefix) = match field.name {
        "source" => ("/source/bucket", "/source/prefix"),
        _ => ("/target/bucket", "/target/prefix"),
    };
    vec![(of_bucket, json!(bucket)), (of_prefix, json!(prefix))]
}

impl FromArgMatches for FieldArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut typed = Self::default();
        typed.update_from_arg_matches(matches)?;
        Ok(typed)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = FIELDS
            .iter()
            .filter_map(|field| Some((field, field.kind.read(field.name, matches)?)))
            .flat_map(|(field, value)| placed(field, value))
            .collect();
        Ok(())
    }
}

impl Args for FieldArguments {
    fn augment_args(command: Command) -> Command {
        FIELDS.iter().fold(command, |command, field| {
            let argument = Arg::new(field.name)
                .long(field.name)
                .help(field.help)
                .help_heading(HEADING)
                .hide(!SHOWN.contains(&field.name));
            command.arg(field.kind.argument(argument))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::run::input::RunInput;

    use super::*;

    fn typed(arguments: &[&str]) -> Result<FieldArguments, clap::Error> {
        let command = FieldArguments::augment_args(Command::new("start"));
        let line = ["start"].iter().chain(arguments);
        FieldArguments::from_arg_matches(&command.try_get_matches_from(line)?)
    }

    fn input(before: &str, arguments: &[&str]) -> Value {
        let input = typed(arguments).unwrap().put_into(before).unwrap();
        serde_json::from_str(&input).unwrap()
    }

    /// A value that each kind of option takes.
    fn example(field: &Field) -> Option<String> {
        Some(match field.kind {
            Kind::Choice(values) => values[0].to_owned(),
            Kind::Number => "6000000".to_owned(),
            Kind::Switch => return None,
            Kind::List(_) => "**".to_owned(),
            Kind::Place => "s3://bucket/data/".to_owned(),
            Kind::Transform => "thumbnail:256,format=webp".to_owned(),
            Kind::Text("ARN") if field.name == "role-arn" => {
                "arn:aws:iam::222222222222:role/T".to_owned()
            }
            Kind::Text("ARN") => "arn:aws:kms:eu-west-1:222222222222:key/1".to_owned(),
            Kind::Text("TIME") => "2026-11-22T00:00:00Z".to_owned(),
            Kind::Text("CLASS") => "STANDARD_IA".to_owned(),
            Kind::Text(_) => "external-id".to_owned(),
        })
    }

    #[test]
    fn every_option_is_a_field_that_an_input_has() {
        for field in FIELDS {
            let option = match example(field) {
                Some(value) => format!("--{}={value}", field.name),
                None => format!("--{}", field.name),
            };
            let mut value = input("{}", &[&option]);
            // Small numbers alone are within the bounds of these.
            for small in ["delete_max_percent", "rounds_max"] {
                if value.get(small).is_some() {
                    value[small] = json!(1);
                }
            }
            let parsed = RunInput::parse(&value);
            assert!(parsed.is_ok(), "{option}: {parsed:?}");
            assert_ne!(parsed.unwrap(), RunInput::default(), "{option}");
        }
    }

    /// Those that other options of `start` stand for.
    const OF_OTHER_OPTIONS: [&str; 3] = ["source.list", "rerun_of", "shards"];

    #[test]
    fn every_field_that_the_readme_names_has_an_option() {
        let readme = include_str!("../../README.md");
        let (_before, table) = readme.split_once("| field | values").unwrap();
        let (table, _after) = table.split_once("\n\n").unwrap();
        let named = table.lines().skip(2).flat_map(|line| {
            line.split('|')
                .nth(1)
                .unwrap()
                .split('`')
                .skip(1)
                .step_by(2)
        });
        let named: Vec<&str> = named.collect();
        assert!(named.len() > 30, "{named:?}");
        for name in named {
            let pointer = format!("/{}", name.replace('.', "/"));
            let has_option = FIELDS.iter().any(|field| {
                let place =
                    matches!(field.kind, Kind::Place).then(|| format!("{}/", field.pointer));
                field.pointer == pointer || place.is_some_and(|place| pointer.starts_with(&place))
            });
            assert!(has_option || OF_OTHER_OPTIONS.contains(&name), "{name}");
        }
    }

    #[test]
    fn options_replace_what_the_input_says_and_leave_the_rest() {
        let before = r#"{"mode": "copy", "filters": {"exclude": ["**.tmp"]}, "dry_run": true}"#;
        let options = [
            "--source",
            "s3://from/data/2026/",
            "--include=a/**",
            "--include",
            "b/**",
            "--dry-run=false",
        ];
        assert_eq!(
            input(before, &options),
            json!({
                "mode": "copy", "source": {"bucket": "from", "prefix": "data/2026/"},
                "filters": {"include": ["a/**", "b/**"], "exclude": ["**.tmp"]}, "dry_run": false,
            })
        );
        assert_eq!(
            input(before, &["--target", "s3://to"])["target"],
            json!({"bucket": "to", "prefix": ""})
        );
        assert!(typed(&["--mode", "move"]).is_err());
        assert!(typed(&["--transform", "poster"]).is_err());
        assert!(typed(&["--source", "bucket/data"]).is_err());
        assert!(typed(&["--mode=copy"]).unwrap().put_into("[]").is_err());
    }
}
