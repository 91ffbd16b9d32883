//! The example of a configuration file.

/// A file with every key, which comments describe. A line that begins with `#` and a key is an alternative to lines
/// above it.
pub const EXAMPLE: &str = include_str!("example.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{File, Level};
    use crate::selection::{Databases, Tables};

    /// The example with the alternatives in place of what they replace.
    fn with_alternatives() -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in EXAMPLE.lines() {
            let alternative = line.strip_prefix('#').filter(|rest| is_key(rest));
            match alternative {
                Some(rest) => {
                    let subject = rest.split(['_', ' ']).nth(1).unwrap();
                    let replaced = format!("clude_{subject}");
                    lines.retain(|line| line.starts_with('#') || !line.contains(&replaced));
                    lines.push(rest.to_owned());
                }
                None => lines.push(line.to_owned()),
            }
        }
        lines.join("\n")
    }

    fn is_key(text: &str) -> bool {
        text.starts_with(|letter: char| letter.is_ascii_lowercase())
    }

    #[test]
    fn the_example_is_valid_and_so_are_its_alternatives() {
        let file = File::parse(EXAMPLE.as_bytes()).unwrap();
        assert!(matches!(file.databases.unwrap().value, Databases::Only(_)));
        assert!(matches!(file.tables.unwrap().value, Tables::AllBut(_)));
        assert_eq!((file.sections.len(), file.rules.len()), (2, 8));
        let other = File::parse(with_alternatives().as_bytes()).unwrap();
        assert!(matches!(
            other.databases.unwrap().value,
            Databases::AllBut(_)
        ));
        assert!(matches!(other.tables.unwrap().value, Tables::Only(_)));
    }

    #[test]
    fn the_example_has_every_key() {
        for level in Level::ALL {
            for name in level.names() {
                let has = |line: &str| {
                    let line = line.trim_start_matches(['#', '[']);
                    let name_ends = |rest: &str| rest.starts_with([' ', '.', ']']);
                    line.strip_prefix(name).is_some_and(name_ends)
                        || line.contains(&format!(".{name}]]"))
                };
                assert!(EXAMPLE.lines().any(has), "{name}");
            }
        }
    }
}
