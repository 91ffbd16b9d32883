use std::fmt::{self, Write as _};

/// Text for people: control characters are replaced, so that no name and no message can forge output.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.chars() {
            let shown = if part.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                part
            };
            f.write_char(shown)?;
        }
        Ok(())
    }
}
