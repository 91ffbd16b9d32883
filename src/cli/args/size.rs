//! Sizes as people and `postgresql.conf` write them: `64MB`, `1.5 GB`, `8192`.

/// The units, in the powers of 1024 that PostgreSQL means by them.
const UNITS: [(&str, u32); 5] = [("b", 0), ("kb", 10), ("mb", 20), ("gb", 30), ("tb", 40)];

/// A size in bytes, at least 1.
///
/// # Errors
/// The text is no number with a unit, or says nothing or too much.
pub(in crate::cli) fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|part: char| !part.is_ascii_digit() && part != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let shift = if unit.is_empty() {
        Some(0)
    } else {
        let unit = UNITS.iter().find(|(name, _)| *name == unit);
        unit.map(|(_, shift)| *shift)
    };
    let shift = shift.ok_or_else(|| format!("unknown unit {unit:?}: use B, kB, MB, GB or TB"))?;
    let bytes = match number.split_once('.') {
        None => number.parse().ok().and_then(|whole| scaled(whole, shift)),
        Some(_) => fraction(number, shift),
    };
    match bytes {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(format!(
            "{text:?} is no size: write a number and a unit, such as 64MB"
        )),
    }
}

fn fraction(number: &str, shift: u32) -> Option<u64> {
    let (whole, part) = number.split_once('.')?;
    let digits = u32::try_from(part.len())
        .ok()
        .filter(|digits| *digits <= 6)?;
    let all: u64 = format!("{whole}{part}").parse().ok()?;
    Some(scaled(all, shift)? / 10_u64.pow(digits))
}

/// So many units of 2 to the power of `shift` bytes.
fn scaled(number: u64, shift: u32) -> Option<u64> {
    number.checked_mul(1_u64.checked_shl(shift)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_postgresql_writes_them() {
        assert_eq!(parse_size("8192"), Ok(8192));
        assert_eq!(parse_size(" 64MB "), Ok(64 << 20));
        assert_eq!(parse_size("1.5 gb"), Ok(3 << 29));
        assert_eq!(parse_size("1kB"), Ok(1024));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MB",
            "0",
            "-1",
            "1 XB",
            "99999999999TB",
            "1.2.3MB",
            "0.1B",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
