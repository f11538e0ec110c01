//! The settings of a function: the parameters of the stack, which arrive as environment variables.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::Ceilings,
    failure::Failure,
    run::{input::RunInput, transform::Transform},
    value::{
        arn::{AccountId, RoleArn},
        bucket::BucketName,
    },
};

use super::{
    ceiling_variables::ceiling_parameters,
    data_endpoint::data_endpoint_url,
    variables::{flag, invalid, list, number},
};

/// The concurrency of copiers unless the stack sets another.
const MAX_CONCURRENCY_DEFAULT: u32 = 100;
/// How long the ledger keeps a run unless the stack sets another time.
const LEDGER_TTL_DAYS_DEFAULT: u32 = 30;
const COPIER_MEMORY_MB_DEFAULT: u32 = 256;
const RENDERER_MEMORY_MB_DEFAULT: u32 = 2_048;

const COPIER_CONCURRENCY: &str = "COPIER_CONCURRENCY";
const WRITES_PER_SECOND_MAX: &str = "WRITES_PER_SECOND_MAX";

/// Where each variable belongs in the input of a run.
const RUN_TEXTS: [(&str, &str); 15] = [
    ("S3_BUCKET", "/source/bucket"),
    ("S3_KEY", "/source/prefix"),
    ("TARGET_S3_BUCKET", "/target/bucket"),
    ("TARGET_S3_KEY", "/target/prefix"),
    ("TARGET_ACCOUNT_ROLE_ARN", "/target/role_arn"),
    ("TARGET_EXTERNAL_ID", "/target/external_id"),
    ("RUN_MODE", "/mode"),
    ("RUN_COMPARE", "/compare"),
    ("RUN_TAGS", "/tags"),
    ("RUN_VERIFY", "/verify"),
    ("RUN_STORAGE_CLASS", "/storage_class"),
    ("RUN_ARCHIVED", "/archived"),
    ("RUN_KMS_KEY_ARN", "/kms_key_arn"),
    ("RUN_SSE", "/sse"),
    ("RUN_ACL", "/acl"),
];
const RUN_NUMBERS: [(&str, &str); 3] = [
    ("RUN_DELETE_MAX_PERCENT", "/delete_max_percent"),
    ("RUN_DELETE_MAX_OBJECTS", "/delete_max_objects"),
    ("RUN_ROUNDS_MAX", "/rounds_max"),
];
const RUN_FLAGS: [(&str, &str); 1] = [("RUN_REQUEST_PAYER", "/request_payer")];

const RUN_FILTERS: &str = "RUN_FILTERS";
const RUN_TRANSFORM: &str = "RUN_TRANSFORM";

/// The settings of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The ledger's table.
    pub ledger_table: String,
    /// The control bucket.
    pub control_bucket: BucketName,
    /// The account that owns it, which is the stack's.
    pub control_bucket_owner: AccountId,
    /// The state machine, for the functions that identify its executions.
    pub state_machine_arn: Option<String>,
    /// The topic, for the function that publishes.
    pub topic_arn: Option<String>,
    /// What the stack says about runs. The function that reports what is wrong must work without it.
    pub runs: Result<RunSettings, Failure>,
    /// The roles of all functions, for the function that explains refused calls.
    pub function_roles: Vec<RoleArn>,
    /// The maximum number of concurrent copiers.
    pub max_concurrency: u32,
    /// The maximum writes per second of a run, if the stack sets a cap.
    pub writes_per_second_max: Option<u32>,
    /// Days until the ledger deletes a run.
    pub ledger_ttl_days: u32,
    /// The memory of a copier in MB, which is its processor too.
    pub copier_memory_mb: u32,
    /// The memory of a renderer in MB, which bounds what it holds at once.
    pub renderer_memory_mb: u32,
    /// What replaces S3's endpoints for the two buckets of a pair, in tests.
    pub data_endpoint_url: Option<String>,
}

/// What the stack says about runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// Its defaults for the input of a run.
    pub defaults: RunInput,
    /// What a run may ask for.
    pub ceilings: Ceilings,
}

impl RunSettings {
    fn read(
        variable: &impl Fn(&str) -> Option<String>,
        control_bucket: &BucketName,
    ) -> Result<Self, Failure> {
        let defaults = run_defaults(variable)?;
        let parameters = ceiling_parameters(variable, control_bucket)?;
        let ceilings = Ceilings::new(&defaults, parameters);
        Ok(Self { defaults, ceilings })
    }
}

impl Settings {
    /// Reads the environment; an empty text means unset.
    ///
    /// # Errors
    /// `InvalidRun`, naming the variable.
    pub fn from_env() -> Result<Self, Failure> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables through `lookup`.
    ///
    /// # Errors
    /// `InvalidRun`, naming the variable.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let variable = |name: &str| lookup(name).filter(|text| !text.is_empty());
        let required = |name: &str| variable(name).ok_or_else(|| invalid(name, "is not set"));
        let control_bucket = BucketName::new(required("CONTROL_BUCKET")?)
            .map_err(|problem| invalid("CONTROL_BUCKET", problem))?;
        let max_concurrency = number(
            &variable,
            COPIER_CONCURRENCY,
            1..=10_000,
            MAX_CONCURRENCY_DEFAULT,
        )?;
        Ok(Self {
            ledger_table: required("LEDGER_TABLE")?,
            control_bucket_owner: AccountId::new(required("CONTROL_BUCKET_OWNER")?)
                .map_err(|problem| invalid("CONTROL_BUCKET_OWNER", problem))?,
            state_machine_arn: variable("STATE_MACHINE_ARN"),
            topic_arn: variable("TOPIC_ARN"),
            runs: RunSettings::read(&variable, &control_bucket),
            function_roles: list(&variable, "FUNCTION_ROLE_ARNS", RoleArn::new)?,
            control_bucket,
            max_concurrency,
            writes_per_second_max: writes_per_second_max(&variable)?,
            data_endpoint_url: data_endpoint_url(&variable)?,
            copier_memory_mb: number(
                &variable,
                "COPIER_MEMORY_MB",
                128..=10_240,
                COPIER_MEMORY_MB_DEFAULT,
            )?,
            renderer_memory_mb: number(
                &variable,
                "RENDERER_MEMORY_MB",
                1_024..=10_240,
                RENDERER_MEMORY_MB_DEFAULT,
            )?,
            ledger_ttl_days: number(
                &variable,
                "LEDGER_TTL_DAYS",
                1..=3_650,
                LEDGER_TTL_DAYS_DEFAULT,
            )?,
        })
    }
}

impl Settings {
    /// One copier's share of the cap of a run, if there is one. It is at least one write per second, the pacer's slowest
    /// pace. Functions that plan and copy need it; the one that reports what is wrong must work with any settings.
    ///
    /// # Errors
    /// `InvalidRun` for a cap that leaves a copier less than that, because the cap would be exceeded.
    pub fn writes_per_second_of_a_copier_max(&self) -> Result<Option<f64>, Failure> {
        let (cap, copiers) = (self.writes_per_second_max, self.max_concurrency);
        match cap {
            Some(cap) if cap < copiers => Err(invalid(
                WRITES_PER_SECOND_MAX,
                format_args!(
                    "is {cap}, less than one for each of {copiers} copiers ({COPIER_CONCURRENCY})"
                ),
            )),
            cap => Ok(cap.map(|cap| f64::from(cap) / f64::from(copiers))),
        }
    }
}

/// The cap of a run; 0 means that there is none.
fn writes_per_second_max(
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Option<u32>, Failure> {
    let cap = number(variable, WRITES_PER_SECOND_MAX, 0..=1_000_000, 0)?;
    Ok((cap > 0).then_some(cap))
}

/// Passes each variable separately to the parser of the input, so that a rejection names the variable.
fn run_defaults(variable: &impl Fn(&str) -> Option<String>) -> Result<RunInput, Failure> {
    let mut defaults = RunInput::default();
    let mut take = |name: &str, pointer: &str, value: Value| {
        let parsed = RunInput::parse(&input_with(pointer, value))
            .map_err(|failure| failure.within(format_args!("environment variable {name}")))?;
        defaults = parsed.or(std::mem::take(&mut defaults));
        Ok::<(), Failure>(())
    };
    for (name, pointer) in RUN_TEXTS {
        if let Some(text) = variable(name) {
            take(name, pointer, json!(text))?;
        }
    }
    for (name, pointer) in RUN_NUMBERS {
        if let Some(text) = variable(name) {
            let number: u64 = text
                .parse()
                .map_err(|_| invalid(name, "is not a whole number"))?;
            take(name, pointer, json!(number))?;
        }
    }
    if let Some(text) = variable(RUN_FILTERS) {
        let filters = serde_json::from_str(&text)
            .map_err(|error| invalid(RUN_FILTERS, format_args!("is not JSON: {error}")))?;
        take(RUN_FILTERS, "/filters", filters)?;
    }
    if let Some(text) = variable(RUN_TRANSFORM) {
        let transform: Transform = text.parse().map_err(|why| invalid(RUN_TRANSFORM, why))?;
        take(RUN_TRANSFORM, "/transform", json!(transform))?;
    }
    for (name, pointer) in RUN_FLAGS {
        if let Some(flag) = flag(variable, name)? {
            take(name, pointer, json!(flag))?;
        }
    }
    Ok(defaults)
}

/// An input with only `value` at `pointer`, for example `/target/bucket`.
fn input_with(pointer: &str, value: Value) -> Value {
    pointer
        .rsplit('/')
        .filter(|field| !field.is_empty())
        .fold(value, |inner, field| json!({ field: inner }))
}
