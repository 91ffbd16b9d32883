//! How long before the instant of a copy the rows of a time filter begin.

use std::fmt;

/// A number of units of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    number: u32,
    unit: &'static str,
}

/// Why a text is no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no time window; write a positive whole number and one unit (seconds, minutes, hours, days, weeks, \
     months or years), such as \"6 months\""
)]
pub struct WindowError {
    /// The text.
    pub text: String,
}

/// The units, each with the names that mean it.
const UNITS: [(&str, &[&str]); 7] = [
    ("seconds", &["second", "seconds", "sec", "secs"]),
    ("minutes", &["minute", "minutes", "min", "mins"]),
    ("hours", &["hour", "hours", "hr", "hrs"]),
    ("days", &["day", "days"]),
    ("weeks", &["week", "weeks"]),
    ("months", &["month", "months", "mon", "mons"]),
    ("years", &["year", "years", "yr", "yrs"]),
];

impl Window {
    /// Reads a window, such as `6 months`.
    ///
    /// # Errors
    /// The text is no positive whole number with one unit.
    pub fn parse(text: &str) -> Result<Self, WindowError> {
        let wrong = || WindowError {
            text: text.to_owned(),
        };
        let mut words = text.split_ascii_whitespace();
        let (Some(number), Some(unit), None) = (words.next(), words.next(), words.next()) else {
            return Err(wrong());
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let unit = unit.to_ascii_lowercase();
        let known = UNITS
            .iter()
            .find(|(_, names)| names.contains(&unit.as_str()));
        match (number, known) {
            (1.., Some((unit, _))) => Ok(Self { number, unit }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_positive_number_and_a_unit() {
        let cases = [
            ("6 months", "6 months"),
            (" 1  YEAR ", "1 years"),
            ("90 Days", "90 days"),
            ("5 min", "5 minutes"),
            ("5 mon", "5 months"),
            ("30 secs", "30 seconds"),
        ];
        for (text, window) in cases {
            assert_eq!(Window::parse(text).unwrap().to_string(), window);
        }
        let wrong = [
            "",
            "6",
            "months",
            "0 days",
            "-1 month",
            "+1 month",
            "6 fortnights",
            "1.5 hours",
            "6months",
            "1 year 2 days",
            "99999999999 days",
            "1e3 days",
        ];
        for text in wrong {
            assert!(Window::parse(text).is_err(), "{text}");
        }
    }
}
