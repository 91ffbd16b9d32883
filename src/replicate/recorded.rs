//! What a run has recorded of a selection, as a selection of tables again.

use std::collections::BTreeMap;

use crate::checkpoint::{Deviation, Name, Selection};
use crate::pg::QualifiedName;
use crate::selection::{ChangesRule, RowsRule, TableRule, TableRules, TableScope};

/// Returns the tables that a recorded selection replicates, and how. Its filters are those of the publication, and no
/// part of it.
pub(super) fn scope_of(selection: &Selection) -> TableScope {
    let mut rules: BTreeMap<QualifiedName, TableRule> = BTreeMap::new();
    let mut add = |table: &Name, change: fn(&mut TableRule)| {
        change(rules.entry(QualifiedName::from(table)).or_default());
    };
    for deviation in &selection.deviations {
        match deviation {
            Deviation::SchemaOnlyTable(table) => {
                add(table, |rule| rule.rows = Some(RowsRule::None));
            }
            Deviation::SnapshotOnlyTable(table) => {
                add(table, |rule| rule.changes = Some(ChangesRule::None));
            }
            Deviation::InsertOnlyTable(table) => {
                add(table, |rule| rule.changes = Some(ChangesRule::Inserts));
            }
            Deviation::SchemaOnly
            | Deviation::NoReplication
            | Deviation::NoOwners
            | Deviation::NoPrivileges
            | Deviation::NoComments
            | Deviation::NoSecurityLabels
            | Deviation::NoTablespaces
            | Deviation::ServiceObjects
            | Deviation::RoleMapped { .. }
            | Deviation::ExtensionSkipped(_)
            | Deviation::Locale(_)
            | Deviation::FilteredTable { .. }
            | Deviation::OrphansAllowed
            | Deviation::ObjectExcluded(_) => {}
        }
    }
    TableScope {
        choice: (&selection.tables).into(),
        rules: rules.into_iter().collect::<TableRules>(),
        ..TableScope::default()
    }
}

/// Returns the predicates of a recorded selection, by table.
pub(super) fn recorded_predicates(selection: &Selection) -> BTreeMap<QualifiedName, String> {
    let filters = selection.deviations.iter();
    let filters = filters.filter_map(|deviation| {
        let Deviation::FilteredTable { table, predicate } = deviation else {
            return None;
        };
        Some((QualifiedName::from(table), predicate.clone()))
    });
    filters.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::checkpoint::Chosen;
    use crate::selection::TableChoice;

    #[test]
    fn a_selection_is_what_it_was() {
        let table = |name: &str| QualifiedName::from_catalog("s", name);
        let choice = TableChoice::AllBut(BTreeSet::from([table("x")]));
        let recorded = Selection {
            tables: Chosen::from(&choice),
            deviations: BTreeSet::from([
                Deviation::SchemaOnlyTable(Name::from(&table("a"))),
                Deviation::SnapshotOnlyTable(Name::from(&table("b"))),
                Deviation::InsertOnlyTable(Name::from(&table("c"))),
                Deviation::FilteredTable {
                    table: Name::from(&table("d")),
                    predicate: "id > 1".to_owned(),
                },
            ]),
        };
        let scope = scope_of(&recorded);
        assert_eq!(scope.choice, choice);
        let is_followed = |name: &str| scope.rules.of([&table(name)].into_iter()).is_followed();
        assert_eq!(
            ["a", "b", "c", "d"].map(is_followed),
            [false, false, true, true]
        );
        assert!(scope.rules.of([&table("c")].into_iter()).is_insert_only());
        assert_eq!(
            recorded_predicates(&recorded),
            BTreeMap::from([(table("d"), "id > 1".to_owned())])
        );
    }
}
