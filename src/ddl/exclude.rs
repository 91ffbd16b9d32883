//! Excludes objects from a catalog: what is not selected, what the options skip, and what our role cannot
//! create. Every object that depends on those goes with them, as with `DROP … CASCADE`: a default goes without
//! its table, a view with its rule.

use std::collections::{HashMap, HashSet};

use super::context::Context;
use super::label::Label;
use super::named::{find_named, find_protected};
use super::object::Part;
use super::omission::{Omission, OmissionReason};
use super::options::Options;
use super::placement::Placements;
use super::recreate::{render_definitions, with_nodes};
use super::unselected;
use crate::catalog::model::ObjectId;
use crate::catalog::{Catalog, Class, Dependants};
use crate::pg::Ident;
use crate::selection::TableScope;

/// Why a row is excluded.
enum Cause {
    Unselected,
    Named,
    Skipped(Ident),
    Provider,
    Superuser(&'static str),
    DependsOn(ObjectId),
}

/// Removes from a catalog what the options exclude, the tables that are not selected and the objects that are
/// excluded by name; returns by name what is excluded with them. An unselected table needs no mention, nor its
/// parts.
pub(super) fn exclude_objects(
    catalog: &mut Catalog,
    options: &Options,
    scope: &TableScope,
) -> Vec<Omission> {
    let labels = collect_labels(catalog, options);
    let unselected = unselected::find_unselected(catalog, &scope.choice);
    let unwanted = Unwanted {
        unselected: &unselected,
        named: find_named(catalog, &scope.objects),
    };
    let causes = find_causes(catalog, options, &labels, unwanted);
    if causes.is_empty() {
        return Vec::new();
    }
    let exclusion = Exclusion {
        catalog,
        labels: &labels,
        causes: &causes,
    };
    let mut omissions = exclusion.omissions(options, &unselected);
    omissions.sort_by(|a, b| a.object.cmp(&b.object));
    let excluded: HashSet<ObjectId> = causes.into_keys().collect();
    catalog.retain(&|id| !excluded.contains(&id));
    let skipped = &options.include.skipped_extensions;
    let provider = options.include.provider;
    catalog.member_comments.retain(|comment| {
        let name = Ident::from_catalog(comment.extension.0.as_str());
        let is_theirs = provider.is_some_and(|provider| provider.owns_extension(&name));
        !is_theirs && !skipped.contains(&name)
    });
    omissions
}

type Causes = HashMap<ObjectId, Cause>;

/// The excluded rows of a catalog.
struct Exclusion<'c> {
    catalog: &'c Catalog,
    labels: &'c Labels,
    causes: &'c Causes,
}

impl Exclusion<'_> {
    /// What is reported of the excluded rows.
    fn omissions(&self, options: &Options, unselected: &HashSet<ObjectId>) -> Vec<Omission> {
        let parts = unselected::find_parts(self.catalog, unselected);
        let reported = self.causes.iter().filter(|(id, _)| !parts.contains(id));
        let reported: Vec<(ObjectId, &Cause)> = reported.map(|(id, cause)| (*id, cause)).collect();
        let roots: HashMap<ObjectId, ObjectId> = reported
            .iter()
            .filter_map(|(id, _)| Some((*id, self.unselected_root(*id)?)))
            .collect();
        let mut definitions = render_definitions(self.catalog, options, &roots);
        let tables = self.catalog.tables.iter();
        let tables: HashSet<ObjectId> = tables.map(|table| table.id).collect();
        let protected = find_protected(self.catalog);
        let mut omissions = Vec::new();
        for (id, cause) in reported {
            let Some(object) = self.label(id) else {
                continue;
            };
            let reason = match roots.get(&id).and_then(|table| self.label(*table)) {
                Some(table) if tables.contains(&id) => Some(OmissionReason::CutOff(table)),
                Some(table) => Some(OmissionReason::Unselected(table, definitions.remove(&id))),
                None if protected.contains(&id) => self.protected_reason(id, cause),
                None => self.reason(cause),
            };
            omissions.extend(reason.map(|reason| Omission { object, reason }));
        }
        omissions
    }

    fn label(&self, id: ObjectId) -> Option<Label> {
        Some(self.labels.get(&id)?.label.clone())
    }

    /// The unselected table that a row is excluded with.
    fn unselected_root(&self, mut id: ObjectId) -> Option<ObjectId> {
        loop {
            match self.causes.get(&id)? {
                Cause::Unselected => return Some(id),
                Cause::DependsOn(other) => id = *other,
                Cause::Named | Cause::Skipped(_) | Cause::Provider | Cause::Superuser(_) => {
                    return None;
                }
            }
        }
    }

    /// The reason of a row that never goes with an object that is excluded by name.
    fn protected_reason(&self, id: ObjectId, cause: &Cause) -> Option<OmissionReason> {
        match self.named_root(id) {
            Some(object) => Some(OmissionReason::DependsOnExcluded(object)),
            None => self.reason(cause),
        }
    }

    /// The object, excluded by name, that a row is excluded with.
    fn named_root(&self, mut id: ObjectId) -> Option<Label> {
        let mut nearest = None;
        loop {
            match self.causes.get(&id)? {
                Cause::Named => return self.label(id).or(nearest),
                Cause::DependsOn(other) => {
                    nearest = self.label(id).or(nearest);
                    id = *other;
                }
                Cause::Unselected | Cause::Skipped(_) | Cause::Provider | Cause::Superuser(_) => {
                    return None;
                }
            }
        }
    }

    /// The reason for people. An unselected table has none.
    fn reason(&self, cause: &Cause) -> Option<OmissionReason> {
        match cause {
            Cause::DependsOn(other) => self.nearest_reason(*other),
            Cause::Skipped(name) => Some(OmissionReason::Skipped(name.clone())),
            Cause::Unselected => None,
            Cause::Named => Some(OmissionReason::Excluded),
            Cause::Provider => Some(OmissionReason::Provider),
            Cause::Superuser(what) => Some(OmissionReason::Superuser((*what).to_owned())),
        }
    }

    /// The nearest cause that has a name.
    fn nearest_reason(&self, mut id: ObjectId) -> Option<OmissionReason> {
        loop {
            if let Some(label) = self.label(id) {
                return Some(OmissionReason::DependsOn(label));
            }
            if let Some(extension) = self.catalog.members.get(&id) {
                id = ObjectId::new(Class::Extension, *extension);
                continue;
            }
            let cause = self.causes.get(&id)?;
            let Cause::DependsOn(other) = cause else {
                return self.reason(cause);
            };
            id = *other;
        }
    }
}

/// An object as it is reported.
struct Labelled {
    label: Label,
    /// What it is called, if only a superuser may create it.
    only_superusers: Option<&'static str>,
}

impl Labelled {
    const fn plain(label: Label) -> Self {
        Self {
            label,
            only_superusers: None,
        }
    }
}

type Labels = HashMap<ObjectId, Labelled>;

/// The labels of all objects. Defaults and checks that are created with their table have labels of their
/// own here.
fn collect_labels(catalog: &Catalog, options: &Options) -> Labels {
    with_nodes(catalog, options, &Placements::new(), |context, nodes| {
        let mut labels = collect_labels_of_parts(context);
        for node in nodes {
            let id = node.node_id();
            if id.part == Part::Definition {
                let labelled = Labelled {
                    label: node.build_label(context),
                    only_superusers: node
                        .kind()
                        .only_superusers()
                        .or_else(|| node.needs_superuser()),
                };
                labels.insert(id.object, labelled);
            }
        }
        labels
    })
}

/// The labels of what is created with something else.
fn collect_labels_of_parts(context: &Context<'_>) -> Labels {
    let catalog = context.catalog;
    let mut labels = Vec::new();
    for table in &catalog.tables {
        for column in &table.columns {
            let word = match column.generated {
                Some(_) => "column",
                None => "default of",
            };
            let label = || Label::part(word, &column.name, &table.name);
            labels.extend(column.default.iter().map(|default| (default.id, label())));
        }
    }
    for constraint in &catalog.constraints {
        let label = |name| Label::part("constraint", &constraint.name, name);
        let relation = context.relation(constraint.relation);
        labels.extend(relation.map(|relation| (constraint.id, label(relation.name()))));
    }
    for publication in &catalog.publications {
        let label = |of: String| Label::plain("publication", &publication.name).with_detail(&of);
        let tables = publication.tables.iter();
        labels.extend(tables.map(|table| (table.id, label(format!(" of {}", table.name)))));
        let schemas = publication.schemas.iter();
        labels.extend(schemas.map(|s| (s.id, label(format!(" of schema {}", s.name)))));
    }
    let timescale = catalog.timescale.iter();
    let internals = timescale.flat_map(|timescale| &timescale.internals);
    labels.extend(
        internals.map(|(id, name)| (*id, Label::qualified("TimescaleDB's relation", name))),
    );
    let labels = labels.into_iter();
    labels
        .map(|(id, label)| (id, Labelled::plain(label)))
        .collect()
}

/// The rows that the user does not want.
struct Unwanted<'u> {
    /// Tables that are not selected.
    unselected: &'u HashSet<ObjectId>,
    /// Objects that are excluded by name.
    named: Vec<ObjectId>,
}

/// Every excluded row, with the cause.
fn find_causes(
    catalog: &Catalog,
    options: &Options,
    labels: &Labels,
    unwanted: Unwanted<'_>,
) -> Causes {
    let tables = unwanted.unselected.iter();
    let mut waiting: Vec<_> = tables.map(|id| (*id, Cause::Unselected)).collect();
    waiting.extend(unwanted.named.into_iter().map(|id| (id, Cause::Named)));
    let key_triggers = catalog.key_triggers.iter().map(|trigger| trigger.id);
    let key_triggers: HashSet<ObjectId> = key_triggers.collect();
    for extension in &catalog.extensions {
        if options.include.skipped_extensions.contains(&extension.name) {
            waiting.push((extension.id, Cause::Skipped(extension.name.clone())));
        }
    }
    waiting.extend(find_provider_objects(catalog, options));
    waiting.extend(find_dependants_of_internals(catalog));
    let closed = match options.target.is_superuser {
        true => Vec::new(),
        false => find_superuser_objects(labels),
    };
    let (of_keys, closed): (Vec<_>, Vec<_>) = closed
        .into_iter()
        .partition(|(id, _)| key_triggers.contains(id));
    waiting.extend(closed);
    let mut causes = add_dependants(waiting, catalog);
    // Only the state of these is lost: the triggers come with their keys.
    for (id, cause) in of_keys {
        causes.entry(id).or_insert(cause);
    }
    causes
}

/// What a managed service keeps in its databases: extensions, schemas, and event triggers of its
/// roles.
fn find_provider_objects(catalog: &Catalog, options: &Options) -> Vec<(ObjectId, Cause)> {
    let Some(provider) = options.include.provider else {
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

/// What depends on TimescaleDB's own relations, which no script creates.
fn find_dependants_of_internals(catalog: &Catalog) -> Vec<(ObjectId, Cause)> {
    let Some(timescale) = &catalog.timescale else {
        return Vec::new();
    };
    let edges = catalog.dependencies.iter();
    edges
        .filter(|edge| timescale.internals.contains_key(&edge.to))
        .map(|edge| (edge.from, Cause::DependsOn(edge.to)))
        .collect()
}

/// What only a superuser may create.
fn find_superuser_objects(labels: &Labels) -> Vec<(ObjectId, Cause)> {
    let labels = labels.iter();
    labels
        .filter_map(|(id, one)| Some((*id, Cause::Superuser(one.only_superusers?))))
        .collect()
}

/// The rows with all that depend on them.
fn add_dependants(mut waiting: Vec<(ObjectId, Cause)>, catalog: &Catalog) -> Causes {
    if waiting.is_empty() {
        return HashMap::new();
    }
    let dependants = Dependants::new(catalog);
    let mut causes = HashMap::new();
    // Sorted, so that the order of hash maps does not show in the reasons.
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
