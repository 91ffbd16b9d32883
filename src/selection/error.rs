use super::entry::Entry;
use super::objects::{NamedObject, ObjectEntry};
use super::origin::Position;
use crate::pg::{QualifiedName, RelKind};
use crate::remedy::{Remedy, Setting};

/// Why nothing can be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name matches no candidate.
    #[error(
        "no database {name:?} on the source that could be copied; there are: {}",
        shown_list(candidates)
    )]
    Unknown {
        /// The name as given.
        name: String,
        /// What could have been named.
        candidates: Vec<String>,
    },
    /// A name matches a database that is no candidate.
    #[error("no database {name:?} on the source that could be copied: it {why}")]
    NotCopyable {
        /// The name as given.
        name: String,
        /// Why.
        why: String,
        /// What allows a copy of it, where something does.
        remedy: Option<Remedy>,
    },
    /// Nothing is left to copy.
    #[error(
        "no database is selected; the source offers: {}",
        shown_list(candidates)
    )]
    Empty {
        /// What could have been named.
        candidates: Vec<String>,
    },
    /// A section of the configuration file is for a database that the source does not have.
    #[error(
        "no database {database:?} on the source (section at {position} of the configuration file); there are: {}",
        shown_list(existing)
    )]
    UnknownSection {
        /// The section's database.
        database: String,
        /// Where the section begins.
        position: Position,
        /// The databases of the source.
        existing: Vec<String>,
    },
    /// An entry matches no table.
    #[error(
        "no table {entry} in {}; the nearest: {}",
        entry.scope(),
        shown_list(near)
    )]
    NoTable {
        /// The entry as given.
        entry: Entry,
        /// Tables with names like it, as `database.schema.table`.
        near: Vec<String>,
    },
    /// An entry matches another kind of relation.
    #[error("{entry}: {relation} in database {database} is a {kind}, and only tables are selected")]
    NoTableByKind {
        /// The entry as given.
        entry: Entry,
        /// Its database.
        database: String,
        /// What it matches.
        relation: QualifiedName,
        /// What that is.
        kind: RelKind,
    },
    /// An entry matches a table that comes with an extension.
    #[error(
        "{entry}: {relation} in database {database} belongs to extension {extension}, and goes with it"
    )]
    OfExtension {
        /// The entry as given.
        entry: Entry,
        /// Its database.
        database: String,
        /// The table.
        relation: QualifiedName,
        /// The extension's name.
        extension: String,
    },
    /// An entry matches a chunk of a hypertable, whose rows are read through the hypertable.
    #[error(
        "{entry}: {chunk} in database {database} is a chunk of hypertable {hypertable}; name the hypertable"
    )]
    Chunk {
        /// The entry as given.
        entry: Entry,
        /// Its database.
        database: String,
        /// The chunk.
        chunk: Box<QualifiedName>,
        /// Its hypertable.
        hypertable: Box<QualifiedName>,
    },
    /// Two rules contradict each other.
    #[error("{entry}: two rules for table {table} in database {database}: {} and {}; remove one", rules[0], rules[1])]
    RulesConflict {
        /// The second entry as given.
        entry: Entry,
        /// The database.
        database: String,
        /// The table.
        table: QualifiedName,
        /// Both, the first one first.
        rules: Box<[String; 2]>,
    },
    /// A row filter is on a single partition.
    #[error("{entry}: a row filter applies to a whole partitioned table; write it for {root}")]
    FilterOnPartition {
        /// The entry as given.
        entry: Entry,
        /// The partitioned table at the top.
        root: QualifiedName,
    },
    /// An entry matches no object.
    #[error(
        "no view, function, trigger, index or constraint {entry} in the selected databases; the nearest: {}",
        shown_list(near)
    )]
    NoObject {
        /// The entry as given.
        entry: ObjectEntry,
        /// Objects with names like it.
        near: Vec<String>,
    },
    /// An entry matches something that is never excluded.
    #[error(
        "{entry}: {object} in database {database} cannot be excluded: only views, functions, triggers, indexes and \
         constraints can"
    )]
    NeverExcluded {
        /// The entry as given.
        entry: ObjectEntry,
        /// Its database.
        database: String,
        /// What it matches.
        object: Box<NamedObject>,
    },
    /// An entry matches an object that comes with an extension.
    #[error(
        "{entry}: {object} in database {database} belongs to extension {extension}, and goes with it"
    )]
    ObjectOfExtension {
        /// The entry as given.
        entry: ObjectEntry,
        /// Its database.
        database: String,
        /// The object.
        object: Box<NamedObject>,
        /// The extension's name.
        extension: String,
    },
    /// An entry matches only an object that a parent table's object brings.
    #[error(
        "{entry}: {object} in database {database} is inherited from a parent table; exclude the parent's"
    )]
    InheritedObject {
        /// The entry as given.
        entry: ObjectEntry,
        /// Its database.
        database: String,
        /// The object.
        object: Box<NamedObject>,
    },
    /// A partition cannot be had without the table that it is a part of.
    #[error("{entry}: a partition cannot be included alone")]
    PartitionAlone {
        /// The entry as given.
        entry: Entry,
        /// The partitioned table at the top.
        root: QualifiedName,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        if let Self::NotCopyable { remedy, .. } = self {
            return remedy.iter().cloned().collect();
        }
        if let Self::PartitionAlone { root, .. } = self {
            let action = format!("include {root}, and exclude other partitions");
            return vec![Remedy::with(action, Setting::ExcludeTables)];
        }
        Vec::new()
    }
}

fn shown_list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
