//! Time as the model tells it, and the formats S3 writes it in.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The model's clock.
///
/// Dates follow the wall clock plus a skew. *Durations* of the weather run on model time, which
/// passes `time_scale` times as fast as real time: with a scale of 600 ten minutes of silence
/// take one real second, and rate limits grant 600 times as many requests a real second.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    skew_s: AtomicI64,
    /// Bits of an f64.
    time_scale: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            skew_s: AtomicI64::new(0),
            time_scale: AtomicU64::new(1f64.to_bits()),
        }
    }

    pub(crate) fn set(&self, skew_s: i64, time_scale: f64) {
        self.skew_s.store(skew_s, Ordering::Relaxed);
        self.time_scale
            .store(time_scale.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn skew_s(&self) -> i64 {
        self.skew_s.load(Ordering::Relaxed)
    }

    /// The date as the server sees it, in seconds since 1970.
    pub(crate) fn now_s(&self) -> u64 {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs());
        wall.saturating_add_signed(self.skew_s())
    }

    /// Model time since the start, for rate limits.
    pub(crate) fn model_elapsed(&self) -> Duration {
        self.started
            .elapsed()
            .mul_f64(f64::from_bits(self.time_scale.load(Ordering::Relaxed)))
    }

    /// How long a duration of model time really takes.
    pub(crate) fn real(&self, model: Duration) -> Duration {
        model.div_f64(f64::from_bits(self.time_scale.load(Ordering::Relaxed)))
    }
}

/// Appends `2026-01-31T23:59:59.000Z`.
///
/// Our own, because a listing writes one for every key: a general formatter costs more than the
/// rest of the entry.
#[inline]
pub(crate) fn write_iso(epoch_s: u64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(epoch_s / 86_400);
    let second = epoch_s % 86_400;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    decimal(&mut text[0..4], year);
    decimal(&mut text[5..7], month);
    decimal(&mut text[8..10], day);
    decimal(&mut text[11..13], second / 3600);
    decimal(&mut text[14..16], second / 60 % 60);
    decimal(&mut text[17..19], second % 60);
    out.extend_from_slice(&text);
}

/// [`write_iso`] as a string.
pub(crate) fn iso(epoch_s: u64) -> String {
    let mut out = Vec::with_capacity(24);
    write_iso(epoch_s, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The date of HTTP headers, `Sat, 31 Jan 2026 23:59:59 GMT`.
pub(crate) fn http_date(epoch_s: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(epoch_s))
}

/// Reads the date of an HTTP header, in seconds since 1970.
pub(crate) fn parse_http_date(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    date.duration_since(UNIX_EPOCH)
        .ok()
        .map(|elapsed| elapsed.as_secs())
}

/// Reads `x-amz-date`, `20260131T235959Z`, in seconds since 1970.
pub(crate) fn parse_amz_date(text: &str) -> Option<i64> {
    let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(
        date.to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_second(),
    )
}

const DIGITS: [u8; 10] = *b"0123456789";

/// Writes `value` in decimal, with leading zeros, into the whole of `out`.
#[inline]
pub(crate) fn decimal(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(value % 10).unwrap_or(0)];
        value /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. The year is
/// taken to begin in March, so that the leap day is its last.
#[inline]
pub(crate) fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let era = day / 146_097;
    let day_of_era = day % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day_of_year - (153 * shifted + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_a_calendar_library() {
        for epoch_s in [
            0,
            951_782_399,
            951_782_400,
            1_709_210_096,
            1_767_225_599,
            4_102_444_800,
        ] {
            let expected = jiff::Timestamp::from_second(i64::try_from(epoch_s).expect("small"))
                .expect("valid");
            assert_eq!(
                iso(epoch_s),
                expected.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
            );
            assert_eq!(parse_http_date(&http_date(epoch_s)), Some(epoch_s));
        }
        assert_eq!(parse_amz_date("20260101T000000Z"), Some(1_767_225_600));
        assert_eq!(parse_amz_date("2026-01-01"), None);
    }
}
