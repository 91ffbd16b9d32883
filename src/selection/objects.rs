//! Objects that are excluded by name: views, functions, triggers, indexes and constraints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Error;
use super::entry::write_parts;
use super::known::NEAR;
use crate::pg::Ident;

/// An object as the user names it: `object`, `schema.object`, `database.object`, `schema.table.object`,
/// `database.schema.object` or `database.schema.table.object`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectEntry {
    parts: Vec<String>,
}

impl ObjectEntry {
    /// An entry of these parts; none where they are not one to four, or one is empty.
    pub fn new(parts: Vec<String>) -> Option<Self> {
        let is_whole = (1..=4).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty());
        is_whole.then_some(Self { parts })
    }

    fn name(&self) -> &str {
        self.parts.last().expect("an entry has a part")
    }
}

impl fmt::Display for ObjectEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parts(&self.parts, f)
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A function, procedure or aggregate.
    Function,
    /// A trigger of a table or view.
    Trigger,
    /// An index of a table or materialized view.
    Index,
    /// A constraint of a table or domain.
    Constraint,
    /// A constraint that is `NOT NULL`.
    NotNull,
    /// An ordinary or partitioned table.
    Table,
    /// A foreign table.
    ForeignTable,
    /// A sequence.
    Sequence,
    /// A type or domain.
    Type,
    /// A policy.
    Policy,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::View,
        Self::MaterializedView,
        Self::Function,
        Self::Trigger,
        Self::Index,
        Self::Constraint,
        Self::NotNull,
        Self::Table,
        Self::ForeignTable,
        Self::Sequence,
        Self::Type,
        Self::Policy,
    ];

    /// Whether objects of this kind can be excluded. Tables, their columns and what protects their rows never can.
    pub const fn is_excludable(self) -> bool {
        match self {
            Self::View
            | Self::MaterializedView
            | Self::Function
            | Self::Trigger
            | Self::Index
            | Self::Constraint => true,
            Self::NotNull
            | Self::Table
            | Self::ForeignTable
            | Self::Sequence
            | Self::Type
            | Self::Policy => false,
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Index => "index",
            Self::Constraint => "constraint",
            Self::NotNull => "not-null constraint",
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Policy => "policy",
        })
    }
}

/// An object of a database, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its schema, or that of its table.
    pub schema: Ident,
    /// The table, view or domain that it belongs to, if it belongs to one.
    pub relation: Option<Ident>,
    /// Its own name.
    pub name: Ident,
}

impl fmt::Display for NamedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            schema,
            relation,
            name,
        } = self;
        match relation {
            Some(relation) => write!(f, "{kind} {name} on {schema}.{relation}"),
            None => write!(f, "{kind} {schema}.{name}"),
        }
    }
}

/// An object that an entry may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedObject {
    /// The object.
    pub object: NamedObject,
    /// The extension that it, or its table, comes with.
    pub extension: Option<String>,
    /// Whether it comes with an object of a parent table.
    pub is_inherited: bool,
}

/// The objects of one database that are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExcludedObjects(BTreeSet<NamedObject>);

impl ExcludedObjects {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object is excluded.
    pub fn contains(&self, object: &NamedObject) -> bool {
        self.0.contains(object)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &NamedObject> {
        self.0.iter()
    }
}

/// What the entries came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedObjects {
    /// The excluded objects of each database that has any.
    pub databases: BTreeMap<String, ExcludedObjects>,
    /// What could have been meant otherwise.
    pub warnings: Vec<String>,
}

/// A database with an object that an entry matches.
type Found<'a> = (&'a str, &'a OfferedObject);

/// The objects of the chosen databases.
type AllObjects = BTreeMap<String, Vec<OfferedObject>>;

/// Finds the objects that entries match.
///
/// # Errors
/// An entry matches nothing, or something that is never excluded.
pub fn resolve_objects(
    entries: &[ObjectEntry],
    offered: &AllObjects,
) -> Result<ResolvedObjects, Error> {
    let mut resolved = ResolvedObjects::default();
    for entry in entries {
        let found = find_objects(entry, offered, &mut resolved.warnings);
        if found.is_empty() {
            return Err(Error::NoObject {
                entry: entry.clone(),
                near: find_nearest(entry, offered),
            });
        }
        for (database, object) in without_inherited(entry, &found)? {
            let excluded = resolved.databases.entry(database.to_owned()).or_default();
            excluded.0.insert(object.clone());
        }
    }
    Ok(resolved)
}

/// Returns the objects that no parent table brings; others go with those of the parent.
fn without_inherited<'a>(
    entry: &ObjectEntry,
    found: &[Found<'a>],
) -> Result<Vec<(&'a str, &'a NamedObject)>, Error> {
    let mut own = Vec::new();
    for (database, offered) in found {
        check_excludable(entry, (database, offered))?;
        if !offered.is_inherited {
            own.push((*database, &offered.object));
        }
    }
    match found.first() {
        Some((database, offered)) if own.is_empty() => Err(Error::InheritedObject {
            entry: entry.clone(),
            database: (*database).to_owned(),
            object: Box::new(offered.object.clone()),
        }),
        _ => Ok(own),
    }
}

/// Refuses what is never excluded.
fn check_excludable(
    entry: &ObjectEntry,
    (database, offered): (&str, &OfferedObject),
) -> Result<(), Error> {
    let (entry, database) = (entry.clone(), database.to_owned());
    let object = Box::new(offered.object.clone());
    if !object.kind.is_excludable() {
        return Err(Error::NeverExcluded {
            entry,
            database,
            object,
        });
    }
    match offered.extension.clone() {
        Some(extension) => Err(Error::ObjectOfExtension {
            entry,
            database,
            object,
            extension,
        }),
        None => Ok(()),
    }
}

/// One way to read an entry.
#[derive(Clone, Copy)]
struct Reading<'e> {
    database: Option<&'e str>,
    schema: &'e str,
    relation: Option<&'e str>,
    name: &'e str,
}

impl Reading<'_> {
    fn find<'a>(&self, offered: &'a AllObjects) -> Vec<Found<'a>> {
        let is_meant = |object: &NamedObject| {
            let relation = object.relation.as_ref().map(Ident::as_str);
            object.schema.as_str() == self.schema
                && object.name.as_str() == self.name
                && self.relation.is_none_or(|wanted| relation == Some(wanted))
        };
        let databases = offered
            .iter()
            .filter(|(name, _)| self.database.is_none_or(|wanted| wanted == name.as_str()));
        let found = databases.flat_map(|(database, objects)| {
            let meant = objects.iter().filter(|offered| is_meant(&offered.object));
            meant.map(move |object| (database.as_str(), object))
        });
        found.collect()
    }
}

/// The ways to read an entry: the first one that matches anything counts.
fn list_readings(entry: &ObjectEntry) -> Vec<Reading<'_>> {
    let parts: Vec<&str> = entry.parts.iter().map(String::as_str).collect();
    let reading = |database, schema, relation, name| Reading {
        database,
        schema,
        relation,
        name,
    };
    match parts[..] {
        [name] => vec![reading(None, "public", None, name)],
        [either, name] => vec![
            reading(None, either, None, name),
            reading(Some(either), "public", None, name),
        ],
        [first, second, name] => vec![
            reading(Some(first), second, None, name),
            reading(None, first, Some(second), name),
        ],
        [database, schema, relation, name] => {
            vec![reading(Some(database), schema, Some(relation), name)]
        }
        _ => Vec::new(),
    }
}

/// The objects that an entry matches.
fn find_objects<'a>(
    entry: &ObjectEntry,
    offered: &'a AllObjects,
    warnings: &mut Vec<String>,
) -> Vec<Found<'a>> {
    let readings = list_readings(entry).into_iter();
    let found = readings.map(|reading| reading.find(offered));
    let mut found = found.filter(|found| !found.is_empty());
    let taken = found.next().unwrap_or_default();
    let is_taken = |one: &Found<'a>| taken.contains(one);
    if let (Some((database, object)), Some(other)) = (taken.first(), found.next())
        && !other.iter().all(is_taken)
    {
        warnings.push(format!(
            "{entry} is taken as {} in database {database}; write database, schema and name to mean another object",
            object.object
        ));
    }
    taken
}

/// The objects with names like an entry's.
fn find_nearest(entry: &ObjectEntry, offered: &AllObjects) -> Vec<String> {
    let wanted = entry.name().to_lowercase();
    let mut near = BTreeSet::new();
    for (database, objects) in offered {
        let objects = objects.iter().map(|offered| &offered.object);
        for object in objects.filter(|object| object.kind.is_excludable()) {
            let distance = strsim::levenshtein(&wanted, &object.name.as_str().to_lowercase());
            if distance <= wanted.chars().count() / 2 {
                near.insert((distance, format!("{object} in database {database}")));
            }
        }
    }
    let near = near.into_iter().map(|(_, name)| name);
    near.take(NEAR).collect()
}

#[cfg(test)]
#[path = "objects/tests.rs"]
mod tests;
