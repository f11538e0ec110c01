//! The processor's part of a rendition, on a thread of its own.

use std::time::Duration;

use shardlift_core::{
    failure::{Failure, FailureCode},
    value::skips::SkipReason,
};
use shardlift_images::{
    ImageHeader, RenderFailure, RenderLimits, RenderOptions, Rendition, render,
};

use crate::room::HeldRoom;

/// How long one image may take. Its pixels are bounded, and so is what is done to each, so that nothing comes near; should a
/// decoder run on all the same, its image fails, and the others go on.
const TIME_MAX: Duration = Duration::from_secs(300);

/// Why there is no rendition.
pub(crate) enum NotRendered {
    /// The object is no image.
    Skipped(SkipReason),
    /// The object failed.
    Failed(Failure),
}

impl From<RenderFailure> for NotRendered {
    /// The reasons are texts of ours; none holds a byte of the object (P10).
    fn from(failure: RenderFailure) -> Self {
        let (code, reason) = match failure {
            RenderFailure::NotAnImage(_) => return Self::Skipped(SkipReason::NotAnImage),
            RenderFailure::Unreadable(reason) => (FailureCode::ImageUnreadable, reason),
            RenderFailure::TooLarge(reason) => (FailureCode::ImageTooLarge, reason),
        };
        Self::Failed(Failure::new(code, reason))
    }
}

impl From<Failure> for NotRendered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// An image in memory, and what it may take.
pub(crate) struct LoadedImage {
    pub(crate) bytes: Vec<u8>,
    pub(crate) options: RenderOptions,
    pub(crate) limits: RenderLimits,
    /// The room of its bytes.
    pub(crate) held: Option<HeldRoom>,
    /// The room of rendering it.
    pub(crate) rendering: HeldRoom,
    pub(crate) processor: HeldRoom,
}

/// What the header of an image says, with its bytes back. On a thread, too: some headers are spread over the whole file.
pub(crate) async fn measure(
    bytes: Vec<u8>,
    options: RenderOptions,
) -> Result<(Vec<u8>, ImageHeader), NotRendered> {
    let thread = tokio::task::spawn_blocking(move || {
        let header = ImageHeader::read(&bytes, &options);
        header.map(|header| (bytes, header))
    });
    match thread.await {
        Ok(measured) => Ok(measured?),
        Err(_) => Err(defect()),
    }
}

/// Renders the image; returns the rendition with the room that it takes. Whoever waits for it may stop waiting: the thread cannot be
/// stopped, and gives back its room when it ends.
pub(crate) async fn run(image: LoadedImage) -> Result<(Rendition, HeldRoom), NotRendered> {
    let thread = tokio::task::spawn_blocking(move || {
        let LoadedImage {
            bytes,
            options,
            limits,
            held,
            mut rendering,
            processor,
        } = image;
        let rendered = render(&bytes, &options, &limits);
        drop((bytes, held, processor));
        rendered.map(|rendition| {
            rendering.keep(rendition.bytes.len() as u64);
            (rendition, rendering)
        })
    });
    match tokio::time::timeout(TIME_MAX, thread).await {
        Ok(Ok(rendered)) => Ok(rendered?),
        Ok(Err(_)) => Err(defect()),
        Err(_) => Err(NotRendered::Failed(Failure::new(
            FailureCode::ImageTooLarge,
            "rendering the image takes more time than one image may have",
        ))),
    }
}

/// The thread panicked. The decoders are guarded by themselves, so this is a defect of ours, and still no reason to end the
/// shard.
fn defect() -> NotRendered {
    NotRendered::Failed(Failure::new(
        FailureCode::ImageUnreadable,
        "the renderer failed on this image; report a bug",
    ))
}
