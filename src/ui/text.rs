//! Words and numbers for people. Everything here is pure, and the same in bars, lines and reports.

use std::time::Duration;

use crate::pg::Counted;

/// What a name or message shows in place of a character that could forge output: terminal
/// controls, and the marks that reverse the direction of text.
fn harmless(part: char) -> char {
    let reverses = matches!(part, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if part.is_control() {
        ' '
    } else if reverses {
        char::REPLACEMENT_CHARACTER
    } else {
        part
    }
}

/// The text without control characters, on one line.
pub fn clean(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// A size: divided by 1024 while it can be, one decimal, `B KB MB GB TB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Time that has passed: `N ms`, `N.Ns`, `Mm Ss`, `Hh Mm`. Cut, never rounded up, so that 60.0s
/// does not exist.
pub fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0 => format!("{} ms", elapsed.subsec_millis()),
        1..60 => format!("{seconds}.{}s", elapsed.subsec_millis() / 100),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Time that something will take, from whole seconds: `~45.0 minutes`.
pub fn estimate(seconds: u64) -> String {
    let value = seconds as f64;
    match seconds {
        0..60 => format!("~{seconds} seconds"),
        60..3600 => format!("~{:.1} minutes", value / 60.0),
        3600..86_400 => format!("~{:.1} hours", value / 3600.0),
        _ => format!("~{:.1} days", value / 86_400.0),
    }
}

/// A rate such as `37.6 MB/s`; `None` while no time has passed.
pub fn rate(bytes: u64, elapsed: Duration) -> Option<String> {
    per_second(bytes, elapsed).map(|bytes| format!("{}/s", size(bytes)))
}

/// Whole bytes per second; `None` while no time has passed.
pub fn per_second(bytes: u64, elapsed: Duration) -> Option<u64> {
    let scaled = u128::from(bytes).saturating_mul(1_000_000_000);
    let rate = scaled.checked_div(elapsed.as_nanos())?;
    Some(u64::try_from(rate).unwrap_or(u64::MAX))
}

/// A number with its noun, which takes an `s` unless there is one: `1 row`, `2 rows`.
pub fn counted(number: u64, noun: &str) -> String {
    Counted(number, noun).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    #[test]
    fn sizes_have_one_decimal_and_the_largest_unit() {
        for (bytes, shown) in [
            (0, "0.0 B"),
            (1023, "1023.0 B"),
            (1024, "1.0 KB"),
            (1536, "1.5 KB"),
            (5 << 20, "5.0 MB"),
            (15 * GB, "15.0 GB"),
            (267 * GB, "267.0 GB"),
            (1 << 40, "1.0 TB"),
            (1 << 50, "1024.0 TB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn durations_change_form_at_their_borders() {
        for (milliseconds, shown) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0s"),
            (59_999, "59.9s"),
            (60_000, "1m 0s"),
            (3_599_999, "59m 59s"),
            (3_600_000, "1h 0m"),
            (90_061_000, "25h 1m"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), shown);
        }
    }

    #[test]
    fn estimates_change_unit_at_their_borders() {
        for (seconds, shown) in [
            (0, "~0 seconds"),
            (59, "~59 seconds"),
            (60, "~1.0 minutes"),
            (360, "~6.0 minutes"),
            (2700, "~45.0 minutes"),
            (3600, "~1.0 hours"),
            (45_000, "~12.5 hours"),
            (48_060, "~13.3 hours"),
            (86_400, "~1.0 days"),
        ] {
            assert_eq!(estimate(seconds), shown);
        }
    }

    #[test]
    fn a_rate_needs_time() {
        assert_eq!(rate(1, Duration::ZERO), None);
        assert_eq!(
            rate(3 << 20, Duration::from_millis(1500)).as_deref(),
            Some("2.0 MB/s")
        );
        assert_eq!(
            per_second(u64::MAX, Duration::from_nanos(1)),
            Some(u64::MAX)
        );
    }

    #[test]
    fn text_cannot_move_the_cursor_or_reverse_itself() {
        assert_eq!(clean("a\r\n\u{1b}[2Jb\u{202e}c"), "a   [2Jb\u{fffd}c");
    }

    #[test]
    fn one_has_no_plural() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }
}
