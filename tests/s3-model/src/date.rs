//! The date formats of S3, as seconds since 1970.

use std::time::{Duration, UNIX_EPOCH};

use crate::number::write_decimal;

/// Appends `2026-01-31T23:59:59.000Z`.
///
/// A listing writes a date for every key, and a general formatter would cost more than the rest
/// of the entry.
#[inline]
pub(crate) fn write_iso(epoch_s: u64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(epoch_s / 86_400);
    let second = epoch_s % 86_400;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    write_decimal(&mut text[0..4], year);
    write_decimal(&mut text[5..7], month);
    write_decimal(&mut text[8..10], day);
    write_decimal(&mut text[11..13], second / 3600);
    write_decimal(&mut text[14..16], second / 60 % 60);
    write_decimal(&mut text[17..19], second % 60);
    out.extend_from_slice(&text);
}

/// Formats a date like [`write_iso`], as a string.
pub(crate) fn iso(epoch_s: u64) -> String {
    let mut out = Vec::with_capacity(24);
    write_iso(epoch_s, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Formats a date for an HTTP header: `Sat, 31 Jan 2026 23:59:59 GMT`.
pub(crate) fn http_date(epoch_s: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(epoch_s))
}

/// Parses the date of an HTTP header.
pub(crate) fn parse_http_date(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    date.duration_since(UNIX_EPOCH)
        .ok()
        .map(|elapsed| elapsed.as_secs())
}

/// Parses `x-amz-date`: `20260131T235959Z`.
pub(crate) fn parse_amz_date(text: &str) -> Option<i64> {
    let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(
        date.to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_second(),
    )
}

/// Returns year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years
/// are counted from March, which makes the leap day the last day of a year.
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
