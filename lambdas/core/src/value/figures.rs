//! Counts, sizes, durations and costs as people read them, the same on every surface.

use std::time::Duration;

/// A count with thousands separators: `12,345`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun, with an `s` unless the count is one: `1 object`, `12,345 objects`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// A size in the largest binary unit that leaves at least one: `1.5 GiB`.
#[must_use]
pub fn bytes(size_bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if size_bytes < 1024 {
        return counted(size_bytes, "byte");
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "three digits are shown, a double holds fifteen"
    )]
    let mut amount = size_bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1,023.95 would be shown as 1,024.0 of the smaller unit.
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A duration in its two largest units: `3 h 12 min`, `45 s`, `0.3 s`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A cost in US dollars: cents, or four digits for less than a cent.
#[must_use]
pub fn usd(amount: f64) -> String {
    // An empty sum is -0.0.
    let amount = amount + 0.0;
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
    fn thousands_are_separated() {
        let shown: Vec<_> = [0, 999, 1_000, 1_234_567].map(grouped).into();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "object"), "1 object");
        assert_eq!(counted(0, "object"), "0 objects");
    }

    #[test]
    fn sizes_change_units_where_people_expect_it() {
        let shown: Vec<_> = [1, 1023, 1024, 1_048_575, 1_048_576, u64::MAX]
            .map(bytes)
            .into();
        assert_eq!(
            shown,
            [
                "1 byte",
                "1,023 bytes",
                "1.0 KiB",
                "1.0 MiB",
                "1.0 MiB",
                "16.0 EiB"
            ]
        );
    }

    #[test]
    fn durations_show_two_units() {
        let shown: Vec<_> = [300, 59_000, 61_000, 3_720_000, 90_000_000]
            .map(|ms| duration(Duration::from_millis(ms)))
            .into();
        assert_eq!(
            shown,
            ["0.3 s", "59 s", "1 min 1 s", "1 h 2 min", "1 d 1 h"]
        );
    }

    #[test]
    fn small_costs_are_not_rounded_to_nothing() {
        let shown: Vec<_> = [0.0, 5.031, 0.0052, 0.000_01].map(usd).into();
        assert_eq!(shown, ["$0.00", "$5.03", "$0.0052", "less than $0.0001"]);
    }
}
