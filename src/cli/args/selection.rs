use crate::cli::Error;
use crate::selection::Databases;

/// Which databases take part.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Selection {
    /// Only these databases; names as in the catalog, comma-separated, repeatable
    #[arg(long, value_name = "LIST", conflicts_with = "exclude_databases")]
    include_databases: Vec<String>,

    /// All databases but these
    #[arg(long, value_name = "LIST")]
    exclude_databases: Vec<String>,
}

impl Selection {
    /// The databases asked for.
    ///
    /// # Errors
    /// An item is empty or a quote is left open.
    pub(in crate::cli) fn databases(&self) -> Result<Databases, Error> {
        let include = items("--include-databases", &self.include_databases)?;
        let exclude = items("--exclude-databases", &self.exclude_databases)?;
        Ok(match (include.is_empty(), exclude.is_empty()) {
            (true, true) => Databases::All,
            (false, _) => Databases::Only(include),
            (true, false) => Databases::AllBut(exclude),
        })
    }
}

/// Splits at commas outside double quotes and removes the quotes, doubled ones standing for one.
pub(super) fn items(flag: &'static str, lists: &[String]) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for list in lists {
        let mut rest = list.as_str();
        loop {
            let (item, after) = next_item(rest, ',').ok_or(Error::OpenQuote {
                flag,
                text: list.clone(),
            })?;
            if item.is_empty() {
                return Err(Error::EmptyItem {
                    flag,
                    text: list.clone(),
                });
            }
            found.push(item);
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
    }
    Ok(found)
}

/// The first item and what follows its separator; `None` when a quote is not closed.
pub(super) fn next_item(text: &str, separator: char) -> Option<(String, Option<&str>)> {
    let text = text.trim_start();
    let mut item = String::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, part)) = chars.next() {
        match part {
            '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                item.push('"');
                kept = item.len();
            }
            '"' => {
                quoted = !quoted;
                kept = item.len();
            }
            _ if part == separator && !quoted => {
                item.truncate(kept.max(item.trim_end().len()));
                return Some((item, Some(&text[at + 1..])));
            }
            other => item.push(other),
        }
    }
    item.truncate(kept.max(item.trim_end().len()));
    (!quoted).then_some((item, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<String>, Error> {
        items("--x", &[text.to_owned()])
    }

    #[test]
    fn items_are_trimmed_and_quotes_keep_commas_and_blanks() {
        assert_eq!(split("a, b ,c").unwrap(), ["a", "b", "c"]);
        assert_eq!(split(r#""a,b"," c ""d" "#).unwrap(), ["a,b", " c \"d"]);
    }

    #[test]
    fn empty_items_and_open_quotes_are_usage_errors() {
        for text in ["", "a,", ",a", "a,,b", "\"a"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
