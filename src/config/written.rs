//! Writes a selection as a configuration file.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::selection::quoted::quote_name;
use crate::selection::{Databases, Entry, Rule, RuleEntry, Tables};

/// The first lines of a file that the program has written.
const HEAD: &str = include_str!("written_head.toml");

/// A file, in the order of its keys.
#[derive(Debug, Default, Serialize)]
struct Written {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include_databases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude_databases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include_tables: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude_tables: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    databases: BTreeMap<String, WrittenSection>,
}

#[derive(Debug, Default, Serialize)]
struct WrittenSection {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schema_only: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snapshot_only: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    insert_only: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    table_filters: Vec<WrittenTableFilter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    time_filters: Vec<WrittenTimeFilter>,
}

#[derive(Debug, Serialize)]
struct WrittenTableFilter {
    table: String,
    #[serde(rename = "where")]
    predicate: String,
}

#[derive(Debug, Serialize)]
struct WrittenTimeFilter {
    table: String,
    column: String,
    last: String,
}

/// The text of a file that selects the same. Rules whose entry names no database are omitted: they belong to no section.
///
/// # Panics
/// Never: strings, lists and tables are TOML.
pub fn render_file(databases: &Databases, tables: &Tables, rules: &[RuleEntry]) -> String {
    let mut written = Written::default();
    let names = |names: &[String]| names.iter().map(|name| quote_name(name)).collect();
    match databases {
        Databases::All => {}
        Databases::Only(list) => written.include_databases = names(list),
        Databases::AllBut(list) => written.exclude_databases = names(list),
    }
    let entries = |entries: &[Entry]| entries.iter().map(Entry::quoted).collect();
    match tables {
        Tables::All => {}
        Tables::Only(list) => written.include_tables = entries(list),
        Tables::AllBut(list) => written.exclude_tables = entries(list),
    }
    for RuleEntry { entry, rule } in rules {
        if let Some(database) = entry.exact_database() {
            let section = written.databases.entry(database.to_owned()).or_default();
            section.add(entry.quoted(), rule);
        }
    }
    let text = toml::to_string(&written).expect("strings, lists and tables are TOML");
    format!("{HEAD}{text}")
}

impl WrittenSection {
    fn add(&mut self, table: String, rule: &Rule) {
        match rule {
            Rule::SchemaOnly => self.schema_only.push(table),
            Rule::SnapshotOnly => self.snapshot_only.push(table),
            Rule::InsertOnly => self.insert_only.push(table),
            Rule::Filter(predicate) => self.table_filters.push(WrittenTableFilter {
                table,
                predicate: predicate.text().to_owned(),
            }),
            Rule::TimeFilter(filter) => self.time_filters.push(WrittenTimeFilter {
                table,
                column: filter.column.as_str().to_owned(),
                last: filter.window.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::pg::Ident;
    use crate::predicate::{Predicate, Window};
    use crate::selection::TimeFilter;

    fn entry(parts: [&str; 3]) -> Entry {
        Entry::new(parts.map(str::to_owned).to_vec()).unwrap()
    }

    fn rule(table: &str, rule: Rule) -> RuleEntry {
        RuleEntry {
            entry: entry(["it's.a \"b\"", "s:1", table]),
            rule,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let databases = Databases::Only(vec!["it's.a \"b\"".to_owned(), "c,d".to_owned()]);
        let tables = Tables::AllBut(vec![entry(["c,d", "x", " y "]), entry(["c,d", "x", "\\n"])]);
        let filter = TimeFilter {
            column: Ident::from_catalog("created \"at\""),
            window: Window::parse("6 months").unwrap(),
        };
        let rules = [
            rule("a", Rule::SchemaOnly),
            rule("b.c", Rule::SnapshotOnly),
            rule("d", Rule::InsertOnly),
            rule(
                "e",
                Rule::Filter(Predicate::parse("note <> 'a\"b' AND\nid > 1").unwrap()),
            ),
            rule("f", Rule::TimeFilter(filter)),
        ];
        let text = render_file(&databases, &tables, &rules);
        let read = File::parse(text.as_bytes()).unwrap();
        assert_eq!(read.databases.unwrap().value, databases, "{text}");
        let Tables::AllBut(excluded) = read.tables.unwrap().value else {
            panic!("{text}")
        };
        let names = |entries: &[Entry]| entries.iter().map(Entry::quoted).collect::<Vec<_>>();
        let Tables::AllBut(wanted) = &tables else {
            unreachable!("written so above")
        };
        assert_eq!(names(&excluded), names(wanted));
        let found = |rules: &[RuleEntry]| {
            let rules = rules.iter();
            rules
                .map(|one| (one.entry.quoted(), one.rule.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&read.rules), found(&rules), "{text}");
    }

    #[test]
    fn nothing_selected_is_an_empty_file() {
        let text = render_file(&Databases::All, &Tables::All, &[]);
        assert_eq!(text, HEAD);
        assert_eq!(File::parse(text.as_bytes()).unwrap(), File::default());
    }
}
