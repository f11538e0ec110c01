//! Where everything lies.

/// The source bucket.
pub const SOURCE: &str = "source";
/// The target bucket.
pub const TARGET: &str = "target";
/// The control bucket.
pub const CONTROL: &str = "control-bucket";
/// The account of the source, where the functions run.
pub const SOURCE_ACCOUNT: &str = "111111111111";
/// The account of the target.
pub const TARGET_ACCOUNT: &str = "222222222222";

/// Where the pair lies, and what of it takes part.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    /// The source prefix.
    pub source_prefix: String,
    /// The target prefix.
    pub target_prefix: String,
    /// Keys that begin so are excluded by the stack's filters.
    pub excluded: Option<String>,
}

impl Ground {
    /// Whether the globs admit a relative key.
    #[must_use]
    pub fn admits(&self, relative: &str) -> bool {
        let excluded = self.excluded.as_ref();
        excluded.is_none_or(|excluded| !relative.starts_with(excluded))
    }
}
