//! The section of a database: the rules of its tables.

use std::collections::BTreeMap;

use super::fault::{Fault, FilterList, NameProblem, WrittenRule};
use super::file::{refuse_name, single_item};
use super::key::{Level, SectionKey, TableFilterKey, TimeFilterKey};
use super::reader::{Item, Located, Reader, Table};
use crate::pg::{Ident, QualifiedName};
use crate::predicate::{Predicate, Window};
use crate::selection::{Entry, Origin, Position, Rule, RuleEntry, TimeFilter};

/// Reads the rules of a section.
pub(super) fn read_section<'t>(
    reader: &Reader<'t>,
    table: &Table<'_, 't>,
    database: &str,
) -> Result<Vec<RuleEntry>, Fault> {
    let mut rules = Vec::new();
    for item in reader.items_of(table) {
        let Some(key) = SectionKey::find(item.name()) else {
            return Err(reader.refuse_unknown(item, Level::Section));
        };
        let (key, rule) = match key {
            SectionKey::SchemaOnly => ("schema_only", Rule::SchemaOnly),
            SectionKey::SnapshotOnly => ("snapshot_only", Rule::SnapshotOnly),
            SectionKey::InsertOnly => ("insert_only", Rule::InsertOnly),
            SectionKey::TableFilters => {
                rules.extend(read_table_filters(reader, item, database)?);
                continue;
            }
            SectionKey::TimeFilters => {
                rules.extend(read_time_filters(reader, item, database)?);
                continue;
            }
        };
        for text in reader.read_strings(item)? {
            rules.push(RuleEntry {
                entry: read_name(key, &text, database)?,
                rule: rule.clone(),
            });
        }
    }
    Ok(rules)
}

/// Reads `table`, `schema.table` or `database.schema.table`, of which the database is that of the section.
fn read_name(key: &'static str, text: &Located<String>, database: &str) -> Result<Entry, Fault> {
    let entry = Entry::parse(single_item(key, text)?);
    let entry = entry.ok_or_else(|| refuse_name(key, text, NameProblem::SectionParts))?;
    if let Some(named) = entry.exact_database().filter(|named| *named != database) {
        return Err(Fault::OtherDatabase {
            text: text.value.clone(),
            position: text.position,
            named: named.to_owned(),
            section: database.to_owned(),
        });
    }
    Ok(entry.at(text.position, Some(database)))
}

/// The keys that name the table of a filter.
#[derive(Default)]
struct NamedTable {
    table: Option<Located<String>>,
    schema: Option<Located<String>>,
}

impl NamedTable {
    /// The table. With a schema beside it, both names are exactly those of the catalog, without quotes.
    fn read(self, entry: &FilterEntry<'_>) -> Result<Entry, Fault> {
        let table = entry.require(self.table, "table")?;
        let Some(schema) = self.schema else {
            return read_name("table", &table, entry.database);
        };
        for (key, text) in [("schema", &schema), ("table", &table)] {
            if text.value.is_empty() {
                return Err(refuse_name(key, text, NameProblem::Empty));
            }
        }
        let position = table.position;
        let named = Entry::new(vec![schema.value, table.value]).expect("neither part is empty");
        Ok(named.at(position, Some(entry.database)))
    }
}

/// An entry of a list of filters.
struct FilterEntry<'d> {
    list: FilterList,
    position: Position,
    database: &'d str,
}

impl FilterEntry<'_> {
    fn require<T>(&self, value: Option<T>, key: &'static str) -> Result<T, Fault> {
        value.ok_or(Fault::MissingKey {
            list: self.list,
            position: self.position,
            key,
        })
    }
}

fn read_table_filters<'t>(
    reader: &Reader<'t>,
    item: Item<'_, 't>,
    database: &str,
) -> Result<Vec<RuleEntry>, Fault> {
    const EXPECTED: &str = "entries such as [{ table = \"orders\", where = \"status = 'open'\" }]";
    let tables = reader.read_tables(item, EXPECTED)?;
    let filters = tables.iter();
    filters
        .map(|table| read_table_filter(reader, table, database))
        .collect()
}

fn read_table_filter<'t>(
    reader: &Reader<'t>,
    table: &Table<'_, 't>,
    database: &str,
) -> Result<RuleEntry, Fault> {
    let mut named = NamedTable::default();
    let mut predicate = None;
    for item in reader.items_of(table) {
        let Some(key) = TableFilterKey::find(item.name()) else {
            return Err(reader.refuse_unknown(item, Level::TableFilter));
        };
        let text = reader.read_string(item)?;
        match key {
            TableFilterKey::Table => named.table = Some(text),
            TableFilterKey::Schema => named.schema = Some(text),
            TableFilterKey::Where => predicate = Some(text),
        }
    }
    let filter = FilterEntry {
        list: FilterList::Table,
        position: table.position,
        database,
    };
    let entry = named.read(&filter)?;
    let Located { value, position } = filter.require(predicate, "where")?;
    let predicate =
        Predicate::parse(&value).map_err(|fault| Fault::Predicate { position, fault })?;
    Ok(RuleEntry {
        entry,
        rule: Rule::Filter(predicate),
    })
}

fn read_time_filters<'t>(
    reader: &Reader<'t>,
    item: Item<'_, 't>,
    database: &str,
) -> Result<Vec<RuleEntry>, Fault> {
    const EXPECTED: &str =
        "entries such as [{ table = \"events\", column = \"created_at\", last = \"6 months\" }]";
    let tables = reader.read_tables(item, EXPECTED)?;
    let filters = tables.iter();
    filters
        .map(|table| read_time_filter(reader, table, database))
        .collect()
}

fn read_time_filter<'t>(
    reader: &Reader<'t>,
    table: &Table<'_, 't>,
    database: &str,
) -> Result<RuleEntry, Fault> {
    let mut named = NamedTable::default();
    let (mut column, mut last) = (None, None);
    for item in reader.items_of(table) {
        let Some(key) = TimeFilterKey::find(item.name()) else {
            return Err(reader.refuse_unknown(item, Level::TimeFilter));
        };
        let text = reader.read_string(item)?;
        match key {
            TimeFilterKey::Table => named.table = Some(text),
            TimeFilterKey::Schema => named.schema = Some(text),
            TimeFilterKey::Column => column = Some(text),
            TimeFilterKey::Last => last = Some(text),
        }
    }
    let filter = FilterEntry {
        list: FilterList::Time,
        position: table.position,
        database,
    };
    let entry = named.read(&filter)?;
    let column = filter.require(column, "column")?;
    if column.value.is_empty() {
        return Err(refuse_name("column", &column, NameProblem::Empty));
    }
    let Located { value, position } = filter.require(last, "last")?;
    let window = Window::parse(&value).map_err(|error| Fault::Window { position, error })?;
    let column = Ident::from_catalog(column.value);
    Ok(RuleEntry {
        entry,
        rule: Rule::TimeFilter(TimeFilter { column, window }),
    })
}

/// Refuses two rules on one table of which none goes before the other. Names in a section are complete, so that no
/// server needs to be asked.
pub(super) fn refuse_duplicates(database: &str, rules: &[RuleEntry]) -> Result<(), Fault> {
    let mut by_table: BTreeMap<QualifiedName, Vec<&RuleEntry>> = BTreeMap::new();
    for one in rules {
        let table = one.entry.name_in_section();
        let others = by_table.entry(table.clone()).or_default();
        let duplicate = others.iter().find(|other| {
            other.entry.is_exact() == one.entry.is_exact()
                && (other.rule == one.rule || other.rule.contradicts(&one.rule))
        });
        if let Some(other) = duplicate {
            let mut rules = [*other, one].map(describe_rule);
            rules.sort_by_key(|rule| rule.position);
            return Err(Fault::DuplicateRule {
                database: database.to_owned(),
                table,
                rules: Box::new(rules),
            });
        }
        others.push(one);
    }
    Ok(())
}

fn describe_rule(rule: &RuleEntry) -> WrittenRule {
    let Origin::File(position) = rule.entry.origin() else {
        unreachable!("rules of a section are from the file")
    };
    WrittenRule {
        rule: rule.rule.to_string(),
        position,
    }
}
