//! What comes of images that mean well, and of those that do not.

#![expect(clippy::unwrap_used, reason = "a test fails where it must not")]

mod hostile;
mod jpeg_files;
mod mutations;
mod samples;
mod vp8l;
mod webp_files;

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;
use shardlift_images::{
    ImageHeader, RenderFailure, RenderLimits, RenderOptions, Rendition, RenditionFormat, render,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
static ALONE: Mutex<()> = Mutex::new(());

/// One test at a time, so that the memory is its own; and decoders that panic write nothing, no stack of calls either, which
/// would take memory.
fn alone() -> MutexGuard<'static, ()> {
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_foreign = panic
            .location()
            .is_some_and(|at| at.file().contains("/registry/"));
        if !is_foreign {
            otherwise(panic);
        }
    }));
    guard
}

fn options(edge: u32, format: RenditionFormat) -> RenderOptions {
    RenderOptions::new(edge, format, 80).unwrap()
}

/// What came of an image, the memory that it took, and what its header said that it would take.
struct Measured {
    outcome: Result<Rendition, RenderFailure>,
    peak_bytes: usize,
    estimate_bytes: Option<u64>,
}

fn measure(bytes: &[u8], options: &RenderOptions, limits: &RenderLimits) -> Measured {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let outcome = render(bytes, options, limits);
    let peak_bytes = MEMORY.peak_usage().saturating_sub(before);
    Measured {
        outcome,
        peak_bytes,
        estimate_bytes: ImageHeader::read(bytes, options)
            .ok()
            .map(|header| header.memory_bytes),
    }
}

impl Measured {
    /// Panics where more memory was taken than the header said or the limit allows. Before the header is known, the smallest
    /// estimate holds.
    fn assert_bounded(&self, limits: &RenderLimits, name: &str) {
        let allowed = self.estimate_bytes.unwrap_or(4 << 20);
        let allowed = allowed.min(limits.memory_bytes_max);
        assert!(
            self.peak_bytes as u64 <= allowed,
            "{name}: {} bytes, {allowed} allowed, {:?}",
            self.peak_bytes,
            self.outcome.as_ref().map(|_| ())
        );
    }
}
