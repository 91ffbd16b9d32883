//! Publications that exist under our name, or with a mark of ours.

use std::collections::BTreeSet;

use super::definition::{Definition, Operations, inserts_name};
use super::listed::ListedTables;
use super::mark::Mark;
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};
use crate::sql;

/// How many tables a difference names.
const NAMED: usize = 5;

/// A publication that exists under our name, or with a mark of ours, and the one of insert-only tables that goes with
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPublication {
    /// Its name.
    pub name: Ident,
    /// The name of the publication of insert-only tables, if one goes with it.
    pub inserts: Option<Ident>,
    /// Whose it is, if it is a run's.
    pub mark: Option<Mark>,
    /// The tables that both list, by oid: a renamed table stays the same.
    pub listed: ListedTables,
    /// Those that have a filter, by name.
    filtered: BTreeSet<QualifiedName>,
    definition: Definition,
    /// What no publication of ours has.
    oddities: Vec<String>,
}

impl FoundPublication {
    /// An unmarked publication of tables with these oids, as we create it.
    #[cfg(test)]
    pub(crate) fn plain(name: Ident, oids: impl Iterator<Item = u32>) -> Self {
        Self {
            name,
            inserts: None,
            mark: None,
            listed: ListedTables {
                tables: oids.map(Oid).collect(),
                ..ListedTables::default()
            },
            filtered: BTreeSet::new(),
            definition: Definition {
                via_root: true,
                ..Definition::default()
            },
            oddities: Vec::new(),
        }
    }

    /// The definition of both.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The names of both.
    pub fn names(&self) -> impl Iterator<Item = &Ident> {
        std::iter::once(&self.name).chain(&self.inserts)
    }

    /// The statement that drops both.
    pub fn drop_statement(&self) -> Sql {
        drop_statement(self.names())
    }

    /// The name of the publication that sends these operations.
    pub(super) fn publication_of(&self, operations: Operations) -> Option<&Ident> {
        match operations {
            Operations::All => Some(&self.name),
            Operations::Inserts => self.inserts.as_ref(),
        }
    }

    /// Which of its options are not those that are wanted.
    pub fn odd_options(&self, via_root: bool) -> Vec<String> {
        let mut found = self.oddities.clone();
        if self.definition.via_root != via_root {
            let has = self.definition.via_root;
            found.push(format!("publish_via_partition_root is {has}"));
        }
        found
    }

    /// What differs from the definition that is wanted; nothing: it may serve.
    pub fn differences(&self, wanted: &Definition) -> Vec<String> {
        let mut found = self.odd_options(wanted.via_root);
        for operations in Operations::BOTH {
            let (has, wants) = (
                self.definition.tables_of(operations),
                wanted.tables_of(operations),
            );
            let [lacks, has_also] = match operations {
                Operations::All => ["lacks", "has also"],
                Operations::Inserts => ["lacks inserts of", "has also inserts of"],
            };
            found.extend(name_tables(lacks, wants.difference(&has)));
            found.extend(name_tables(has_also, has.difference(&wants)));
        }
        found.extend(self.compare_filters(wanted));
        found
    }

    /// Which of the tables have a filter that they must not have, or lack one.
    pub fn compare_filters(&self, wanted: &Definition) -> Vec<String> {
        let wants = wanted
            .filters
            .keys()
            .filter(|table| self.definition.tables.contains(*table));
        let wants: BTreeSet<QualifiedName> = wants.cloned().collect();
        let extra = name_tables("filters rows of", self.filtered.difference(&wants));
        let missing = name_tables("does not filter rows of", wants.difference(&self.filtered));
        extra.into_iter().chain(missing).collect()
    }

    /// Adds the publication of insert-only tables that goes with this one.
    fn join(&mut self, inserts: Self) {
        self.listed.insert_only.clone_from(&inserts.listed.tables);
        self.listed.tables.extend(inserts.listed.tables);
        self.listed.filters.extend(inserts.listed.filters);
        self.filtered.extend(inserts.filtered);
        if inserts.definition.via_root != self.definition.via_root {
            let has = inserts.definition.via_root;
            self.oddities.push(format!(
                "has a second publication {} with publish_via_partition_root {has}",
                inserts.name
            ));
        }
        let others = inserts.oddities.into_iter();
        self.oddities.extend(others.map(|oddity| {
            let name = &inserts.name;
            format!("has a second publication {name} that {oddity}")
        }));
        let tables = inserts.definition.tables;
        self.definition.insert_only.clone_from(&tables);
        self.definition.tables.extend(tables);
        self.inserts = Some(inserts.name);
    }
}

fn name_tables<'a>(what: &str, tables: impl Iterator<Item = &'a QualifiedName>) -> Option<String> {
    let names: Vec<String> = tables.map(ToString::to_string).collect();
    let more = names.len().saturating_sub(NAMED);
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!names.is_empty()).then(|| format!("{what} {}{rest}", first.join(", ")))
}

/// The statement that removes publications.
pub fn drop_statement<'a>(names: impl IntoIterator<Item = &'a Ident>) -> Sql {
    let names: Vec<Sql> = names.into_iter().map(|name| sql!("{}", name)).collect();
    sql!("DROP PUBLICATION IF EXISTS {}", Sql::join(&names, ", "))
}

/// Which publications of insert-only tables go with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seconds {
    /// That of the run that has marked the other one.
    Marked,
    /// Also one without a mark, if the other one has none: both may serve together.
    Any,
}

impl Seconds {
    /// Those to look for where these tables are to be insert-only.
    pub fn of<T>(insert_only: &BTreeSet<T>) -> Self {
        match insert_only.is_empty() {
            true => Self::Marked,
            false => Self::Any,
        }
    }
}

/// Looks for the publication of this name in the session's database.
///
/// # Errors
/// The server refused the question.
pub async fn find_publication(
    session: &Session,
    name: &Ident,
    seconds: Seconds,
) -> Result<Option<FoundPublication>, connect::Error> {
    let found = load_publications(session, Some(name), seconds).await?;
    Ok(found.into_iter().find(|one| one.name == *name))
}

/// Looks for a publication that has the name of the one of insert-only tables beside `name`, and does not go with
/// `name`.
///
/// # Errors
/// The server refused the question.
pub async fn find_other_inserts(
    session: &Session,
    name: &Ident,
) -> Result<Option<FoundPublication>, connect::Error> {
    let found = load_publications(session, Some(name), Seconds::Any).await?;
    let inserts = inserts_name(name);
    Ok(found.into_iter().find(|one| one.name == inserts))
}

/// Finds all publications in the session's database that runs have marked, by name.
///
/// # Errors
/// The server refused the question.
pub async fn find_marked(session: &Session) -> Result<Vec<FoundPublication>, connect::Error> {
    let found = load_publications(session, None, Seconds::Marked).await?;
    Ok(found.into_iter().filter(|one| one.mark.is_some()).collect())
}

async fn load_publications(
    session: &Session,
    name: Option<&Ident>,
    seconds: Seconds,
) -> Result<Vec<FoundPublication>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/publication.sql"));
    let inserts = name.map(inserts_name);
    let names = name.map(|name| [Some(name), inserts.as_ref()].map(|one| one.map(Ident::as_str)));
    let rows = session
        .query(&sql, &[&names.as_ref().map(<[_; 2]>::as_slice)])
        .await?;
    let sent = rows.iter().map(read_publication).collect();
    Ok(join_publications(sent, seconds))
}

/// A publication, and the operations that it sends.
struct Sent {
    publication: FoundPublication,
    operations: Option<Operations>,
}

/// Joins each publication with the one of insert-only tables that goes with it: it has the name for that, and the mark
/// of the same run.
fn join_publications(sent: Vec<Sent>, joined: Seconds) -> Vec<FoundPublication> {
    let run = |one: &Sent| {
        let mark = one.publication.mark.as_ref();
        mark.map(|mark| mark.name().to_owned())
    };
    let second_of = |first: &Sent| {
        let name = inserts_name(&first.publication.name);
        let mut others = sent.iter();
        let run_of_first = run(first);
        if run_of_first.is_none() && joined == Seconds::Marked {
            return None;
        }
        others.position(|other| other.publication.name == name && run(other) == run_of_first)
    };
    let seconds: Vec<Option<usize>> = sent.iter().map(second_of).collect();
    let mut found: Vec<Option<FoundPublication>> = Vec::new();
    for (place, one) in sent.into_iter().enumerate() {
        let expected = match seconds.contains(&Some(place)) {
            true => Operations::Inserts,
            false => Operations::All,
        };
        let mut publication = one.publication;
        if one.operations != Some(expected) {
            let oddity = match expected {
                Operations::All => "does not send every operation",
                Operations::Inserts => "does not send exactly INSERT and TRUNCATE",
            };
            publication.oddities.push(oddity.to_owned());
        }
        found.push(Some(publication));
    }
    for (first, second) in seconds.into_iter().enumerate() {
        let Some(second) = second.filter(|_| found[first].is_some()) else {
            continue;
        };
        let inserts = found[second].take();
        if let (Some(publication), Some(inserts)) = (&mut found[first], inserts) {
            publication.join(inserts);
        }
    }
    found.into_iter().flatten().collect()
}

fn read_publication(row: &tokio_postgres::Row) -> Sent {
    let comment: Option<String> = row.get("comment");
    let schemas: Vec<String> = row.get("table_schemas");
    let names: Vec<String> = row.get("table_names");
    let oids: Vec<u32> = row.get("table_oids");
    let digests: Vec<Option<String>> = row.get("filter_digests");
    let tables = schemas.into_iter().zip(names);
    let tables: Vec<QualifiedName> = tables
        .map(|(schema, name)| QualifiedName::from_catalog(schema, name))
        .collect();
    let oids: Vec<Oid> = oids.into_iter().map(Oid).collect();
    let filtered = tables.iter().zip(&digests);
    let filtered = filtered.filter(|(_, digest)| digest.is_some());
    let filtered = filtered.map(|(table, _)| table.clone()).collect();
    let filters = oids.iter().zip(digests);
    let filters = filters
        .filter_map(|(oid, digest)| Some((*oid, digest?)))
        .collect();
    let publication = FoundPublication {
        name: Ident::from_catalog(row.get::<_, String>("name")),
        inserts: None,
        mark: comment.as_deref().and_then(Mark::parse),
        listed: ListedTables {
            tables: oids.into_iter().collect(),
            insert_only: BTreeSet::new(),
            filters,
        },
        filtered,
        definition: Definition {
            tables: tables.into_iter().collect(),
            via_root: row.get("via_root"),
            ..Definition::default()
        },
        oddities: read_oddities(row),
    };
    let operations = match (row.get("all_operations"), row.get("only_inserts")) {
        (true, _) => Some(Operations::All),
        (_, true) => Some(Operations::Inserts),
        _ => None,
    };
    Sent {
        publication,
        operations,
    }
}

/// Which options no publication of ours has.
fn read_oddities(row: &tokio_postgres::Row) -> Vec<String> {
    let odd: [(bool, &str); 4] = [
        (row.get("all_tables"), "is for all tables"),
        (row.get("schemas"), "is for whole schemas"),
        (row.get("narrowed"), "narrows columns"),
        (row.get("generated_columns"), "sends generated columns"),
    ];
    let odd = odd.into_iter().filter(|(is_odd, _)| *is_odd);
    odd.map(|(_, text)| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::{PUBLICATION, RunId, RunTag};

    fn definition(names: &[&str], via_root: bool) -> Definition {
        let table = |name: &&str| QualifiedName::from_catalog("s", *name);
        Definition {
            tables: names.iter().map(table).collect(),
            via_root,
            ..Definition::default()
        }
    }

    fn sent(name: &str, operations: Operations, tables: &[&str]) -> Sent {
        let mut publication = FoundPublication::plain(Ident::from_catalog(name), [].into_iter());
        publication.definition = definition(tables, true);
        Sent {
            publication,
            operations: Some(operations),
        }
    }

    fn inserts() -> String {
        inserts_name(&Ident::from_catalog(PUBLICATION))
            .as_str()
            .to_owned()
    }

    #[test]
    fn every_difference_is_told() {
        let found = FoundPublication {
            definition: definition(&["a", "b"], false),
            oddities: vec!["narrows columns".to_owned()],
            ..FoundPublication::plain(Ident::from_catalog(PUBLICATION), [].into_iter())
        };
        assert_eq!(
            found.differences(&definition(&["b", "c"], true)),
            [
                "narrows columns",
                "publish_via_partition_root is false",
                "lacks s.c",
                "has also s.a"
            ]
        );
        let same = FoundPublication {
            oddities: Vec::new(),
            ..found
        };
        assert!(same.differences(&definition(&["a", "b"], false)).is_empty());
    }

    #[test]
    fn the_publication_of_insert_only_tables_goes_with_the_other() {
        let found = |seconds| {
            let all = sent(PUBLICATION, Operations::All, &["a"]);
            let inserts = sent(&inserts(), Operations::Inserts, &["b"]);
            join_publications(vec![all, inserts], seconds)
        };
        assert_eq!(found(Seconds::Marked).len(), 2);
        let both = found(Seconds::Any);
        assert_eq!(both.len(), 1);
        let mut wanted = definition(&["a", "b"], true);
        assert_eq!(
            both[0].differences(&wanted),
            ["lacks s.b", "has also inserts of s.b"]
        );
        wanted.insert_only = definition(&["b"], true).tables;
        assert!(both[0].differences(&wanted).is_empty());
        assert!(
            both[0]
                .drop_statement()
                .as_str()
                .ends_with(&format!(r#""{PUBLICATION}", "{}""#, inserts()))
        );
    }

    #[test]
    fn a_publication_that_sends_other_operations_is_odd() {
        let both = join_publications(
            vec![
                sent(PUBLICATION, Operations::Inserts, &[]),
                sent(&inserts(), Operations::All, &[]),
            ],
            Seconds::Any,
        );
        assert_eq!(
            both[0].odd_options(true),
            [
                "does not send every operation".to_owned(),
                format!(
                    "has a second publication {} that does not send exactly INSERT and TRUNCATE",
                    inserts()
                ),
            ]
        );
    }

    #[test]
    fn that_of_another_run_does_not_go_with_it() {
        let mut ours = sent(PUBLICATION, Operations::All, &[]);
        let mark = |number: &str| {
            let run = RunId::new("1", number);
            Mark::new(run, RunTag::new(), "app", "seren_app", String::new())
        };
        ours.publication.mark = Some(mark("2"));
        for other in [None, Some(mark("3"))] {
            let mut theirs = sent(&inserts(), Operations::Inserts, &[]);
            theirs.publication.mark = other;
            let ours = Sent {
                publication: ours.publication.clone(),
                operations: ours.operations,
            };
            let found = join_publications(vec![ours, theirs], Seconds::Any);
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|one| one.inserts.is_none()));
        }
    }

    #[test]
    fn a_long_name_goes_with_its_second_in_any_order_and_never_with_itself() {
        let long = "z".repeat(63);
        let second = inserts_name(&Ident::from_catalog(long.as_str()));
        for names in [[long.as_str(), second.as_str()], [second.as_str(), &long]] {
            let sent = names.map(|name| {
                let is_second = name == second.as_str();
                let operations = [Operations::All, Operations::Inserts][usize::from(is_second)];
                sent(name, operations, &[])
            });
            let found = join_publications(sent.into(), Seconds::Any);
            let found: Vec<_> = found
                .iter()
                .map(|one| (one.name.as_str(), &one.inserts))
                .collect();
            assert_eq!(found, [(long.as_str(), &Some(second.clone()))]);
        }
        let alone = vec![sent(second.as_str(), Operations::Inserts, &[])];
        assert_eq!(join_publications(alone, Seconds::Any).len(), 1);
    }
}
