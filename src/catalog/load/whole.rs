//! Reads everything that a database holds, in two halves that can be read at the same time.

use super::extension_members::{ExtensionMembers, load_extension_members};
use super::{
    acl, aggregates, attached, casts, collations, columns, comment, constraints, default_acl,
    dependencies, event_triggers, foreign, indexes, labels, languages, operators, publications,
    relations, resolution, routines, schemas, search, sequences, subscriptions, timescale, types,
    unsupported,
};
use crate::catalog::Error;
use crate::catalog::model::{
    Catalog, Constraint, Index, KeyTrigger, Policy, Rule, Statistics, Trigger, Unsupported,
};
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
pub async fn load_catalog(session: &Session) -> Result<Catalog, Error> {
    let base = load_base(session).await?;
    let dependents = load_dependents(session).await?;
    join_halves(session, base, dependents).await
}

/// Reads on two sessions that share a snapshot: a server deparses on one processor a session.
pub(super) async fn load_on_both(first: &Session, second: &Session) -> Result<Catalog, Error> {
    let (base, dependents) = futures_util::try_join!(load_base(first), load_dependents(second))?;
    join_halves(first, base, dependents).await
}

async fn join_halves(
    session: &Session,
    base: Catalog,
    dependents: Dependents,
) -> Result<Catalog, Error> {
    let mut catalog = Catalog {
        constraints: dependents.constraints,
        indexes: dependents.indexes,
        statistics: dependents.statistics,
        rules: dependents.rules,
        triggers: dependents.triggers,
        key_triggers: dependents.key_triggers,
        policies: dependents.policies,
        member_comments: dependents.members.comments,
        member_relations: dependents.members.relations,
        multiranges: dependents.members.multiranges,
        unsupported: dependents.unsupported,
        ..base
    };
    constraints::name_not_nulls(&mut catalog.tables, dependents.not_nulls);
    timescale::apply_timescale(session, &mut catalog).await?;
    resolution::load_resolutions(session, &mut catalog).await?;
    Ok(catalog)
}

/// Reads objects that depend on no relation, relations, and the edges between all objects; the other fields
/// are empty. A server needs about as long for each half.
async fn load_base(session: &Session) -> Result<Catalog, Error> {
    let bare = schemas::load_extensions(session).await?;
    let config: Vec<u32> = bare.iter().flat_map(schemas::Bare::config_oids).collect();
    let mut columns = columns::load_columns(session).await?;
    let mut relations = relations::load_relations(session, &config, &mut columns).await?;
    let (operator_families, operator_classes) = operators::load_families(session).await?;
    let complete = |extension: schemas::Bare| extension.complete(&mut relations.config);
    let (languages, access_methods) = languages::load_languages(session).await?;
    let foreign = foreign::load_foreign_data(session).await?;
    let conversions = casts::load_casts(session).await?;
    let dependencies = dependencies::load_dependencies(session).await?;
    Ok(Catalog {
        version: session.version(),
        schemas: schemas::load_schemas(session).await?,
        extensions: bare.into_iter().map(complete).collect(),
        languages,
        collations: collations::load_collations(session).await?,
        types: types::load_types(session, &mut columns).await?,
        casts: conversions.casts,
        transforms: conversions.transforms,
        conversions: conversions.conversions,
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

/// Objects that belong to relations.
struct Dependents {
    constraints: Vec<Constraint>,
    not_nulls: constraints::NotNulls,
    indexes: Vec<Index>,
    statistics: Vec<Statistics>,
    rules: Vec<Rule>,
    triggers: Vec<Trigger>,
    key_triggers: Vec<KeyTrigger>,
    policies: Vec<Policy>,
    members: ExtensionMembers,
    unsupported: Vec<Unsupported>,
}

async fn load_dependents(session: &Session) -> Result<Dependents, Error> {
    let (constraints, not_nulls) = constraints::load_constraints(session).await?;
    Ok(Dependents {
        constraints,
        not_nulls,
        indexes: indexes::load_indexes(session).await?,
        statistics: indexes::load_statistics(session).await?,
        rules: attached::load_rules(session).await?,
        triggers: attached::load_triggers(session).await?,
        key_triggers: attached::load_key_triggers(session).await?,
        policies: attached::load_policies(session).await?,
        members: load_extension_members(session).await?,
        unsupported: unsupported::load_unsupported(session).await?,
    })
}
