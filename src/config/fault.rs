//! What is wrong with a configuration file.

use std::io;
use std::path::PathBuf;

use super::key::{Foreign, Suggestion};
use crate::pg::{Printable, QualifiedName};
use crate::predicate;
use crate::selection::Position;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its content is wrong.
    #[error("configuration file {}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<Fault>,
    },
}

/// A rule of the file for a table that has another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRule {
    /// What it asks, in words.
    pub rule: String,
    /// Where it is.
    pub position: Position,
}

/// The first thing that is wrong with the content of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is larger than any configuration.
    #[error("the file is larger than 10 MB")]
    TooLarge,
    /// It is in another encoding.
    #[error("the file is encoded in {encoding}; save it as UTF-8")]
    Encoding {
        /// What it seems to be.
        encoding: &'static str,
    },
    /// It has bytes that are no UTF-8.
    #[error("invalid UTF-8 at {position}; save the file as UTF-8")]
    NoText {
        /// The first such byte.
        position: Position,
    },
    /// It is no TOML.
    #[error("{message} at {position}")]
    Syntax {
        /// What the parser expects.
        message: String,
        /// Where.
        position: Position,
    },
    /// A key is not known.
    #[error("unknown key {key:?} at {position}{}", shown(*suggestion))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it is.
        position: Position,
        /// What was probably meant.
        suggestion: Option<Suggestion>,
    },
    /// A key asks for what does not belong in the file.
    #[error("{key:?} at {position}: {} do not belong in this file", match what {
        Foreign::Server => "servers",
        Foreign::Password => "passwords",
    })]
    Foreign {
        /// The key.
        key: String,
        /// Where it is.
        position: Position,
        /// What it asks for.
        what: Foreign,
    },
    /// A value has another type.
    #[error("{key:?} has {found} at {position}; write {expected}")]
    WrongType {
        /// The key.
        key: String,
        /// Where the value, or the element of the list, is.
        position: Position,
        /// What the value is.
        found: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A number is too small or too large.
    #[error("{key:?} at {position} is {value}; write an integer from 1 to 256")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Where the value is.
        position: Position,
        /// The value.
        value: String,
    },
    /// Two lists exclude each other.
    #[error("{:?} at {} and {:?} at {} exclude each other; remove one", lists[0], positions[0], lists[1], positions[1])]
    BothLists {
        /// Their keys.
        lists: [&'static str; 2],
        /// Where they are.
        positions: [Position; 2],
    },
    /// A list that selects is empty.
    #[error(
        "{key:?} at {position} is empty and would select nothing; remove it to select everything"
    )]
    SelectsNothing {
        /// The key.
        key: &'static str,
        /// Where the value is.
        position: Position,
    },
    /// A name cannot be read.
    #[error("{key:?}: {text:?} at {position} {problem}")]
    Name {
        /// The key.
        key: &'static str,
        /// The name as written.
        text: String,
        /// Where it is.
        position: Position,
        /// Why not.
        problem: NameProblem,
    },
    /// A section has an empty name.
    #[error("the name of the database at {position} is empty; write [databases.NAME]")]
    UnnamedSection {
        /// Where it is.
        position: Position,
    },
    /// A name in a section is of another database.
    #[error(
        "{text:?} at {position} is a table of database {named:?} in the section of database {section:?}; move it to \
         the section of {named:?}"
    )]
    OtherDatabase {
        /// The name as written.
        text: String,
        /// Where it is.
        position: Position,
        /// The database that it names.
        named: String,
        /// The database of the section.
        section: String,
    },
    /// A predicate cannot be used.
    #[error("\"where\" at {position}: {fault} of the predicate")]
    Predicate {
        /// Where its text is.
        position: Position,
        /// What is wrong in it.
        fault: predicate::Fault,
    },
    /// A window cannot be read.
    #[error("\"last\" at {position}: {error}")]
    Window {
        /// Where it is.
        position: Position,
        /// What is wrong.
        error: predicate::WindowError,
    },
    /// An entry has no value for a key that it requires.
    #[error("the entry of {list} at {position} has no {key:?}; write {}", list.example())]
    MissingKey {
        /// The list.
        list: FilterList,
        /// Where it is.
        position: Position,
        /// The key.
        key: &'static str,
    },
    /// A table has two rules.
    #[error(
        "two rules for table {table} in database {}: {} at {} and {} at {}; remove one",
        Printable(database),
        rules[0].rule,
        rules[0].position,
        rules[1].rule,
        rules[1].position
    )]
    DuplicateRule {
        /// The database.
        database: String,
        /// The table.
        table: QualifiedName,
        /// Both rules.
        rules: Box<[WrittenRule; 2]>,
    },
}

/// A list of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterList {
    /// `table_filters`.
    Table,
    /// `time_filters`.
    Time,
}

impl FilterList {
    const fn example(self) -> &'static str {
        match self {
            Self::Table => "{ table = \"orders\", where = \"status = 'open'\" }",
            Self::Time => "{ table = \"events\", column = \"created_at\", last = \"6 months\" }",
        }
    }
}

impl std::fmt::Display for FilterList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Table => "table_filters",
            Self::Time => "time_filters",
        })
    }
}

/// Why a name cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameProblem {
    /// Empty.
    Empty,
    /// A quote is not closed.
    OpenQuote,
    /// A comma outside quotes.
    Comma,
    /// Too many parts or an empty one, in a list of tables.
    Parts,
    /// The same in a section.
    SectionParts,
}

impl std::fmt::Display for NameProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::OpenQuote => "has a double quote that is not closed",
            Self::Comma => {
                "has a comma; write one string for each name, and a comma of a name in double quotes"
            }
            Self::Parts => {
                "is not table, database.table, schema.table or database.schema.table; double quotes keep a dot"
            }
            Self::SectionParts => {
                "is not table, schema.table or database.schema.table; double quotes keep a dot"
            }
        })
    }
}

fn shown(suggestion: Option<Suggestion>) -> String {
    suggestion.map_or_else(String::new, |suggestion| format!("; {suggestion}"))
}
