//! The recent speed of a run.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The speed is an average over this time: long enough to be steady, short enough to show a change.
const WINDOW: Duration = Duration::from_secs(30);

/// Counts of settled objects over time.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    counts: VecDeque<(Instant, u64)>,
}

impl Speed {
    /// Notes that `count` objects were settled at `now`.
    pub(crate) fn note(&mut self, now: Instant, count: u64) {
        // Another round retries failed objects, so the count drops: earlier counts no longer apply.
        if self.counts.back().is_some_and(|&(_, last)| last > count) {
            self.counts.clear();
        }
        self.counts.push_back((now, count));
        // The oldest count kept is the last one before the window, so that the window is always spanned.
        while self
            .counts
            .get(1)
            .is_some_and(|&(then, _)| now.duration_since(then) >= WINDOW)
        {
            self.counts.pop_front();
        }
    }

    /// Objects per second; nothing until there are two counts.
    pub(crate) fn objects_per_second(&self) -> Option<f64> {
        let (&(start, from), &(end, until)) = (self.counts.front()?, self.counts.back()?);
        let seconds = end.duration_since(start).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a speed is a rough figure")]
        let objects = (until - from) as f64;
        (seconds > 0.0).then(|| objects / seconds)
    }

    /// How long `open` more objects take at this speed.
    pub(crate) fn time_left(&self, open: u64) -> Option<Duration> {
        let speed = self.objects_per_second().filter(|&speed| speed > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "an estimate is a rough figure")]
        let seconds = open as f64 / speed;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut speed = Speed::default();
        speed.note(at(0), 0);
        assert_eq!(speed.objects_per_second(), None);
        speed.note(at(10), 1_000);
        assert_eq!(speed.objects_per_second(), Some(100.0));
        assert_eq!(speed.time_left(500), Some(Duration::from_secs(5)));
        speed.note(at(100), 1_000);
        speed.note(at(135), 1_350);
        assert_eq!(speed.objects_per_second(), Some(10.0));
    }

    #[test]
    fn a_new_round_begins_anew() {
        let start = Instant::now();
        let mut speed = Speed::default();
        speed.note(start, 100);
        speed.note(start + Duration::from_secs(1), 90);
        assert_eq!(speed.objects_per_second(), None);
        assert_eq!(speed.time_left(10), None);
    }
}
