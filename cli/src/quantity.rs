//! Numbers as people read them.

use std::time::Duration;

pub(crate) use shardlift_core::figures::{counted, grouped};

/// Bytes in the binary unit that leaves one to four digits before the point.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let exponent = (count.max(1).ilog2() / 10) as usize;
    if exponent == 0 {
        return format!("{count} B");
    }
    let hundredths = (u128::from(count) * 100) >> (10 * exponent);
    let whole = hundredths / 100;
    let unit = UNITS[exponent];
    match whole {
        0..10 => format!("{whole}.{:02} {unit}", hundredths % 100),
        10..100 => format!("{whole}.{} {unit}", hundredths % 100 / 10),
        _ => format!("{whole} {unit}"),
    }
}

/// A duration in its two greatest units.
pub(crate) fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..10 => format!("{seconds}.{} s", span.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A cost in USD: cents where they say something, more digits where they do not.
pub(crate) fn usd(amount: f64) -> String {
    if amount == 0.0 || amount >= 0.01 {
        format!("${amount:.2}")
    } else if amount >= 0.0001 {
        format!("${amount:.4}")
    } else {
        "less than $0.0001".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(counted(1, "object"), "1 object");
        assert_eq!(counted(0, "object"), "0 objects");
    }

    #[test]
    fn bytes_keep_three_digits() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_024), "1.00 KiB");
        assert_eq!(bytes(15 << 20), "15.0 MiB");
        assert_eq!(bytes(500 << 30), "500 GiB");
        assert_eq!(bytes(u64::MAX), "15.9 EiB");
    }

    #[test]
    fn durations_show_two_units() {
        assert_eq!(duration(Duration::from_millis(1_234)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(61)), "1 min 01 s");
        assert_eq!(duration(Duration::from_secs(3_661)), "1 h 01 min");
        assert_eq!(duration(Duration::from_secs(90_000)), "1 d 01 h");
    }

    #[test]
    fn small_costs_are_not_rounded_to_nothing() {
        assert_eq!(usd(0.0), "$0.00");
        assert_eq!(usd(5.031), "$5.03");
        assert_eq!(usd(0.0052), "$0.0052");
        assert_eq!(usd(0.000_01), "less than $0.0001");
    }
}
