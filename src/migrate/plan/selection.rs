//! Which definitions and rows a run copies, as the state records it.

use crate::checkpoint::{Chosen, Deviation, Name, Selection};
use crate::migrate::options::Options;
use crate::selection::{ChangesRule, RowsRule, TableScope};

/// Describes which part of a database is copied, and how.
pub(crate) fn describe_selection(options: &Options, scope: &TableScope) -> Selection {
    let definitions = &options.definitions;
    let roles = definitions
        .role_map
        .olds()
        .map(|old| Deviation::RoleMapped {
            from: old.as_str().to_owned(),
            to: definitions.role_map.of(old).as_str().to_owned(),
        });
    let skipped = definitions.skipped_extensions.iter();
    let skipped = skipped.map(|name| Deviation::ExtensionSkipped(name.as_str().to_owned()));
    let locale = options.cluster.locale.iter().cloned();
    Selection {
        tables: Chosen::from(&scope.choice),
        deviations: list_switches(options)
            .chain(roles)
            .chain(skipped)
            .chain(locale.map(Deviation::Locale))
            .chain(list_rules(scope))
            .chain(list_excluded(scope))
            .collect(),
    }
}

fn list_rules(scope: &TableScope) -> impl Iterator<Item = Deviation> {
    scope.rules.iter().flat_map(|(table, rule)| {
        let rows = match &rule.rows {
            None | Some(RowsRule::All) => None,
            Some(RowsRule::None) => Some(Deviation::SchemaOnlyTable(Name::from(table))),
            Some(RowsRule::Matching(filter)) => Some(Deviation::FilteredTable {
                table: Name::from(table),
                predicate: filter.predicate.text().to_owned(),
            }),
        };
        let changes = rule.changes.map(|changes| match changes {
            ChangesRule::None => Deviation::SnapshotOnlyTable(Name::from(table)),
            ChangesRule::Inserts => Deviation::InsertOnlyTable(Name::from(table)),
        });
        rows.into_iter().chain(changes)
    })
}

fn list_excluded(scope: &TableScope) -> impl Iterator<Item = Deviation> {
    let objects = scope.objects.iter();
    objects.map(|object| Deviation::ObjectExcluded(object.to_string()))
}

/// Lists the deviations that have no value.
fn list_switches(options: &Options) -> impl Iterator<Item = Deviation> {
    let definitions = &options.definitions;
    let is_copied_once = !options.replicate && !options.schema_only;
    let deviations = [
        (Deviation::SchemaOnly, options.schema_only),
        (Deviation::NoReplication, is_copied_once),
        (Deviation::NoOwners, !definitions.owners),
        (Deviation::NoPrivileges, !definitions.privileges),
        (Deviation::NoComments, !definitions.comments),
        (Deviation::NoSecurityLabels, !definitions.security_labels),
        (Deviation::NoTablespaces, !definitions.tablespaces),
        (Deviation::ServiceObjects, !options.cluster.provider),
        (Deviation::OrphansAllowed, definitions.orphans),
    ];
    let deviations = deviations.into_iter().filter(|(_, applies)| *applies);
    deviations.map(|(deviation, _)| deviation)
}
