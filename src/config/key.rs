//! The keys of the configuration file, and what an unknown one was probably meant to be.

use std::fmt;

/// Declares the keys of a level, and the list of their names.
macro_rules! keys {
    ($(#[$doc:meta])* $level:ident { $($key:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $level {
            $($key,)+
        }

        impl $level {
            /// The names of all keys.
            pub(super) const NAMES: &'static [&'static str] = &[$($name,)+];

            /// Returns the key of this name.
            pub(super) fn find(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$key),)+
                    _ => None,
                }
            }
        }
    };
}

keys! {
    /// Keys before the first section.
    TopKey {
        IncludeDatabases = "include_databases",
        ExcludeDatabases = "exclude_databases",
        IncludeTables = "include_tables",
        ExcludeTables = "exclude_tables",
        Jobs = "jobs",
        Databases = "databases",
    }
}

keys! {
    /// Keys of a database's section.
    SectionKey {
        SchemaOnly = "schema_only",
        SnapshotOnly = "snapshot_only",
        InsertOnly = "insert_only",
        TableFilters = "table_filters",
        TimeFilters = "time_filters",
    }
}

keys! {
    /// Keys of an entry of `table_filters`.
    TableFilterKey {
        Table = "table",
        Schema = "schema",
        Where = "where",
    }
}

keys! {
    /// Keys of an entry of `time_filters`.
    TimeFilterKey {
        Table = "table",
        Schema = "schema",
        Column = "column",
        Last = "last",
    }
}

/// Where a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Before the first section.
    Top,
    /// In the section of a database.
    Section,
    /// In an entry of `table_filters`.
    TableFilter,
    /// In an entry of `time_filters`.
    TimeFilter,
}

impl Level {
    /// All levels.
    pub const ALL: [Self; 4] = [
        Self::Top,
        Self::Section,
        Self::TableFilter,
        Self::TimeFilter,
    ];

    /// The names of its keys.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Top => TopKey::NAMES,
            Self::Section => SectionKey::NAMES,
            Self::TableFilter => TableFilterKey::NAMES,
            Self::TimeFilter => TimeFilterKey::NAMES,
        }
    }
}

/// Where the key of a suggestion is written.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Top => "at the top of the file, before the first section",
            Self::Section => "in a section [databases.NAME]",
            Self::TableFilter => "in an entry of table_filters",
            Self::TimeFilter => "in an entry of time_filters",
        })
    }
}

/// A key that was probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Its name.
    pub name: &'static str,
    /// Where it is written, if elsewhere.
    pub elsewhere: Option<Level>,
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did you mean {:?}", self.name)?;
        if let Some(level) = self.elsewhere {
            write!(f, " {level}")?;
        }
        f.write_str("?")
    }
}

/// Words that users may expect instead of our keys: names of options, and terms of other programs.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("condition", "where"),
    ("filter", "where"),
    ("insert_only_tables", "insert_only"),
    ("interval", "last"),
    ("predicate", "where"),
    ("schema_only_tables", "schema_only"),
    ("snapshot_only_tables", "snapshot_only"),
    ("window", "last"),
    ("workers", "jobs"),
];

/// What does not belong in the file at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A server, or a part of its connection string.
    Server,
    /// A password.
    Password,
}

/// Returns whether a key asks for a server or a password.
pub(super) fn find_foreign(name: &str) -> Option<Foreign> {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["password", "passwd", "secret", "pgpass"]) {
        return Some(Foreign::Password);
    }
    let is_server = has(&["url", "source", "target", "dsn", "connection", "conninfo"])
        || matches!(
            name.as_str(),
            "host" | "port" | "user" | "dbname" | "sslmode"
        );
    is_server.then_some(Foreign::Server)
}

/// Returns the key that an unknown one was probably meant to be: one of its level, or of another.
pub(super) fn suggest_key(wrong: &str, level: Level) -> Option<Suggestion> {
    let lower = wrong.to_lowercase().replace('-', "_");
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == lower);
    let meant = other.map_or(lower.as_str(), |(_, key)| key);
    let levels = std::iter::once(level).chain(Level::ALL.into_iter().filter(|one| *one != level));
    let exact = levels.clone().find_map(|level| {
        let name = level.names().iter().find(|name| **name == meant);
        name.map(|name| (level, *name))
    });
    let nearest = || {
        levels
            .clone()
            .find_map(|one| Some((one, nearest_name(meant, one)?)))
    };
    let (found, name) = exact.or_else(nearest)?;
    Some(Suggestion {
        name,
        elsewhere: (found != level).then_some(found),
    })
}

/// The name of a level that is most like a wrong one.
fn nearest_name(wrong: &str, level: Level) -> Option<&'static str> {
    // A third of the letters may be wrong.
    let most = (wrong.chars().count() / 3).max(1);
    let names = level.names().iter();
    let distances = names.map(|name| (strsim::damerau_levenshtein(wrong, name), *name));
    let (distance, name) = distances.min()?;
    (distance <= most).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_finds_the_one_that_was_meant() {
        for (wrong, level, expected) in [
            (
                "tabel_filters",
                Level::Section,
                Some("did you mean \"table_filters\"?"),
            ),
            (
                "Schema-Only",
                Level::Section,
                Some("did you mean \"schema_only\"?"),
            ),
            (
                "predicate",
                Level::TableFilter,
                Some("did you mean \"where\"?"),
            ),
            ("window", Level::TimeFilter, Some("did you mean \"last\"?")),
            ("database", Level::Top, Some("did you mean \"databases\"?")),
            (
                "schema_only_tables",
                Level::Top,
                Some("did you mean \"schema_only\" in a section [databases.NAME]?"),
            ),
            (
                "jobs",
                Level::Section,
                Some("did you mean \"jobs\" at the top of the file, before the first section?"),
            ),
            (
                "colum",
                Level::TableFilter,
                Some("did you mean \"column\" in an entry of time_filters?"),
            ),
            ("colour", Level::Top, None),
            ("", Level::Top, None),
        ] {
            let found = suggest_key(wrong, level).map(|one| one.to_string());
            assert_eq!(found.as_deref(), expected, "{wrong}");
        }
    }

    #[test]
    fn servers_and_passwords_are_recognized() {
        for name in ["source", "target_url", "SOURCE_DATABASE_URL", "dsn", "host"] {
            assert_eq!(find_foreign(name), Some(Foreign::Server), "{name}");
        }
        for name in ["password", "source_password", "PGPASSWORD", "sslpassword"] {
            assert_eq!(find_foreign(name), Some(Foreign::Password), "{name}");
        }
        for name in ["jobs", "include_databases", "hosts_table", "where"] {
            assert_eq!(find_foreign(name), None, "{name}");
        }
    }

    #[test]
    fn no_key_of_the_file_asks_for_a_server() {
        for level in Level::ALL {
            for name in level.names() {
                assert_eq!(find_foreign(name), None, "{name}");
                assert_eq!(suggest_key(name, level).unwrap().elsewhere, None);
            }
        }
    }
}
