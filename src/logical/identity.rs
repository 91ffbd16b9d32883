//! Which tables are published, and which may not be. `UPDATE` and `DELETE` of a published table without
//! an identity fail on the source. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::candidate::Candidate;
use super::error::filter_remedies;
use super::mark::FormerIdentity;
use crate::pg::{
    Ident, Oid, Persistence, QualifiedName, RelKind, ReplicaIdentity, ServerVersion, Sql,
};
use crate::remedy::{Remedy, Setting};
use crate::selection::{NotPublishable, RowFilter};
use crate::sql;

/// Why the updates and deletes of a table could not be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// It has no primary key that serves, and no other identity.
    NoKey,
    /// The index of its identity is gone, or does not serve.
    LostIndex,
    /// Nothing of old rows is to be logged.
    Nothing,
    /// Whole old rows are logged, and columns cannot be compared.
    NoEquality(Vec<Ident>),
    /// Its identity holds generated columns, which are not published.
    Generated(Vec<Ident>),
    /// Its identity is not that of the partitioned table at the top.
    Differs(QualifiedName),
    /// It is a hypertable, whose changes are those of its chunks.
    Hypertable,
    /// Its filter reads columns that are not in its identity: `UPDATE` and `DELETE` would fail.
    FilterColumns(Vec<Ident>),
    /// Its filter cannot be published.
    Filter(NotPublishable),
    /// The server publishes no filters.
    FilterVersion(ServerVersion),
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[Ident]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        match self {
            Self::NoKey => f.write_str("has no primary key and no other replica identity"),
            Self::LostIndex => f.write_str("has lost the index of its replica identity"),
            Self::Nothing => f.write_str("has replica identity NOTHING"),
            Self::NoEquality(columns) => write!(
                f,
                "has replica identity FULL, and types without equality in {}",
                list(columns)
            ),
            Self::Generated(columns) => write!(
                f,
                "has generated columns in its replica identity: {}",
                list(columns)
            ),
            Self::Differs(root) => write!(f, "has another replica identity than {root}"),
            Self::Hypertable => f.write_str("is a hypertable, whose changes cannot be published"),
            Self::FilterColumns(columns) => write!(
                f,
                "has a filter on columns that are not in its replica identity: {}",
                list(columns)
            ),
            Self::Filter(why) => write!(f, "has a filter that cannot be published: {why}"),
            Self::FilterVersion(version) => write!(
                f,
                "has a filter. Table-level predicates (table filters, time filters, or config file rules) require \
                 PostgreSQL 15+ on the source so publications can use WHERE clauses; this source is {version}. \
                 Schema-only tables work on all supported versions."
            ),
        }
    }
}

impl Blocker {
    /// Whether it is in the way of `UPDATE` and `DELETE` only.
    pub const fn is_of_identity(&self) -> bool {
        match self {
            Self::NoKey
            | Self::LostIndex
            | Self::Nothing
            | Self::NoEquality(_)
            | Self::Generated(_)
            | Self::Differs(_)
            | Self::FilterColumns(_) => true,
            Self::Hypertable | Self::Filter(_) | Self::FilterVersion(_) => false,
        }
    }
}

/// A table that may not be published as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The table.
    pub table: QualifiedName,
    /// Why.
    pub blocker: Blocker,
    /// Statements each of which is a remedy.
    pub remedies: Vec<Sql>,
    /// Whether REPLICA IDENTITY FULL would.
    pub full_helps: bool,
}

impl Blocked {
    /// What the user can do about it.
    pub fn all_remedies(&self) -> Vec<Remedy> {
        let mut remedies: Vec<Remedy> = self.remedies.iter().cloned().map(Remedy::Run).collect();
        if let (Blocker::Differs(root), true) = (&self.blocker, remedies.is_empty()) {
            remedies.push(format!("give it the replica identity of {root}").into());
        }
        if matches!(self.blocker, Blocker::NoEquality(_)) && remedies.is_empty() {
            remedies.push("give it a unique index over columns that are NOT NULL".into());
        }
        if self.full_helps {
            remedies.push(Remedy::Pass(Setting::ReplicaIdentityFull));
        }
        if matches!(self.blocker, Blocker::Filter(_)) {
            return filter_remedies();
        }
        if self.blocker.is_of_identity() {
            remedies.push(Remedy::with(
                "replicate only its INSERT and TRUNCATE",
                Setting::InsertOnlyTables,
            ));
        }
        let snapshot_only = Remedy::with(
            "copy it without its later changes",
            Setting::SnapshotOnlyTables,
        );
        remedies.push(snapshot_only);
        let is_of_filter = matches!(
            self.blocker,
            Blocker::FilterColumns(_) | Blocker::FilterVersion(_)
        );
        if !is_of_filter {
            remedies.push(Remedy::exclude_table());
        }
        remedies
    }
}

/// What is published of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The tables that are listed.
    pub tables: BTreeSet<QualifiedName>,
    /// Those of which only `INSERT` and `TRUNCATE` are published.
    pub insert_only: BTreeSet<QualifiedName>,
    /// The filters of those of which only some rows are published.
    pub filters: BTreeMap<QualifiedName, RowFilter>,
    /// Tables that may not be published as they are.
    pub blocked: Vec<Blocked>,
    /// The listed tables that contain those: partitioned tables, or the tables themselves.
    pub not_followed: BTreeSet<QualifiedName>,
    /// Identities to be changed before, as they are now.
    pub identities: Vec<FormerIdentity>,
    /// Tables that are never published: unlogged and foreign ones.
    pub apart: Vec<(QualifiedName, &'static str)>,
    /// Tables that our role may not publish.
    pub not_owned: Vec<QualifiedName>,
}

impl Published {
    /// The tables that may be published as they are, and by our role: neither blocked nor of somebody else.
    pub fn publishable(&self) -> BTreeSet<QualifiedName> {
        let blocked: BTreeSet<&QualifiedName> = self.blocked.iter().map(|one| &one.table).collect();
        let mut tables = self.tables.clone();
        tables.retain(|table| {
            !self.not_followed.contains(table)
                && !blocked.contains(table)
                && !self.not_owned.contains(table)
        });
        tables
    }
}

/// What tables are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The source's version.
    pub version: ServerVersion,
    /// Tables that do not take part.
    pub excluded: &'a BTreeSet<QualifiedName>,
    /// Hypertables and their chunks.
    pub hypertables: &'a BTreeSet<QualifiedName>,
    /// Tables of which only `INSERT` and `TRUNCATE` are published.
    pub insert_only: &'a BTreeSet<QualifiedName>,
    /// The filters of tables.
    pub filters: &'a BTreeMap<QualifiedName, RowFilter>,
    /// Whether tables without an identity get `REPLICA IDENTITY FULL`.
    pub make_full: bool,
}

/// Tables that are published as one: a single one, or all leaves below a root.
#[derive(Clone, Copy)]
struct Group<'a> {
    leaves: &'a [&'a Candidate],
    /// The table at the top, if the leaves are published as it.
    root: Option<&'a Candidate>,
    filter: Option<&'a RowFilter>,
    is_insert_only: bool,
}

/// What identifies old rows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity<'a> {
    Key(&'a [Ident]),
    Full,
}

/// Decides what is published of these tables.
pub fn judge(candidates: &[Candidate], judge: Judge<'_>) -> Published {
    let mut published = Published::default();
    let mut trees: BTreeMap<Oid, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        match candidate.root {
            Some(root) => trees.entry(root).or_default().push(candidate),
            None => {
                let alone = Group {
                    leaves: &[candidate],
                    root: None,
                    filter: judge.filters.get(&candidate.name),
                    is_insert_only: judge.insert_only.contains(&candidate.name),
                };
                judge.judge_group(alone, &mut published);
            }
        }
    }
    for (root, tree) in &trees {
        let root = tree.iter().find(|member| member.oid == *root).copied();
        judge.judge_tree(root, tree, &mut published);
    }
    published
        .blocked
        .sort_by(|one, other| one.table.cmp(&other.table));
    published
}

impl Judge<'_> {
    /// Judges a partitioned table and everything below it. The rules of the root hold also for a partition that was
    /// created since they were resolved.
    fn judge_tree(&self, root: Option<&Candidate>, tree: &[&Candidate], out: &mut Published) {
        let is_excluded = root.is_some_and(|root| self.excluded.contains(&root.name));
        // A rule of its own precedes that of the root.
        let takes_part = |leaf: &Candidate| !is_excluded || self.insert_only.contains(&leaf.name);
        let leaves = tree
            .iter()
            .filter(|member| member.kind != RelKind::PartitionedTable && takes_part(member));
        let leaves: Vec<&Candidate> = leaves.copied().collect();
        let whole = root.filter(|root| self.is_whole(root, &leaves));
        let groups = match whole {
            Some(_) => vec![leaves.as_slice()],
            None => leaves.chunks(1).collect(),
        };
        for leaves in groups {
            let group = Group {
                leaves,
                root: whole,
                filter: root.and_then(|root| self.filters.get(&root.name)),
                is_insert_only: self.is_insert_only(leaves, root),
            };
            self.judge_group(group, out);
        }
    }

    /// Whether of tables that are published as one only `INSERT` and `TRUNCATE` are published.
    fn is_insert_only(&self, leaves: &[&Candidate], root: Option<&Candidate>) -> bool {
        let mut members = leaves.iter().copied().chain(root);
        members.any(|member| self.insert_only.contains(&member.name))
    }

    /// Whether a tree can be published by its root: everything below takes part, is logged, and is published with the
    /// same operations.
    fn is_whole(&self, root: &Candidate, leaves: &[&Candidate]) -> bool {
        let has_rule = |member: &Candidate| self.insert_only.contains(&member.name);
        let is_plain = |member: &Candidate| {
            member.persistence == Persistence::Permanent
                && member.kind != RelKind::ForeignTable
                && !self.excluded.contains(&member.name)
                && (has_rule(root) || !has_rule(member))
        };
        self.version.has_publish_via_root() && is_plain(root) && leaves.iter().all(|l| is_plain(l))
    }

    /// Judges tables that are published as one.
    fn judge_group(&self, group: Group<'_>, out: &mut Published) {
        let leaves = group.leaves.iter().copied();
        let members: Vec<&Candidate> = group.root.into_iter().chain(leaves).collect();
        let listed = members[0];
        if let Some(why) = self.judge_apart(listed) {
            if !self.excluded.contains(&listed.name) {
                out.apart.push((listed.name.clone(), why));
            }
            return;
        }
        if self.excluded.contains(&listed.name) {
            return;
        }
        out.tables.insert(listed.name.clone());
        if group.is_insert_only {
            out.insert_only.insert(listed.name.clone());
        }
        let filter = group.filter.cloned();
        out.filters
            .extend(filter.map(|filter| (listed.name.clone(), filter)));
        let not_owned = members.iter().filter(|member| !member.is_owned);
        out.not_owned
            .extend(not_owned.map(|member| member.name.clone()));
        let blocked: Vec<Blocked> = members
            .iter()
            .filter_map(|member| self.find_blocked(member, group))
            .collect();
        if self.makes_full(&members, &blocked) {
            out.identities.extend(former_identities(&members));
        } else if !blocked.is_empty() {
            out.not_followed.insert(listed.name.clone());
            out.blocked.extend(blocked);
        }
    }

    /// Whether the tables of a group get `REPLICA IDENTITY FULL`.
    fn makes_full(&self, members: &[&Candidate], blocked: &[Blocked]) -> bool {
        let can_be_full = members.iter().all(|member| self.full_serves(member));
        self.make_full && can_be_full && blocked.iter().any(|one| one.full_helps)
    }

    /// Why a table is never published.
    fn judge_apart(&self, table: &Candidate) -> Option<&'static str> {
        match (table.kind, table.persistence) {
            (RelKind::ForeignTable, _) => Some("foreign"),
            (_, Persistence::Permanent) => None,
            (_, Persistence::Unlogged | Persistence::Temporary) => Some("unlogged"),
        }
    }

    /// Whether whole old rows would do.
    fn full_serves(&self, table: &Candidate) -> bool {
        table.unequal.is_empty() && !self.full_is_refused(table)
    }

    /// Since 18 the server refuses changes of a table whose identity holds columns that are not
    /// published.
    fn full_is_refused(&self, table: &Candidate) -> bool {
        self.version.checks_generated_identity() && !table.generated.is_empty()
    }

    fn find_blocked(&self, table: &Candidate, group: Group<'_>) -> Option<Blocked> {
        let blocker = self.find_blocker(table, group)?;
        let needs_more = is_missing(&blocker) || matches!(blocker, Blocker::FilterColumns(_));
        let full_helps = needs_more && self.full_serves(table);
        Some(Blocked {
            table: table.name.clone(),
            remedies: self.plan_remedies(table, group.root, &blocker),
            blocker,
            full_helps,
        })
    }

    /// Statements that would give the table an identity.
    fn plan_remedies(
        &self,
        table: &Candidate,
        root: Option<&Candidate>,
        blocker: &Blocker,
    ) -> Vec<Sql> {
        let mut clauses = Vec::new();
        if matches!(blocker, Blocker::FilterColumns(_)) && self.full_serves(table) {
            clauses.push(Sql::fixed("FULL"));
        }
        if is_missing(blocker) || matches!(blocker, Blocker::NoEquality(_) | Blocker::Generated(_))
        {
            let fitting = table.fitting.iter();
            clauses.extend(fitting.map(|index| sql!("USING INDEX {}", index)));
            let is_full = table.identity == ReplicaIdentity::Full;
            if !is_full && self.full_serves(table) {
                clauses.push(Sql::fixed("FULL"));
            }
        }
        if let (Blocker::Differs(_), Some(root)) = (blocker, root) {
            clauses.extend(as_root(root));
        }
        clauses
            .into_iter()
            .map(|clause| {
                sql!(
                    "ALTER TABLE ONLY {} REPLICA IDENTITY {}",
                    table.name,
                    clause
                )
            })
            .collect()
    }

    /// Why no publication could have a filter.
    fn find_filter_blocker(&self, filter: &RowFilter) -> Option<Blocker> {
        if !self.version.has_publication_filters() {
            return Some(Blocker::FilterVersion(self.version));
        }
        filter.not_publishable.clone().map(Blocker::Filter)
    }

    fn find_blocker(&self, table: &Candidate, group: Group<'_>) -> Option<Blocker> {
        if self.hypertables.contains(&table.name) {
            return Some(Blocker::Hypertable);
        }
        let of_filter = || {
            let filter = group.filter?;
            self.find_filter_blocker(filter)
        };
        if group.is_insert_only {
            return of_filter();
        }
        let identity = match choose_identity(table) {
            Ok(identity) => identity,
            Err(blocker) => return Some(blocker),
        };
        match identity {
            Identity::Full if !table.unequal.is_empty() => {
                return Some(Blocker::NoEquality(table.unequal.clone()));
            }
            Identity::Full if self.full_is_refused(table) => {
                return Some(Blocker::Generated(table.generated.clone()));
            }
            Identity::Key(_) if !table.key_generated.is_empty() => {
                return Some(Blocker::Generated(table.key_generated.clone()));
            }
            Identity::Full | Identity::Key(_) => {}
        }
        let of_columns = || find_columns_outside(group.filter?, &identity);
        if let Some(blocker) = of_filter().or_else(of_columns) {
            return Some(blocker);
        }
        let root = group.root?;
        // A root without an identity is reported by itself.
        let agreed = self::choose_identity(root).ok()?;
        (agreed != identity).then(|| Blocker::Differs(root.name.clone()))
    }
}

/// The columns of a filter that are not in the identity: of old rows they are not logged.
fn find_columns_outside(filter: &RowFilter, identity: &Identity<'_>) -> Option<Blocker> {
    let Identity::Key(key) = identity else {
        return None;
    };
    let outside = filter.columns.iter().filter(|column| !key.contains(column));
    let outside: Vec<Ident> = outside.cloned().collect();
    (!outside.is_empty()).then_some(Blocker::FilterColumns(outside))
}

/// The clause that gives a partition the identity of its root, where that is one for all.
fn as_root(root: &Candidate) -> Option<Sql> {
    match root.identity {
        ReplicaIdentity::Full => Some(Sql::fixed("FULL")),
        ReplicaIdentity::Default => Some(Sql::fixed("DEFAULT")),
        ReplicaIdentity::Index | ReplicaIdentity::Nothing => None,
    }
}

fn choose_identity(table: &Candidate) -> Result<Identity<'_>, Blocker> {
    match (table.identity, &table.key) {
        (ReplicaIdentity::Full, _) => Ok(Identity::Full),
        (ReplicaIdentity::Nothing, _) => Err(Blocker::Nothing),
        (_, Some(key)) => Ok(Identity::Key(key)),
        (ReplicaIdentity::Default, None) => Err(Blocker::NoKey),
        (ReplicaIdentity::Index, None) => Err(Blocker::LostIndex),
    }
}

/// Whether the table has no identity at all.
const fn is_missing(blocker: &Blocker) -> bool {
    matches!(
        blocker,
        Blocker::NoKey | Blocker::LostIndex | Blocker::Nothing
    )
}

/// The identities of tables that get `REPLICA IDENTITY FULL`.
fn former_identities(members: &[&Candidate]) -> Vec<FormerIdentity> {
    members
        .iter()
        .filter(|member| member.identity != ReplicaIdentity::Full)
        .map(|member| {
            let index = member.identity_index.as_ref();
            FormerIdentity::new(&member.name, member.identity, index)
        })
        .collect()
}

#[cfg(test)]
#[path = "identity/tests.rs"]
mod tests;
