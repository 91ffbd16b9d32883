//! Takes out of a catalog what is not chosen or not to be made, or cannot be by our role, and whatever depends
//! on it, as `DROP … CASCADE` would: a default goes without its table, a view with its rule.

use std::collections::{HashMap, HashSet};

use super::Options;
use super::context::{Context, Placements};
use super::object::Part;
use super::recreate::{definitions, with_nodes};
use super::statement::{Kind, Label, Omission, OmissionReason};
use super::unselected;
use crate::catalog::model::ObjectId;
use crate::catalog::{Catalog, Class, Dependants};
use crate::pg::Ident;
use crate::selection::TableChoice;

/// Why a row is left out.
enum Cause {
    Unselected,
    Skipped(Ident),
    Provider,
    Superuser(&'static str),
    DependsOn(ObjectId),
}

/// Takes out what the options leave out and the tables that are not chosen; what goes along, by
/// name. That a table is not chosen needs no mention, nor what is a part of it.
pub fn leave_out(catalog: &mut Catalog, options: &Options, choice: &TableChoice) -> Vec<Omission> {
    let labels = labels(catalog, options);
    let unselected = unselected::unselected(catalog, choice);
    let causes = causes(catalog, options, &labels, &unselected);
    if causes.is_empty() {
        return Vec::new();
    }
    let mut omissions = omissions(catalog, options, (&labels, &causes), &unselected);
    omissions.sort_by(|a, b| a.object.cmp(&b.object));
    let left: HashSet<ObjectId> = causes.into_keys().collect();
    catalog.retain(&|id| !left.contains(&id));
    let skipped = &options.carried.skipped_extensions;
    let provider = options.carried.provider;
    let comments = &mut catalog.member_comments;
    comments.retain(|comment| {
        let name = Ident::from_catalog(comment.extension.0.as_str());
        let is_theirs = provider.is_some_and(|provider| provider.owns_extension(&name));
        !is_theirs && !skipped.contains(&name)
    });
    omissions
}

type Causes = HashMap<ObjectId, Cause>;

/// What is told of the rows that are left out.
fn omissions(
    catalog: &Catalog,
    options: &Options,
    (labels, causes): (&Labels, &Causes),
    unselected: &HashSet<ObjectId>,
) -> Vec<Omission> {
    let parts = unselected::parts(catalog, unselected);
    let told: Vec<(ObjectId, &Cause)> = causes
        .iter()
        .filter(|(id, _)| !parts.contains(id))
        .map(|(id, cause)| (*id, cause))
        .collect();
    let needed: HashMap<ObjectId, ObjectId> = told
        .iter()
        .filter_map(|(id, _)| Some((*id, unselected_root(*id, causes)?)))
        .collect();
    let mut definitions = definitions(catalog, options, &needed);
    let tables: HashSet<ObjectId> = catalog.tables.iter().map(|table| table.id).collect();
    told.into_iter()
        .filter_map(|(id, cause)| {
            let object = labels.get(&id)?.0.clone();
            let table = needed.get(&id).and_then(|table| labels.get(table));
            let reason = match (table, cause) {
                (Some((table, _)), _) if tables.contains(&id) => {
                    OmissionReason::CutOff(table.clone())
                }
                (Some((table, _)), _) => {
                    OmissionReason::Unselected(table.clone(), definitions.remove(&id))
                }
                (None, Cause::Unselected) => return None,
                (None, Cause::Skipped(name)) => OmissionReason::Skipped(name.clone()),
                (None, Cause::Provider) => OmissionReason::Provider,
                (None, Cause::Superuser(what)) => OmissionReason::Superuser((*what).to_owned()),
                (None, Cause::DependsOn(other)) => named(*other, catalog, labels, causes)?,
            };
            Some(Omission { object, reason })
        })
        .collect()
}

/// The unselected table that a row is left out for.
fn unselected_root(mut id: ObjectId, causes: &Causes) -> Option<ObjectId> {
    loop {
        match causes.get(&id)? {
            Cause::Unselected => return Some(id),
            Cause::DependsOn(other) => id = *other,
            Cause::Skipped(_) | Cause::Provider | Cause::Superuser(_) => return None,
        }
    }
}

type Labels = HashMap<ObjectId, (Label, Option<&'static str>)>;

/// The names of objects, and of those that take a superuser what that is. Defaults and checks that
/// come with their table have names of their own here.
fn labels(catalog: &Catalog, options: &Options) -> Labels {
    with_nodes(catalog, options, &Placements::new(), |context, nodes| {
        let mut labels = labels_of_parts(context);
        for node in nodes {
            let id = node.node();
            if id.part == Part::Definition {
                let what = of_superusers(node.kind()).or_else(|| node.needs_superuser());
                labels.insert(id.object, (node.label(context), what));
            }
        }
        labels
    })
}

/// The names of what is made with something else.
fn labels_of_parts(context: &Context<'_>) -> Labels {
    let catalog = context.catalog;
    let mut labels = Labels::new();
    for table in &catalog.tables {
        for column in &table.columns {
            let Some(default) = &column.default else {
                continue;
            };
            let word = match column.generated {
                Some(_) => "column",
                None => "default of",
            };
            let label = Label::part(word, &column.name, &table.name);
            labels.insert(default.id, (label, None));
        }
    }
    for constraint in &catalog.constraints {
        if let Some(relation) = context.relation(constraint.relation) {
            let label = Label::part("constraint", &constraint.name, relation.name());
            labels.insert(constraint.id, (label, None));
        }
    }
    for publication in &catalog.publications {
        for table in &publication.tables {
            let detail = format!(" of {}", table.name);
            let label = Label::plain("publication", &publication.name).with_detail(&detail);
            labels.insert(table.id, (label, None));
        }
        for schema in &publication.schemas {
            let detail = format!(" of schema {}", schema.name);
            let label = Label::plain("publication", &publication.name).with_detail(&detail);
            labels.insert(schema.id, (label, None));
        }
    }
    let timescale = catalog.timescale.iter();
    for (id, name) in timescale.flat_map(|timescale| &timescale.internals) {
        labels.insert(
            *id,
            (Label::qualified("TimescaleDB's relation", name), None),
        );
    }
    labels
}

/// What a kind is called of which only a superuser may make any.
const fn of_superusers(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Language => Some("languages"),
        Kind::AccessMethod => Some("access methods"),
        Kind::OperatorFamily => Some("operator classes and families"),
        Kind::ForeignDataWrapper => Some("foreign-data wrappers"),
        Kind::EventTrigger => Some("event triggers"),
        Kind::KeyTrigger => Some("changes to the triggers behind keys"),
        Kind::Schema
        | Kind::Collation
        | Kind::Transform
        | Kind::Extension
        | Kind::Type
        | Kind::Cast
        | Kind::Routine
        | Kind::Aggregate
        | Kind::Operator
        | Kind::Conversion
        | Kind::Search
        | Kind::ForeignServer
        | Kind::UserMapping
        | Kind::Sequence
        | Kind::Table
        | Kind::View
        | Kind::MaterializedView
        | Kind::ColumnSettings
        | Kind::Attach
        | Kind::Default
        | Kind::Hypertable
        | Kind::Boundary
        | Kind::Constraint
        | Kind::Index
        | Kind::IndexAttach
        | Kind::ReplicaIdentity
        | Kind::Statistics
        | Kind::ViewQuery
        | Kind::Rule
        | Kind::Trigger
        | Kind::ForeignKey
        | Kind::Validation
        | Kind::Policy
        | Kind::Publication
        | Kind::Comment
        | Kind::SecurityLabel
        | Kind::Acl
        | Kind::DefaultAcl
        | Kind::Refresh => None,
    }
}

/// Every row that is left out.
fn causes(
    catalog: &Catalog,
    options: &Options,
    labels: &Labels,
    unselected: &HashSet<ObjectId>,
) -> Causes {
    let tables = unselected.iter();
    let mut waiting: Vec<_> = tables.map(|id| (*id, Cause::Unselected)).collect();
    let key_triggers = catalog.key_triggers.iter().map(|trigger| trigger.id);
    let key_triggers: HashSet<ObjectId> = key_triggers.collect();
    for extension in &catalog.extensions {
        if options.carried.skipped_extensions.contains(&extension.name) {
            waiting.push((extension.id, Cause::Skipped(extension.name.clone())));
        }
    }
    waiting.extend(of_provider(catalog, options));
    waiting.extend(on_internals(catalog));
    if !options.target.is_superuser {
        waiting.extend(closed(labels, |id| !key_triggers.contains(&id)));
    }
    let mut causes = spread(waiting, catalog);
    // Only the state of these is lost: the triggers come with their keys.
    if !options.target.is_superuser {
        for (id, cause) in closed(labels, |id| key_triggers.contains(&id)) {
            causes.entry(id).or_insert(cause);
        }
    }
    causes
}

/// What a managed service keeps in its databases: extensions, schemas, and event triggers of its
/// roles.
fn of_provider(catalog: &Catalog, options: &Options) -> Vec<(ObjectId, Cause)> {
    let Some(provider) = options.carried.provider else {
        return Vec::new();
    };
    let extensions = catalog.extensions.iter();
    let extensions = extensions.filter(|extension| provider.owns_extension(&extension.name));
    let schemas = catalog.schemas.iter();
    let schemas = schemas.filter(|schema| provider.owns_schema(&schema.name));
    let triggers = catalog.event_triggers.iter();
    let triggers = triggers.filter(|trigger| provider.owns_role(&trigger.owner));
    let ids = extensions.map(|extension| extension.id);
    let ids = ids.chain(schemas.map(|schema| schema.id));
    ids.chain(triggers.map(|trigger| trigger.id))
        .map(|id| (id, Cause::Provider))
        .collect()
}

/// What depends on TimescaleDB's own relations, which nobody makes.
fn on_internals(catalog: &Catalog) -> Vec<(ObjectId, Cause)> {
    let Some(timescale) = &catalog.timescale else {
        return Vec::new();
    };
    let edges = catalog.dependencies.iter();
    edges
        .filter(|edge| timescale.internals.contains_key(&edge.to))
        .map(|edge| (edge.from, Cause::DependsOn(edge.to)))
        .collect()
}

/// What takes a superuser, of the chosen rows.
fn closed(labels: &Labels, chosen: impl Fn(ObjectId) -> bool) -> Vec<(ObjectId, Cause)> {
    labels
        .iter()
        .filter(|(id, _)| chosen(**id))
        .filter_map(|(id, (_, what))| Some((*id, Cause::Superuser((*what)?))))
        .collect()
}

/// The rows with all that depend on them.
fn spread(mut waiting: Vec<(ObjectId, Cause)>, catalog: &Catalog) -> Causes {
    if waiting.is_empty() {
        return HashMap::new();
    }
    let dependants = Dependants::new(catalog);
    let mut causes = HashMap::new();
    // The order of maps is not to show in the reasons.
    waiting.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    while let Some((id, cause)) = waiting.pop() {
        if causes.contains_key(&id) {
            continue;
        }
        causes.insert(id, cause);
        let next = dependants.of(id).map(|(other, _)| other);
        // A generated column goes with its expression, and not its whole table.
        let wholes = dependants.wholes(id).filter(|_| id.class != Class::Default);
        let mut next: Vec<ObjectId> = next.chain(wholes).collect();
        next.sort_by(|a, b| b.cmp(a));
        waiting.extend(next.into_iter().map(|other| (other, Cause::DependsOn(id))));
    }
    causes
}

/// The nearest cause that has a name.
fn named(
    mut id: ObjectId,
    catalog: &Catalog,
    labels: &Labels,
    causes: &Causes,
) -> Option<OmissionReason> {
    loop {
        if let Some((label, _)) = labels.get(&id) {
            return Some(OmissionReason::DependsOn(label.clone()));
        }
        if let Some(extension) = catalog.members.get(&id) {
            id = ObjectId::new(Class::Extension, *extension);
            continue;
        }
        match causes.get(&id)? {
            Cause::DependsOn(other) => id = *other,
            Cause::Skipped(name) => return Some(OmissionReason::Skipped(name.clone())),
            Cause::Unselected => return None,
            Cause::Provider => return Some(OmissionReason::Provider),
            Cause::Superuser(what) => {
                return Some(OmissionReason::Superuser((*what).to_owned()));
            }
        }
    }
}
