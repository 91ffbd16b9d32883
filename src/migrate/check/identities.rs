//! Tables that would lose the index of their replica identity, since it is excluded by name.

use std::collections::BTreeMap;

use super::relations::{insert_only_names, unpublished_names};
use crate::catalog::Catalog;
use crate::catalog::model::{Constraint, ConstraintKind, Index, Table};
use crate::cluster::finding::{Code, Finding, Level};
use crate::pg::{Oid, Persistence, QualifiedName, ReplicaIdentity, Side};
use crate::remedy::{Remedy, Setting};
use crate::selection::TableScope;

/// The index that is the replica identity of each table, as the source has it.
pub(super) struct Identities(BTreeMap<Oid, Identity>);

struct Identity {
    index: Oid,
    name: QualifiedName,
}

impl Identities {
    /// Those of a catalog before anything is excluded.
    pub(super) fn of(catalog: &Catalog) -> Self {
        let primary = |of: &&Constraint| of.kind == ConstraintKind::PrimaryKey;
        let primary = catalog.constraints.iter().filter(primary);
        let primary: BTreeMap<Oid, Oid> = primary.map(|key| (key.relation, key.index)).collect();
        let indexes: BTreeMap<Oid, &Index> = catalog
            .indexes
            .iter()
            .map(|one| (one.id.oid, one))
            .collect();
        let chosen = catalog.indexes.iter().filter(|one| one.is_replica_identity);
        let chosen: BTreeMap<Oid, Oid> = chosen.map(|one| (one.relation, one.id.oid)).collect();
        let identity = |table: &Table| {
            let index = match table.replica_identity {
                ReplicaIdentity::Default => primary.get(&table.id.oid)?,
                ReplicaIdentity::Index => chosen.get(&table.id.oid)?,
                ReplicaIdentity::Nothing | ReplicaIdentity::Full => return None,
            };
            let name = indexes.get(index)?.name.clone();
            let index = *index;
            Some((table.id.oid, Identity { index, name }))
        };
        Self(catalog.tables.iter().filter_map(identity).collect())
    }

    /// The tables of the catalog that have lost theirs and whose updates and deletes are replicated.
    pub(super) fn find_excluded(&self, catalog: &Catalog, scope: &TableScope) -> Vec<Finding> {
        if scope.objects.is_empty() {
            return Vec::new();
        }
        let mut without = unpublished_names(catalog, scope);
        without.extend(insert_only_names(catalog, scope));
        let has_index = |index: Oid| catalog.indexes.iter().any(|one| one.id.oid == index);
        let mut findings = Vec::new();
        for table in &catalog.tables {
            let is_required =
                table.persistence == Persistence::Permanent && !without.contains(&table.name);
            let Some(identity) = self.0.get(&table.id.oid).filter(|_| is_required) else {
                continue;
            };
            if has_index(identity.index) {
                continue;
            }
            let message = format!(
                "table {}: {} is its replica identity; without it, UPDATE and DELETE cannot be replicated",
                table.name, identity.name
            );
            let code = Code::ReplicaIdentityExcluded;
            let finding = Finding::new(code, Level::Error, Side::Target, message);
            let unfollowed = Remedy::with(
                "copy the table without later changes",
                Setting::SnapshotOnlyTables,
            );
            let inserts = Remedy::with(
                "replicate only its INSERT and TRUNCATE",
                Setting::InsertOnlyTables,
            );
            let remedies = [
                Remedy::Correct(Setting::ExcludeObjects),
                inserts,
                unfollowed,
            ];
            findings.push(finding.about(&table.name).with_remedies(remedies));
        }
        findings
    }
}
