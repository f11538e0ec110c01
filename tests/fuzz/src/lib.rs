//! Fuzz targets: everything that comes from outside and is parsed.
//!
//! A [`Target`] takes any bytes and panics where a promise is broken, which is more than that nothing crashes: what was read
//! is written and read again, a text is read in one piece and in many, a refusal has a code and an action. `make fuzz` lets
//! libFuzzer look for such bytes; `make test` replays what is in `tests/fuzz/corpus`, one folder a target.

mod refusal;
mod targets;

/// A parser, and what must hold of it.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder of the corpus.
    pub name: &'static str,
    /// Panics where the bytes break a promise.
    pub run: fn(&[u8]),
}

/// The targets. Those of the AWS adapters replay their corpus in the adapters' own tests.
pub const TARGETS: &[Target] = &[
    target("run_input", targets::run_input),
    target("glob", targets::glob),
    target("list", targets::list),
    target("table", targets::table),
    target("inventory_manifest", targets::inventory_manifest),
    target("event_message", targets::event_message),
    target("ledger_record", targets::ledger_record),
    target("run_document", targets::run_document),
    target("image", targets::image),
    #[cfg(feature = "aws")]
    target("listing_page", shardlift_aws::fuzzing::listing_page),
    #[cfg(feature = "aws")]
    target("version_page", shardlift_aws::fuzzing::version_page),
    #[cfg(feature = "aws")]
    target("error_document", shardlift_aws::fuzzing::error_document),
    #[cfg(feature = "aws")]
    target("refusal_text", shardlift_aws::fuzzing::refusal_text),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}
