//! Why an object has no rendition.

/// Why an object has no rendition. The reasons are texts of ours: no byte of an object can get into a log or a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenderFailure {
    /// The object is no image, or one of a format that is not rendered. It is skipped.
    #[error("{0}")]
    NotAnImage(&'static str),
    /// The object is an image, but broken, or coded in a way that is not supported.
    #[error("{0}")]
    Unreadable(&'static str),
    /// The image has more pixels than allowed, or decoding it needs more memory or work than allowed.
    #[error("{0}")]
    TooLarge(&'static str),
}
