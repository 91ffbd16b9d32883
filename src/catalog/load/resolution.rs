//! Reads how definitions find operators that their text does not qualify with a schema. Prints
//! these definitions again under a search path that finds the operators.
//!
//! A server qualifies a name only where its own search path would find something else. So a text
//! printed under a path means the same when it is parsed under this path. That is also true where
//! another candidate hides an object of `pg_catalog`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lock_batches::release_locks;
use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{
    Address, Body, Calls, Catalog, Class, Column, Dependency, ObjectId, Resolution, TypeKind,
};
use crate::connect::Session;
use crate::pg::{Ident, Literal, Sql, SqlState};
use crate::sql;

const WHAT: &str = "operators of definitions";

/// Definitions that are printed by one query.
const FEW: usize = 64;

/// What operators an expression calls, and whether its text hides one.
struct Recorded {
    is_hidden: bool,
    /// The schemas of operators that are certainly hidden.
    first: BTreeSet<Ident>,
    calls: Calls,
}

/// Nodes whose operator no text names.
const HIDDEN: &[&str] = &["DISTINCTEXPR", "NULLIFEXPR"];

/// A part of an object that holds an expression.
struct Part {
    owner: ObjectId,
    id: ObjectId,
    address: Address,
}

/// A definition, printed again.
#[derive(Default)]
struct Printed {
    definition: Option<Sql>,
    second: Option<Sql>,
    body: Option<Sql>,
    condition: Option<Sql>,
}

type Texts = HashMap<ObjectId, Printed>;

/// The schemas of operators outside `pg_catalog` that an object uses.
type Paths = BTreeMap<ObjectId, Vec<Ident>>;

/// Notes what definitions that hide operators need, and replaces their texts.
pub(super) async fn load_resolutions(
    session: &Session,
    catalog: &mut Catalog,
) -> Result<(), Error> {
    if !uses_operators(catalog) {
        return Ok(());
    }
    let mut paths = load_paths(session).await?;
    if paths.is_empty() {
        return Ok(());
    }
    let owners: Vec<ObjectId> = paths.keys().copied().collect();
    let (mut parts, mut recorded) = load_recorded(session, &owners).await?;
    let hides = |part: &&Part| recorded.get(&part.id).is_some_and(|of| of.is_hidden);
    let affected: BTreeSet<ObjectId> = parts.iter().filter(hides).map(|of| of.owner).collect();
    parts.retain(|part| affected.contains(&part.owner));
    for part in &parts {
        let first = recorded.get(&part.id).map(|of| &of.first);
        if let (Some(first), Some(path)) = (first, paths.get_mut(&part.owner)) {
            // Others' operators are printed with their schema where these hide them.
            path.sort_by_key(|schema| !first.contains(schema));
        }
    }
    let texts = print_parts(session, &parts, &paths).await?;
    for part in parts {
        let (Some(path), Some(recorded)) = (paths.get(&part.owner), recorded.remove(&part.id))
        else {
            continue;
        };
        let printed = texts.get(&part.id);
        let resolution = Resolution {
            path: path.clone(),
            address: part.address,
            calls: recorded.calls,
            condition: printed.and_then(|printed| printed.condition.clone()),
        };
        catalog.resolutions.insert(part.id, resolution);
    }
    replace_texts(catalog, &texts);
    Ok(())
}

/// Whether a definition of a user depends on an operator. The server's own ones are pinned, and no
/// dependency names them.
fn uses_operators(catalog: &Catalog) -> bool {
    let uses = |edge: &Dependency| {
        let holds_expressions = matches!(
            edge.from.class,
            Class::Constraint
                | Class::Default
                | Class::Policy
                | Class::Relation
                | Class::Routine
                | Class::Rule
                | Class::Statistics
                | Class::Trigger
                | Class::Type
        );
        edge.to.class == Class::Operator
            && holds_expressions
            && !catalog.members.contains_key(&edge.from)
    };
    catalog.dependencies.iter().any(uses)
}

/// The objects that use operators outside `pg_catalog`, with the operators' schemas.
async fn load_paths(session: &Session) -> Result<Paths, Error> {
    let rows = query(session, WHAT, include_str!("../sql/operator_uses.sql"), &[]).await?;
    let mut paths = Paths::new();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let schemas: Vec<&str> = row.value("schemas")?;
        let schemas = schemas.into_iter().map(Ident::from_catalog).collect();
        if let Some(id) = read_id(&row, "class", "oid")? {
            paths.insert(id, schemas);
        }
    }
    Ok(paths)
}

/// The parts of objects, and what the server recorded for them. Addresses and identities are
/// compared with those of the target, which quotes only what it must.
async fn load_recorded(
    session: &Session,
    owners: &[ObjectId],
) -> Result<(Vec<Part>, HashMap<ObjectId, Recorded>), Error> {
    let quoting = query(session, WHAT, "SHOW quote_all_identifiers", &[]).await?;
    let quoting: &str = Columns::only(WHAT, &quoting)?.value("quote_all_identifiers")?;
    set_local(session, &Sql::fixed("quote_all_identifiers TO off")).await?;
    let parts = load_parts(session, owners).await?;
    let ids: Vec<ObjectId> = parts.iter().map(|part| part.id).collect();
    let recorded = load_calls(session, &ids).await?;
    let restored = sql!("quote_all_identifiers TO {}", Literal(quoting));
    set_local(session, &restored).await?;
    Ok((parts, recorded))
}

async fn load_parts(session: &Session, owners: &[ObjectId]) -> Result<Vec<Part>, Error> {
    let (classes, oids) = rows_of(owners);
    let text = include_str!("../sql/definition_parts.sql");
    let rows = query(session, WHAT, text, &[&classes, &oids]).await?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let owner = read_id(&row, "owner_class", "owner_oid")?;
        if let (Some(owner), Some(id)) = (owner, read_id(&row, "class", "oid")?) {
            let address = Address {
                kind: row.value("kind")?,
                names: row.value("names")?,
                arguments: row.value("arguments")?,
            };
            parts.push(Part { owner, id, address });
        }
    }
    Ok(parts)
}

async fn load_calls(
    session: &Session,
    ids: &[ObjectId],
) -> Result<HashMap<ObjectId, Recorded>, Error> {
    let (classes, oids) = rows_of(ids);
    let text = include_str!("../sql/recorded_calls.sql");
    let rows = query(session, WHAT, text, &[&classes, &oids]).await?;
    let mut recorded = HashMap::new();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        if let Some(id) = read_id(&row, "class", "oid")? {
            recorded.insert(id, one_recorded(&row)?);
        }
    }
    Ok(recorded)
}

#[derive(serde::Deserialize)]
struct Call(String, String, String, i64);

fn one_recorded(row: &Columns<'_>) -> Result<Recorded, Error> {
    let mut recorded = Recorded {
        is_hidden: row.value("is_hidden")?,
        first: BTreeSet::new(),
        calls: Calls::new(),
    };
    for Call(node, schema, identity, count) in row.json("calls")? {
        if HIDDEN.contains(&node.as_str()) {
            recorded.first.insert(Ident::from_catalog(schema));
        }
        let call = (node, stable_identity(identity));
        *recorded.calls.entry(call).or_default() += count;
    }
    Ok(recorded)
}

/// The identity of an operator as all majors name it: the polymorphic types of the server's own
/// operators have changed, e.g. in 14 from `anyarray` to `anycompatiblearray`.
fn stable_identity(identity: String) -> String {
    match identity.split_once("(pg_catalog.any") {
        Some((name, _)) if name.starts_with("pg_catalog.") => name.to_owned(),
        _ => identity,
    }
}

/// What the session's server has recorded for the object of this address.
///
/// # Errors
/// There is no such object, the server refused, or the connection broke.
pub async fn recorded_calls(session: &Session, address: &Address) -> Result<Calls, Error> {
    let text = include_str!("../sql/address.sql");
    let Address {
        kind,
        names,
        arguments,
    } = address;
    let found = query(session, WHAT, text, &[kind, names, arguments]).await?;
    let found = read_id(&Columns::only(WHAT, &found)?, "class", "oid")?;
    let ids: Vec<ObjectId> = found.into_iter().collect();
    let recorded = load_calls(session, &ids).await?;
    Ok(recorded.into_values().flat_map(|of| of.calls).collect())
}

fn read_id(
    row: &Columns<'_>,
    class: &'static str,
    oid: &'static str,
) -> Result<Option<ObjectId>, Error> {
    let class = Class::from_oid(row.oid(class)?);
    let oid = row.oid(oid)?;
    Ok(class.map(|class| ObjectId::new(class, oid)))
}

fn rows_of(ids: &[ObjectId]) -> (Vec<u32>, Vec<u32>) {
    ids.iter().map(|id| (id.class.oid().0, id.oid.0)).unzip()
}

/// Prints parts of definitions, each under the path of its object.
async fn print_parts(session: &Session, parts: &[Part], paths: &Paths) -> Result<Texts, Error> {
    let mut by_path: BTreeMap<&[Ident], Vec<ObjectId>> = BTreeMap::new();
    for part in parts {
        if let Some(path) = paths.get(&part.owner) {
            by_path.entry(path).or_default().push(part.id);
        }
    }
    let mut texts = Texts::new();
    for (path, ids) in by_path {
        print_under_path(session, path, &ids, &mut texts).await?;
    }
    Ok(texts)
}

/// Prints definitions under a path, a few at a time: the server locks what they read. One by one
/// where its lock table is too small for a few.
async fn print_under_path(
    session: &Session,
    path: &[Ident],
    ids: &[ObjectId],
    texts: &mut Texts,
) -> Result<(), Error> {
    for few in ids.chunks(FEW) {
        match print_few(session, path, few, texts).await {
            Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => {
                for one in few.chunks(1) {
                    if release_locks(session).await.is_err() {
                        return Err(error);
                    }
                    print_few(session, path, one, texts).await?;
                }
            }
            done => done?,
        }
    }
    Ok(())
}

async fn print_few(
    session: &Session,
    path: &[Ident],
    ids: &[ObjectId],
    texts: &mut Texts,
) -> Result<(), Error> {
    let schemas = Sql::join(path, ", ");
    set_local(session, &sql!("search_path TO {}, pg_temp", schemas)).await?;
    let (classes, oids) = rows_of(ids);
    let text = include_str!("../sql/path_definitions.sql");
    for row in &query(session, WHAT, text, &[&classes, &oids]).await? {
        let row = Columns::new(WHAT, row);
        if let Some(id) = read_id(&row, "class", "oid")? {
            let printed = texts.entry(id).or_default();
            printed.definition = read_definition(&row)?;
            printed.second = row.optional_sql("second")?;
            printed.condition = row.optional_sql("condition")?;
        }
    }
    if session.version().has_sql_bodies() {
        let text = include_str!("../sql/path_bodies.sql");
        for row in &query(session, WHAT, text, &[&classes, &oids]).await? {
            let row = Columns::new(WHAT, row);
            if let Some(id) = read_id(&row, "class", "oid")? {
                texts.entry(id).or_default().body = row.optional_sql("body")?;
            }
        }
    }
    set_local(session, &Sql::fixed("search_path TO ''")).await
}

/// Sets a parameter for the rest of the transaction.
async fn set_local(session: &Session, parameter: &Sql) -> Result<(), Error> {
    session
        .batch(&sql!("SET LOCAL {}", parameter))
        .await
        .map_err(|source| Error::Query { what: WHAT, source })
}

/// Queries end with a semicolon.
fn read_definition(row: &Columns<'_>) -> Result<Option<Sql>, Error> {
    let text: Option<&str> = row.value("definition")?;
    Ok(text.map(|text| Sql::deparsed(text.strip_suffix(';').unwrap_or(text))))
}

/// Puts the texts where those printed under the empty path are.
fn replace_texts(catalog: &mut Catalog, texts: &Texts) {
    let definition = |id: ObjectId| texts.get(&id).and_then(|of| of.definition.clone());
    let replace = |id: ObjectId, text: &mut Sql| {
        if let Some(printed) = definition(id) {
            *text = printed;
        }
    };
    let defaults = |columns: &mut Vec<Column>| {
        for default in columns.iter_mut().filter_map(|of| of.default.as_mut()) {
            replace(default.id, &mut default.expression);
        }
    };
    for table in &mut catalog.tables {
        defaults(&mut table.columns);
        if let Some(key) = &mut table.partition_key {
            replace(table.id, &mut key.definition);
        }
    }
    for view in &mut catalog.views {
        defaults(&mut view.columns);
        replace(view.id, &mut view.definition);
    }
    for view in &mut catalog.materialized_views {
        replace(view.id, &mut view.definition);
    }
    for constraint in &mut catalog.constraints {
        replace(constraint.id, &mut constraint.definition);
    }
    for index in &mut catalog.indexes {
        replace(index.id, &mut index.definition);
    }
    for statistics in &mut catalog.statistics {
        replace(statistics.id, &mut statistics.definition);
    }
    for rule in &mut catalog.rules {
        replace(rule.id, &mut rule.definition);
    }
    for trigger in &mut catalog.triggers {
        if let Some(text) = &mut trigger.definition {
            replace(trigger.id, text);
        }
    }
    replace_in_parts(catalog, texts);
}

/// The same for objects that have more than one text, or one of several kinds.
fn replace_in_parts(catalog: &mut Catalog, texts: &Texts) {
    for policy in &mut catalog.policies {
        if let Some(printed) = texts.get(&policy.id) {
            policy.using.clone_from(&printed.definition);
            policy.with_check.clone_from(&printed.second);
        }
    }
    for routine in &mut catalog.routines {
        let Some(printed) = texts.get(&routine.id) else {
            continue;
        };
        if let Some(arguments) = &printed.definition {
            routine.arguments.clone_from(arguments);
        }
        if let (Body::Sql { text, .. }, Some(body)) = (&mut routine.body, &printed.body) {
            text.clone_from(body);
        }
    }
    for user_type in &mut catalog.types {
        let printed = texts
            .get(&user_type.id)
            .and_then(|of| of.definition.as_ref());
        if let (TypeKind::Domain(domain), Some(default)) = (&mut user_type.kind, printed) {
            domain.default = Some(default.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_polymorphic_operators_lose_their_types() {
        let cases = [
            (
                "pg_catalog.=(pg_catalog.anyarray,pg_catalog.anyarray)",
                "pg_catalog.=",
            ),
            ("pg_catalog.=(text,text)", "pg_catalog.=(text,text)"),
            (
                "public.@>(pg_catalog.anyarray,text)",
                "public.@>(pg_catalog.anyarray,text)",
            ),
        ];
        for (identity, expected) in cases {
            assert_eq!(stable_identity(identity.to_owned()), expected);
        }
    }
}
