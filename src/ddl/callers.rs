//! Callers of functions that do not come with the server. Such a function may read any table, so it is called
//! only when all rows exist.

use std::collections::{HashMap, HashSet};

use crate::catalog::model::{Body, Dependency, ObjectId, Routine};
use crate::catalog::{Catalog, Class};
use crate::pg::Oid;

/// What calls a function of a user or an extension, by itself or by an operator. Operator classes of
/// extensions are trusted to look at nothing but their values.
pub(super) fn find_callers(catalog: &Catalog) -> HashSet<ObjectId> {
    find_calling(catalog, &|_| true)
}

/// What calls a function of a user.
pub(super) fn find_callers_of_users(catalog: &Catalog) -> HashSet<ObjectId> {
    find_calling(catalog, &|called| !catalog.members.contains_key(called))
}

fn find_calling(catalog: &Catalog, counts: &dyn Fn(&ObjectId) -> bool) -> HashSet<ObjectId> {
    let calls = |edge: &&Dependency| {
        let class = edge.to.class;
        let is_users = || !catalog.members.contains_key(&edge.to);
        let is_called = matches!(class, Class::Routine | Class::Operator)
            || class == Class::OperatorClass && is_users();
        is_called && counts(&edge.to)
    };
    let edges = catalog.dependencies.iter().filter(calls);
    edges.map(|edge| edge.from).collect()
}

/// The tables with columns that functions of users generate which may read other tables. These are called
/// for each row that is copied, so that the rows of these tables are copied last.
pub fn find_generated_by_code(catalog: &Catalog) -> HashSet<Oid> {
    let mut tables = HashSet::new();
    let called = find_called_by_defaults(catalog);
    let routines = Routines::new(catalog);
    for table in &catalog.tables {
        let generated = table.columns.iter().filter(|c| c.generated.is_some());
        let defaults = generated.filter_map(|column| column.default.as_ref());
        let mut called = defaults.flat_map(|default| called.get(&default.id).into_iter().flatten());
        if called.any(|called| routines.may_read(*called)) {
            tables.insert(table.id.oid);
        }
    }
    tables
}

/// What of users each default calls.
fn find_called_by_defaults(catalog: &Catalog) -> HashMap<ObjectId, Vec<ObjectId>> {
    let mut called: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for edge in &catalog.dependencies {
        let is_called = matches!(edge.to.class, Class::Routine | Class::Operator);
        if edge.from.class == Class::Default && is_called && !catalog.members.contains_key(&edge.to)
        {
            called.entry(edge.from).or_default().push(edge.to);
        }
    }
    called
}

/// The routines of users, by their rows and their names.
struct Routines<'c> {
    by_id: HashMap<ObjectId, &'c Routine>,
    by_name: HashMap<&'c str, Vec<&'c Routine>>,
}

impl<'c> Routines<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        let mut by_name: HashMap<&str, Vec<&Routine>> = HashMap::new();
        for routine in &catalog.routines {
            let name = routine.name.name.as_str();
            by_name.entry(name).or_default().push(routine);
        }
        let routines = catalog.routines.iter();
        Self {
            by_id: routines.map(|routine| (routine.id, routine)).collect(),
            by_name,
        }
    }

    /// Whether a routine, or one that it names, may read a table. What is no routine with a body in SQL
    /// or PL/pgSQL may.
    fn may_read(&self, called: ObjectId) -> bool {
        let mut seen = HashSet::new();
        let mut left = vec![self.by_id.get(&called).copied()];
        while let Some(routine) = left.pop() {
            let Some(routine) = routine else {
                return true;
            };
            let body = match &routine.body {
                Body::Source(text) => text,
                Body::Sql { text, .. } => text.as_str(),
                Body::Library { .. } => return true,
            };
            if !matches!(routine.language.as_str(), "sql" | "plpgsql") || reads_tables(body) {
                return true;
            }
            let named = words(body).filter_map(|word| self.by_name.get(word.as_str()));
            for routine in named.flatten().filter(|routine| seen.insert(routine.id)) {
                left.push(Some(routine));
            }
        }
        false
    }
}

/// Whether a body has a word that comes with reading a table, or names that are not plain words.
fn reads_tables(body: &str) -> bool {
    let is_of_reading = |word: &String| matches!(word.as_str(), "from" | "table" | "execute");
    body.contains('"') || words(body).any(|word| is_of_reading(&word))
}

fn words(body: &str) -> impl Iterator<Item = String> {
    let words = body.split(|part: char| !part.is_alphanumeric() && part != '_');
    words.map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_reads_has_a_word_that_says_so() {
        assert!(
            reads_tables("SELECT r\nFROM rates")
                && reads_tables("TABLE x")
                && reads_tables(r#"SELECT "Odd"(1)"#)
        );
        assert!(reads_tables("BEGIN EXECUTE q; END"));
        assert!(!reads_tables("SELECT public.unaccent($1) || from_here"));
    }
}
