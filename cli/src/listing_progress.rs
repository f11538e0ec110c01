//! How far a listing has got.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shardlift_core::{
    failure::fault::CallFault,
    port::{BucketListing, ListRequest, ObjectPage},
    value::object::ListedObject,
};

use crate::Screen;

/// Without a terminal, a line is written after so many objects: one in some minutes.
const OBJECTS_PER_LINE: u64 = 1_000_000;

/// A bucket whose pages are counted as they arrive.
pub(crate) struct ListingProgress<T> {
    inner: T,
    bar: ProgressBar,
    lines: bool,
}

impl<T: BucketListing> ListingProgress<T> {
    /// Counts the pages of a bucket of about so many objects.
    pub(crate) fn over(inner: T, expected: u64, screen: &Screen) -> Self {
        let target = if screen.redraws() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(expected.max(1)), target);
        let style = ProgressStyle::with_template(
            "{spinner} {bar:24} {human_pos} of about {human_len} objects listed",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if screen.redraws() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self {
            inner,
            bar,
            lines: !screen.redraws(),
        }
    }

    /// Takes it off the terminal.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn note(&self, objects: u64) {
        let before = self.bar.position() / OBJECTS_PER_LINE;
        self.bar.inc(objects);
        let listed = self.bar.position() / OBJECTS_PER_LINE;
        if self.lines && listed > before {
            // Progress that cannot be written is no reason to give up.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("{listed} million objects listed\n").as_bytes(),
            );
        }
    }
}

impl<T: BucketListing> BucketListing for ListingProgress<T> {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        let page = self.inner.list_page(request).await?;
        self.note(page.objects.len() as u64);
        Ok(page)
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        self.inner.first_object(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OnePage;

    impl BucketListing for OnePage {
        async fn list_page(&self, _: &ListRequest) -> Result<ObjectPage, CallFault> {
            Ok(ObjectPage {
                objects: Vec::new(),
                is_truncated: false,
                ..ObjectPage::default()
            })
        }
    }

    #[test]
    fn each_page_moves_the_bar() {
        let (screen, _paper) = crate::screen::paper::Paper::in_a_screen();
        let progress = ListingProgress::over(OnePage, 3_000, &screen);
        progress.note(1_000);
        progress.note(1_000);
        assert_eq!(progress.bar.position(), 2_000);
        assert_eq!(progress.bar.length(), Some(3_000));
    }
}
