//! The statements that create what is skipped, so that it can be created by hand.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use super::context::Context;
use super::lookup::Lookup;
use super::object::comment::render_comment;
use super::object::grant::render_grants;
use super::object::{self, NodeId, Nodes, Part, add_column};
use super::options::Options;
use super::placement::{Placement, Placements};
use super::secret::{any_secret, masked};
use super::step_path::find_step_path;
use crate::catalog::model::ObjectId;
use crate::catalog::{Catalog, Class};
use crate::pg::{Oid, Sql};

/// Calls `work` with the steps of a whole catalog, in which these parts are created separately.
pub(super) fn with_nodes<T>(
    catalog: &Catalog,
    options: &Options,
    placements: &Placements,
    work: impl FnOnce(&Context<'_>, &Nodes<'_>) -> T,
) -> T {
    let lookup = Lookup::new(catalog);
    let owners = RefCell::default();
    let context = Context {
        catalog,
        options,
        lookup: &lookup,
        placements,
        owners: &owners,
    };
    work(&context, &object::collect_steps(&context))
}

/// The statements of each of these rows, with its comments and privileges.
pub(super) fn render_definitions(
    catalog: &Catalog,
    options: &Options,
    rows: &HashMap<ObjectId, ObjectId>,
) -> HashMap<ObjectId, Sql> {
    if rows.is_empty() {
        return HashMap::new();
    }
    let generated = generated_columns(catalog, rows);
    let is_apart = |id: &&ObjectId| {
        matches!(id.class, Class::Default | Class::Constraint) && !generated.contains_key(*id)
    };
    let apart = rows.keys().filter(is_apart);
    let placements = apart.map(|id| (*id, Placement::Separate)).collect();
    with_nodes(catalog, options, &placements, |context, nodes| {
        let mut statements: BTreeMap<NodeId, Vec<Sql>> = BTreeMap::new();
        for node in nodes {
            let NodeId { object, part } = node.node_id();
            if part == Part::Shell || !rows.contains_key(&object) {
                continue;
            }
            let mut made = node.render_statements(context);
            if node.is_secret() {
                made = made.iter().map(masked).collect();
            }
            if let Some(path) = find_step_path(context, &**node, false) {
                made = path.enclose(made);
            }
            statements.insert(node.node_id(), made);
        }
        let mut definitions: HashMap<ObjectId, Vec<Sql>> = HashMap::new();
        for (node, statements) in statements {
            let definition = definitions.entry(node.object).or_default();
            definition.extend(statements);
        }
        for (id, (table, column)) in generated {
            let table = &catalog.tables[table];
            let column = &table.columns[column];
            let is_secret = any_secret(&column.foreign_options);
            let added = add_column(context, table, column);
            let added = added.map(|sql| if is_secret { masked(&sql) } else { sql });
            definitions.entry(id).or_default().extend(added);
        }
        attach(context, &mut definitions);
        let join = |(id, statements): (ObjectId, Vec<Sql>)| (id, Sql::join(&statements, "; "));
        definitions.into_iter().map(join).collect()
    })
}

/// The generated columns among these rows, by the places of table and column.
fn generated_columns(
    catalog: &Catalog,
    rows: &HashMap<ObjectId, ObjectId>,
) -> HashMap<ObjectId, (usize, usize)> {
    let mut found = HashMap::new();
    for (at, table) in catalog.tables.iter().enumerate() {
        for (place, column) in table.columns.iter().enumerate() {
            if let Some(default) = &column.default
                && column.generated.is_some()
                && rows.contains_key(&default.id)
            {
                found.insert(default.id, (at, place));
            }
        }
    }
    found
}

/// Adds comments and privileges.
fn attach(context: &Context<'_>, definitions: &mut HashMap<ObjectId, Vec<Sql>>) {
    let include = &context.options.include;
    let mut add = |class: Oid, oid: Oid, statements: &mut dyn Iterator<Item = Sql>| {
        let id = Class::from_oid(class).map(|class| ObjectId::new(class, oid));
        if let Some(definition) = id.and_then(|id| definitions.get_mut(&id)) {
            definition.extend(statements);
        }
    };
    for comment in context.catalog.comments.iter().filter(|_| include.comments) {
        let mut sql = render_comment(comment, context.target()).into_iter();
        add(comment.class, comment.oid, &mut sql);
    }
    for acl in context.catalog.acls.iter().filter(|_| include.privileges) {
        let rendered = render_grants(&context.on_target(acl), &context.options.target);
        add(acl.class, acl.oid, &mut rendered.statements.into_iter());
    }
}
