//! The password file (manual, "The Password File"): `host:port:database:user:password`, with `*` for
//! any value, and `\` before `:` and `\`. The first line that matches counts.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Secret;

/// The lines of a password file.
#[derive(Clone, Debug, Default)]
pub struct Passfile {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    host: Field,
    port: Field,
    database: Field,
    user: Field,
    password: Secret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Any,
    Is(String),
}

impl Field {
    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(wanted) => wanted == value,
        }
    }
}

impl Passfile {
    /// Reads a file; one that is missing is empty. One that others can read, or that is no plain
    /// file, is not used, with a warning.
    pub(super) fn read(path: &Path) -> (Self, Option<String>) {
        let Ok(metadata) = fs::metadata(path) else {
            return (Self::default(), None);
        };
        let shown = path.display();
        if !metadata.is_file() {
            let warning = format!("password file {shown} is not a plain file and is not used");
            return (Self::default(), Some(warning));
        }
        if metadata.mode() & 0o077 != 0 {
            let warning = format!(
                "password file {shown} can be read by group or others and is not used; chmod 0600 it"
            );
            return (Self::default(), Some(warning));
        }
        match fs::read_to_string(path) {
            Ok(text) => (Self::parse(&text), None),
            Err(error) => {
                let warning =
                    format!("password file {shown} cannot be read and is not used: {error}");
                (Self::default(), Some(warning))
            }
        }
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Self {
        Self {
            entries: text.lines().filter_map(parse_entry).collect(),
        }
    }

    /// The password for a connection.
    pub fn password(&self, host: &str, port: u16, database: &str, user: &str) -> Option<Secret> {
        let port = port.to_string();
        let found = self.entries.iter().find(|entry| {
            entry.host.matches(host)
                && entry.port.matches(&port)
                && entry.database.matches(database)
                && entry.user.matches(user)
        });
        found.map(|entry| entry.password.clone())
    }
}

/// A line; comments and lines with fewer fields are skipped, as libpq does.
fn parse_entry(line: &str) -> Option<Entry> {
    if line.starts_with('#') {
        return None;
    }
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut fields = Vec::new();
    let mut rest = line;
    while fields.len() < 4 {
        let (field, after) = parse_field(rest)?;
        fields.push(field);
        rest = after;
    }
    let [host, port, database, user] = <[Field; 4]>::try_from(fields).ok()?;
    // The rest is the password, in which a colon needs no backslash.
    let password = Secret::new(unescape_field(rest));
    Some(Entry {
        host,
        port,
        database,
        user,
        password,
    })
}

/// A field and what follows its colon.
fn parse_field(text: &str) -> Option<(Field, &str)> {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let ends = *c == ':' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    let (end, _) = end?;
    let field = match &text[..end] {
        "*" => Field::Any,
        value => Field::Is(unescape_field(value)),
    };
    Some((field, &text[end + 1..]))
}

fn unescape_field(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let taken = if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        };
        out.push(taken);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn find(text: &str, host: &str, user: &str) -> Option<String> {
        let found = Passfile::parse(text).password(host, 5432, "d", user);
        found.map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_first_matching_line_counts() {
        let text = "# c\nh:5432:d:u:first\n*:*:*:*:any\n";
        assert_eq!(find(text, "h", "u").unwrap(), "first");
        assert_eq!(find(text, "x", "u").unwrap(), "any");
        assert_eq!(find("h:1:d:u:p", "h", "u"), None);
    }

    #[test]
    fn colons_and_backslashes_are_escaped() {
        let text = r"a\:b:*:d:u\\v:p\:q\\r:s";
        assert_eq!(find(text, "a:b", r"u\v").unwrap(), r"p:q\r:s");
        assert_eq!(find(r"\*:*:*:*:p", "x", "u"), None);
    }

    #[test]
    fn short_lines_are_skipped() {
        assert_eq!(find("h:5432:d\n\n*:*:*:*:p", "h", "u").unwrap(), "p");
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        fs::write(&path, "*:*:*:*:p").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let (file, warning) = Passfile::read(&path);
        assert!(file.entries.is_empty() && warning.unwrap().contains("chmod 0600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let (file, warning) = Passfile::read(&path);
        assert!(file.entries.len() == 1 && warning.is_none());
        assert!(Passfile::read(Path::new("/nonexistent")).1.is_none());
    }
}
