//! Instants, as arguments: nothing in this crate reads a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::value::text::InvalidText;

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `milliseconds` after the epoch.
    #[must_use]
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 instant such as `2026-11-22T01:00:00Z`.
    ///
    /// # Errors
    /// [`InvalidText`] when the text is no such instant.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        if let Some(instant) = parse_listed(text) {
            return Ok(instant);
        }
        text.parse::<jiff::Timestamp>()
            .map(|instant| Self(instant.as_millisecond()))
            .map_err(|_| {
                InvalidText::new(
                    "instant",
                    text,
                    "expected RFC 3339, for example 2026-11-22T01:00:00Z",
                )
            })
    }

    /// This instant moved later, saturating at the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long it takes from `earlier` to this instant; nothing when it lies in the past.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since the epoch, rounded down; what DynamoDB's TTL takes.
    #[must_use]
    pub fn as_epoch_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// The one form in which S3 lists instants, `2026-11-22T01:02:03.004Z`; nothing for any other text. A page holds a
/// thousand of them: reading them as any form took 4 % of a planner's time.
fn parse_listed(text: &str) -> Option<Timestamp> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        b'.',
        f1,
        f2,
        f3,
        b'Z',
    ] = text.as_bytes()
    else {
        return None;
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte.cast_signed() - 48);
    let two = |tens, ones| Some(digit(tens)? * 10 + digit(ones)?);
    let four = |a, b, c, d| Some(i16::from(two(a, b)?) * 100 + i16::from(two(c, d)?));
    let (year, month, day) = (four(y1, y2, y3, y4)?, two(mo1, mo2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?);
    let milliseconds = i64::from(four(b'0', f1, f2, f3)?);
    let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let seconds = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?.as_second();
    Some(Timestamp(seconds * 1000 + milliseconds))
}

impl Timestamp {
    /// The instant as people read it, in UTC and rounded up to whole seconds: `2026-11-22 01:45:02 UTC`.
    #[must_use]
    pub fn for_people(self) -> String {
        let seconds = self.0.div_euclid(1000) + i64::from(self.0.rem_euclid(1000) > 0);
        match jiff::Timestamp::from_second(seconds) {
            Ok(instant) => instant.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            Err(_) => self.to_string(),
        }
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// Serialises an instant as RFC 3339, for documents that people read.
pub mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Timestamp;

    /// Writes the instant as RFC 3339 text.
    ///
    /// # Errors
    /// What the serializer reports.
    pub fn serialize<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(instant)
    }

    /// Reads the instant from RFC 3339 text.
    ///
    /// # Errors
    /// When the text is no RFC 3339 instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn people_read_whole_seconds_that_are_never_too_early() {
        let at = |milliseconds| Timestamp::from_millis(milliseconds).for_people();
        assert_eq!(at(1_795_311_901_000), "2026-11-22 01:45:01 UTC");
        assert_eq!(at(1_795_311_901_001), "2026-11-22 01:45:02 UTC");
        assert_eq!(at(-1), "1970-01-01 00:00:00 UTC");
    }

    #[test]
    fn text_and_number_agree() {
        let instant = Timestamp::parse("2026-11-22T01:02:03.004Z").unwrap();
        assert_eq!(instant.to_string(), "2026-11-22T01:02:03.004Z");
        assert_eq!(
            Timestamp::parse("2026-11-22T02:02:03.004+01:00").unwrap(),
            instant
        );
        assert!(Timestamp::parse("yesterday").is_err());
    }

    proptest! {
        #[test]
        fn the_form_of_listings_is_read_as_any_other(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
        ) {
            let expected = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
            let found = Timestamp::parse(&text).ok().map(Timestamp::as_millis);
            prop_assert_eq!(found, expected);
            if let Some(listed) = parse_listed(&text) {
                prop_assert_eq!(Some(listed.as_millis()), expected);
            }
        }
    }

    #[test]
    fn the_form_of_listings_and_no_other_is_read_at_once() {
        let listed = "2026-11-22T01:02:03.004Z";
        assert_eq!(parse_listed(listed), Timestamp::parse(listed).ok());
        for other in [
            "2026-11-22T01:02:03Z",
            "2026-02-30T01:02:03.004Z",
            "2026-11-22 01:02:03.004Z",
            "2026-11-22T01:02:0x.004Z",
        ] {
            assert_eq!(parse_listed(other), None, "{other}");
        }
    }

    #[test]
    fn a_past_instant_is_no_time_away() {
        let now = Timestamp::from_millis(5_000);
        assert_eq!(Timestamp::from_millis(1_000).since(now), Duration::ZERO);
        assert_eq!(
            now.plus(Duration::from_secs(1)).since(now),
            Duration::from_secs(1)
        );
    }
}
