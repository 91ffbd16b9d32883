//! One query per kind of object, each for the whole database or cluster: their number does not
//! grow with the number of objects.
//!
//! One text serves all versions. There are two ways to read a column that a version may lack:
//!
//! - by name in the row's JSON form, where an absent column is NULL;
//! - where that would be slow, without its table in a sub-select whose outer query offers a column
//!   of the same name: SQL looks inside first.
//!
//! To add a kind: its struct in [`model`](super::model), a loader here with its query in `sql`,
//! and one line in [`load`].

mod aggregates;
mod attached;
mod beside;
mod casts;
mod collations;
mod columns;
mod constraints;
mod dependencies;
mod event_triggers;
mod foreign;
mod indexes;
mod languages;
mod operators;
mod publications;
mod relations;
mod routines;
mod row;
mod schemas;
mod search;
mod sequences;
mod subscriptions;
pub mod timescale;
mod types;

pub mod acl;
pub mod comment;
pub mod database;
pub mod default_acl;
pub mod labels;
pub mod large_object;
pub mod planner_statistics;
pub mod quoting;
pub mod reading;
pub mod remembered;
pub mod resolution;
pub mod roles;
pub mod transfer;
pub mod turns;
pub mod unsupported;

use row::{Columns, query};

use self::unsupported::Unsupported;
use super::Error;
use super::model::{Catalog, Constraint, Index, KeyTrigger, Policy, Rule, Statistics, Trigger};
use crate::connect::Session;

/// Reads everything that the session's database holds.
///
/// The session is in a transaction whose snapshot the caller chose. Its `search_path` is empty, so
/// the server qualifies every name that it deparses. The server deparses what is
/// committed *now*, not what the snapshot shows: tables that must not change meanwhile are locked
/// by the caller.
///
/// # Errors
/// The server refused a query, the connection broke, or a catalog holds something of a newer
/// version that this program does not know.
pub async fn load(session: &Session) -> Result<Catalog, Error> {
    let standing = load_standing(session).await?;
    let hanging = load_hanging(session).await?;
    join(session, standing, hanging).await
}

/// Reads on two sessions that share a snapshot: a server deparses on one processor a session.
async fn load_on_both(first: &Session, second: &Session) -> Result<Catalog, Error> {
    let (standing, hanging) = futures_util::try_join!(load_standing(first), load_hanging(second))?;
    join(first, standing, hanging).await
}

async fn join(session: &Session, standing: Catalog, hanging: Hanging) -> Result<Catalog, Error> {
    let mut catalog = Catalog {
        constraints: hanging.constraints,
        indexes: hanging.indexes,
        statistics: hanging.statistics,
        rules: hanging.rules,
        triggers: hanging.triggers,
        key_triggers: hanging.key_triggers,
        policies: hanging.policies,
        member_comments: hanging.beside.comments,
        member_relations: hanging.beside.relations,
        multiranges: hanging.beside.multiranges,
        unsupported: hanging.unsupported,
        ..standing
    };
    constraints::name_not_nulls(&mut catalog.tables, hanging.not_nulls);
    timescale::settle(session, &mut catalog).await?;
    resolution::load_resolutions(session, &mut catalog).await?;
    Ok(catalog)
}

/// Independent objects, and the edges between all objects; the other fields are empty. The halves
/// take a server about as long.
async fn load_standing(session: &Session) -> Result<Catalog, Error> {
    let bare = schemas::load_extensions(session).await?;
    let config: Vec<u32> = bare.iter().flat_map(schemas::Bare::config_oids).collect();
    let mut columns = columns::load_columns(session).await?;
    let mut relations = relations::load_relations(session, &config, &mut columns).await?;
    let (operator_families, operator_classes) = operators::load_families(session).await?;
    let complete = |extension: schemas::Bare| extension.complete(&mut relations.config);
    let (languages, access_methods) = languages::load_languages(session).await?;
    let foreign = foreign::load_foreign_data(session).await?;
    let ways = casts::load_casts(session).await?;
    let dependencies = dependencies::load_dependencies(session).await?;
    Ok(Catalog {
        version: session.version(),
        schemas: schemas::load_schemas(session).await?,
        extensions: bare.into_iter().map(complete).collect(),
        languages,
        collations: collations::load_collations(session).await?,
        types: types::load_types(session, &mut columns).await?,
        casts: ways.casts,
        transforms: ways.transforms,
        conversions: ways.conversions,
        routines: routines::load_routines(session).await?,
        aggregates: aggregates::load_aggregates(session).await?,
        access_methods,
        operators: operators::load_operators(session).await?,
        operator_families,
        operator_classes,
        search: search::load_search(session).await?,
        wrappers: foreign.wrappers,
        servers: foreign.servers,
        user_mappings: foreign.user_mappings,
        sequences: sequences::load_sequences(session).await?,
        tables: relations.tables,
        parent_tables: relations.parents,
        views: relations.views,
        materialized_views: relations.materialized_views,
        publications: publications::load_publications(session).await?,
        subscriptions: subscriptions::load_subscriptions(session).await?,
        event_triggers: event_triggers::load_event_triggers(session).await?,
        acls: acl::load_acls(session).await?,
        default_acls: default_acl::load_default_acls(session).await?,
        comments: comment::load_comments(session).await?,
        labels: labels::load_security_labels(session).await?,
        dependencies: dependencies.edges,
        members: dependencies.members,
        ..Catalog::default()
    })
}

/// Objects attached to relations.
struct Hanging {
    constraints: Vec<Constraint>,
    not_nulls: constraints::NotNulls,
    indexes: Vec<Index>,
    statistics: Vec<Statistics>,
    rules: Vec<Rule>,
    triggers: Vec<Trigger>,
    key_triggers: Vec<KeyTrigger>,
    policies: Vec<Policy>,
    beside: beside::Beside,
    unsupported: Vec<Unsupported>,
}

async fn load_hanging(session: &Session) -> Result<Hanging, Error> {
    let (constraints, not_nulls) = constraints::load_constraints(session).await?;
    Ok(Hanging {
        constraints,
        not_nulls,
        indexes: indexes::load_indexes(session).await?,
        statistics: indexes::load_statistics(session).await?,
        rules: attached::load_rules(session).await?,
        triggers: attached::load_triggers(session).await?,
        key_triggers: attached::load_key_triggers(session).await?,
        policies: attached::load_policies(session).await?,
        beside: beside::load_beside(session).await?,
        unsupported: unsupported::load_unsupported(session).await?,
    })
}
