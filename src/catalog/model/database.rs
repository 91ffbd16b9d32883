use std::collections::{BTreeSet, HashMap};

use super::comment::Comment;
use super::{
    AccessMethod, Aggregate, Cast, Collation, Constraint, Conversion, Dependency, EventTrigger,
    Extension, ForeignDataWrapper, ForeignServer, Index, KeyTrigger, Language, MaterializedView,
    MemberComment, MemberRelation, ObjectId, Operator, OperatorClass, OperatorFamily, Policy,
    Publication, Resolution, Routine, Rule, Schema, Search, SecurityLabel, Sequence, Statistics,
    Subscription, Table, Timescale, Transform, Trigger, Type, Unsupported, UserMapping, View,
};
use crate::catalog::acl::{DefaultAcl, ObjectAcl};
use crate::pg::{Oid, ServerVersion, Sql};

/// What one database holds, without the server's own objects and those of extensions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The server's version.
    pub version: ServerVersion,
    /// Schemas.
    pub schemas: Vec<Schema>,
    /// Extensions.
    pub extensions: Vec<Extension>,
    /// Languages.
    pub languages: Vec<Language>,
    /// Collations.
    pub collations: Vec<Collation>,
    /// Types, without those of tables and arrays.
    pub types: Vec<Type>,
    /// Casts.
    pub casts: Vec<Cast>,
    /// Transforms.
    pub transforms: Vec<Transform>,
    /// Conversions between encodings.
    pub conversions: Vec<Conversion>,
    /// Functions and procedures.
    pub routines: Vec<Routine>,
    /// Aggregates.
    pub aggregates: Vec<Aggregate>,
    /// Access methods of tables and indexes.
    pub access_methods: Vec<AccessMethod>,
    /// Operators.
    pub operators: Vec<Operator>,
    /// Operator families.
    pub operator_families: Vec<OperatorFamily>,
    /// Operator classes.
    pub operator_classes: Vec<OperatorClass>,
    /// Parsers, templates, dictionaries and configurations of text search.
    pub search: Vec<Search>,
    /// Foreign data wrappers.
    pub wrappers: Vec<ForeignDataWrapper>,
    /// Foreign servers.
    pub servers: Vec<ForeignServer>,
    /// User mappings.
    pub user_mappings: Vec<UserMapping>,
    /// Sequences.
    pub sequences: Vec<Sequence>,
    /// Tables, partitioned, foreign or neither.
    pub tables: Vec<Table>,
    /// Tables of extensions that tables inherit from, or are partitions of; configuration tables are
    /// with their extension.
    pub parent_tables: Vec<Table>,
    /// Views.
    pub views: Vec<View>,
    /// Materialized views.
    pub materialized_views: Vec<MaterializedView>,
    /// Constraints of tables and domains.
    pub constraints: Vec<Constraint>,
    /// Indexes.
    pub indexes: Vec<Index>,
    /// Extended statistics.
    pub statistics: Vec<Statistics>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Internal triggers of keys that do not fire as usual.
    pub key_triggers: Vec<KeyTrigger>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Publications.
    pub publications: Vec<Publication>,
    /// Subscriptions, which are reported and not created.
    pub subscriptions: Vec<Subscription>,
    /// Event triggers.
    pub event_triggers: Vec<EventTrigger>,
    /// Privileges that differ from those an object has by itself.
    pub acls: Vec<ObjectAcl>,
    /// Privileges of objects that are created later.
    pub default_acls: Vec<DefaultAcl>,
    /// Comments.
    pub comments: Vec<Comment>,
    /// Security labels.
    pub labels: Vec<SecurityLabel>,
    /// Comments on objects of extensions.
    pub member_comments: Vec<MemberComment>,
    /// Relations that belong to extensions.
    pub member_relations: Vec<MemberRelation>,
    /// Objects that use multiranges: relations, with the column's number, and routines and domains,
    /// with 0.
    pub multiranges: BTreeSet<(ObjectId, i16)>,
    /// What cannot be copied.
    pub unsupported: Vec<Unsupported>,
    /// What depends on what.
    pub dependencies: Vec<Dependency>,
    /// The extension (by its oid) that an object belongs to.
    pub members: HashMap<ObjectId, Oid>,
    /// What definitions need in order to find the operators that their text does not name with
    /// their schema.
    pub resolutions: HashMap<ObjectId, Resolution>,
    /// What TimescaleDB made, where it is installed.
    pub timescale: Option<Timescale>,
}

/// A relation whose rows a copy includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSource<'a> {
    /// The table.
    pub table: &'a Table,
    /// Which of its rows: a `WHERE` clause, or nothing for all.
    pub condition: Option<&'a Sql>,
}

/// The way from a partition up to its topmost table.
#[derive(Clone, Debug)]
pub struct Lineages<'a>(HashMap<Oid, &'a Table>);

impl<'a> Lineages<'a> {
    /// Those of all tables of a catalog.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self(catalog.tables.iter().map(|t| (t.id.oid, t)).collect())
    }

    /// A table and the partitioned tables above it.
    pub fn of(&self, table: &'a Table) -> impl Iterator<Item = &'a Table> {
        std::iter::successors(Some(table), |table| {
            let parent = table.parents.first().filter(|_| table.is_partition());
            parent.and_then(|parent| self.0.get(parent)).copied()
        })
    }
}

impl Catalog {
    /// Every relation whose rows a copy includes: ordinary tables, among them partitions and
    /// children, and the tables of extensions that hold the user's configuration.
    pub fn row_sources(&self) -> impl Iterator<Item = RowSource<'_>> {
        let own = self.tables.iter().map(|table| RowSource {
            table,
            condition: None,
        });
        let config = self.extensions.iter().flat_map(|extension| {
            extension.config.iter().map(|config| RowSource {
                table: &config.table,
                condition: config.condition.as_ref(),
            })
        });
        own.chain(config)
            .filter(|source| source.table.has_storage())
    }

    /// The table with this oid.
    pub fn table(&self, oid: Oid) -> Option<&Table> {
        self.tables.iter().find(|table| table.id.oid == oid)
    }
}
