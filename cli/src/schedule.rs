//! The schedule of a pair, and when it starts the next run.

use croner::parser::{CronParser, Seconds, Year};
use jiff::{Timestamp, Zoned, tz::TimeZone};

/// A schedule of EventBridge Scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) is_enabled: bool,
    /// As the stack's parameter has it: `cron(…)`, `rate(…)` or `at(…)`.
    pub(crate) expression: String,
    /// The time zone that the expression is read in, by its IANA name.
    pub(crate) zone: String,
}

impl Schedule {
    /// When it starts a run next. Nothing where it is disabled, and where that cannot be told from the expression alone: a
    /// rate counts from when the schedule was created.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Zoned> {
        if !self.is_enabled {
            return None;
        }
        let zone = TimeZone::get(&self.zone).ok()?;
        let inside = |kind: &str| {
            let inside = self.expression.trim().strip_prefix(kind)?;
            inside.strip_prefix('(')?.strip_suffix(')')
        };
        if let Some(once) = inside("at") {
            let once = once.parse::<jiff::civil::DateTime>().ok()?;
            return once.to_zoned(zone).ok().filter(|at| at.timestamp() > now);
        }
        // Six fields: minutes, hours, day of month, month, day of week from 1 for Sunday, year
        // (docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based).
        let fields = inside("cron")?;
        CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build()
            .parse(&format!("0 {fields}"))
            .ok()?
            .find_next_occurrence(&now.to_zoned(zone), false)
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, zone: &str, now: &str) -> Option<String> {
        let schedule = Schedule {
            is_enabled: true,
            expression: expression.into(),
            zone: zone.into(),
        };
        let next = schedule.next_after(now.parse().unwrap())?;
        Some(next.timestamp().to_string())
    }

    #[test]
    fn the_next_run_is_told_in_the_zone_of_the_schedule() {
        let night = "cron(30 2 * * ? *)";
        for (expression, zone, now, expected) in [
            (night, "UTC", "2026-11-27T02:29:59Z", "2026-11-27T02:30:00Z"),
            (night, "UTC", "2026-11-27T02:30:00Z", "2026-11-28T02:30:00Z"),
            // One hour ahead in winter, two in summer.
            (
                night,
                "Europe/Berlin",
                "2026-11-27T00:00:00Z",
                "2026-11-27T01:30:00Z",
            ),
            (
                night,
                "Europe/Berlin",
                "2026-07-27T00:00:00Z",
                "2026-07-27T00:30:00Z",
            ),
            // 2026-11-27 is a Friday, which is 6 where Sunday is 1.
            (
                "cron(0 4 ? * 6 *)",
                "UTC",
                "2026-11-27T05:00:00Z",
                "2026-12-04T04:00:00Z",
            ),
            (
                "cron(0 4 ? * MON-FRI *)",
                "UTC",
                "2026-11-27T05:00:00Z",
                "2026-11-30T04:00:00Z",
            ),
            (
                "cron(0/15 * * * ? *)",
                "UTC",
                "2026-11-27T05:01:00Z",
                "2026-11-27T05:15:00Z",
            ),
            (
                "cron(0 0 L * ? *)",
                "UTC",
                "2026-11-27T05:01:00Z",
                "2026-11-30T00:00:00Z",
            ),
            (
                "cron(0 0 1 1 ? 2028)",
                "UTC",
                "2026-11-27T05:01:00Z",
                "2028-01-01T00:00:00Z",
            ),
            (
                "at(2026-12-01T03:00:00)",
                "America/New_York",
                "2026-11-27T00:00:00Z",
                "2026-12-01T08:00:00Z",
            ),
        ] {
            assert_eq!(
                next(expression, zone, now).as_deref(),
                Some(expected),
                "{expression} {zone}"
            );
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let now = "2026-11-27T00:00:00Z";
        for (expression, zone) in [
            ("rate(1 day)", "UTC"),
            ("at(2026-11-26T03:00:00)", "UTC"),
            ("cron(0 0 1 1 ? 2020)", "UTC"),
            ("cron(30 2 * * ? *)", "Europe/Nowhere"),
            ("cron(30 2)", "UTC"),
            ("", "UTC"),
        ] {
            assert_eq!(next(expression, zone, now), None, "{expression}");
        }
        let disabled = Schedule {
            is_enabled: false,
            expression: "cron(30 2 * * ? *)".into(),
            zone: "UTC".into(),
        };
        assert_eq!(disabled.next_after(now.parse().unwrap()), None);
    }
}
