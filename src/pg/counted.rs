use std::fmt;

/// A number with its noun, which takes an `s` unless there is one: `1 table`, `2 tables`.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a, N>(pub N, pub &'a str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Counted<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, noun) = self;
        let plural = if *number == N::from(1) { "" } else { "s" };
        write!(f, "{number} {noun}{plural}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_no_plural() {
        assert_eq!(Counted(1_i64, "table").to_string(), "1 table");
        assert_eq!(Counted(0_usize, "table").to_string(), "0 tables");
        assert_eq!(Counted(2_u64, "table").to_string(), "2 tables");
    }
}
