//! Colour, where it is wanted.

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also on a pipe.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// The style of a stream.
    pub(super) fn style(self, is_terminal: bool, no_color: bool) -> Style {
        Style {
            colored: match self {
                Self::Auto => is_terminal && !no_color,
                Self::Always => true,
                Self::Never => false,
            },
        }
    }
}

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    colored: bool,
}

impl Style {
    /// For streams without colour.
    pub const PLAIN: Self = Self { colored: false };

    /// Whether text is painted.
    pub(super) fn is_colored(self) -> bool {
        self.colored
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colored {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// For what is well.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what needs attention.
    pub fn doubtful(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For what should be seen first.
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_colored_only_on_demand() {
        assert_eq!(Color::Auto.style(false, false), Style::PLAIN);
        assert_eq!(Color::Auto.style(true, true), Style::PLAIN);
        assert_eq!(Color::Never.style(true, false), Style::PLAIN);
        assert_eq!(
            Color::Always.style(false, true).bad("x"),
            "\u{1b}[31mx\u{1b}[0m"
        );
    }
}
