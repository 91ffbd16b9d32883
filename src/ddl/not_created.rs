//! What a script does not create of what a catalog holds.

use super::context::Context;
use super::label::Label;
use super::object::{
    Object, domain_check, has_name_of_views, is_skipped_index, render_subscription,
    stays_with_creator, why_no_mapping,
};
use super::omission::{Omission, OmissionReason};
use super::relation::Relation;
use super::timescale;
use crate::catalog::model::{Body, RoutineKind};
use crate::pg::Ident;

/// What the catalog holds and the script does not create, or creates in another form; by name.
pub(super) fn find_not_created(context: &Context<'_>) -> Vec<Omission> {
    let mut omissions = indexes(context);
    omissions.extend(relations(context));
    omissions.extend(routines(context));
    omissions.extend(user_mappings(context));
    omissions.extend(owners_without_superuser(context));
    omissions.extend(subscriptions(context));
    omissions.extend(rules(context));
    omissions.extend(domain_check::find_unvalidated(context));
    omissions.extend(names_of_roles(context));
    omissions.extend(timescale::find_omissions(context));
    let schemas = context.catalog.schemas.iter();
    for schema in schemas.filter(|schema| schema.is_public()) {
        if let Some(owner) = schema.public_stays(context) {
            omissions.push(Omission {
                object: Label::plain("schema", &schema.name),
                reason: OmissionReason::Owner(owner.clone()),
            });
        }
    }
    omissions.sort_by(|a, b| a.object.cmp(&b.object));
    omissions
}

/// A tablespace that is not used.
fn replaced(context: &Context<'_>, tablespace: Option<&Ident>) -> Option<OmissionReason> {
    let name = tablespace?;
    let is_used = context.options.tablespace(Some(name)).is_some();
    (!is_used).then(|| OmissionReason::Tablespace(name.clone()))
}

fn indexes(context: &Context<'_>) -> Vec<Omission> {
    let mut omissions = Vec::new();
    for index in &context.catalog.indexes {
        let Some(relation) = context.relation(index.relation) else {
            continue;
        };
        let reason = if is_skipped_index(index, relation) {
            Some(OmissionReason::InvalidIndex)
        } else {
            replaced(context, index.tablespace.as_ref())
        };
        let object = Label::qualified("index", &index.name).on(relation.name());
        omissions.extend(reason.map(|reason| Omission { object, reason }));
    }
    omissions
}

fn relations(context: &Context<'_>) -> Vec<Omission> {
    let catalog = context.catalog;
    let tables = catalog.tables.iter().map(Relation::Table);
    let views = catalog.materialized_views.iter();
    tables
        .chain(views.map(Relation::MaterializedView))
        .filter_map(|relation| {
            let reason = replaced(context, relation.tablespace())?;
            let object = Label::qualified(relation.word(), relation.name());
            Some(Omission { object, reason })
        })
        .collect()
}

/// Only superusers can own these.
fn owners_without_superuser(context: &Context<'_>) -> Vec<Omission> {
    let wrappers = context.catalog.wrappers.iter();
    let wrappers = wrappers.map(|wrapper| (wrapper.build_label(context), &wrapper.owner));
    let triggers = context.catalog.event_triggers.iter();
    let triggers = triggers.map(|trigger| (trigger.build_label(context), &trigger.owner));
    wrappers
        .chain(triggers)
        .filter(|(_, owner)| stays_with_creator(context, owner))
        .map(|(object, owner)| Omission {
            object,
            reason: OmissionReason::Owner(context.role(owner).clone()),
        })
        .collect()
}

fn user_mappings(context: &Context<'_>) -> Vec<Omission> {
    let mappings = context.catalog.user_mappings.iter();
    mappings
        .filter_map(|mapping| {
            let reason = match why_no_mapping(context, mapping) {
                Some(reason) => reason,
                None if mapping.options.is_none() => OmissionReason::HiddenOptions,
                None => return None,
            };
            let object = mapping.build_label(context);
            Some(Omission { object, reason })
        })
        .collect()
}

fn subscriptions(context: &Context<'_>) -> Vec<Omission> {
    let subscriptions = context.catalog.subscriptions.iter();
    subscriptions
        .map(|subscription| {
            let details = subscription.details.as_ref();
            let statement = details
                .map(|details| render_subscription(&subscription.name, details, context.target()));
            Omission {
                object: Label::plain("subscription", &subscription.name),
                reason: OmissionReason::Subscription(statement),
            }
        })
        .collect()
}

fn rules(context: &Context<'_>) -> Vec<Omission> {
    let rules = context.catalog.rules.iter();
    let named = rules.filter(|rule| has_name_of_views(rule));
    named
        .filter_map(|rule| {
            let relation = context.relation(rule.relation)?;
            Some(Omission {
                object: Label::part("rule", &rule.name, relation.name()),
                reason: OmissionReason::RuleName,
            })
        })
        .collect()
}

/// What compares names of roles, where some get other names. A text may do so in many ways: these
/// are reported, and changed by nobody.
fn names_of_roles(context: &Context<'_>) -> Vec<Omission> {
    if context.options.include.role_map.olds().next().is_none() {
        return Vec::new();
    }
    let catalog = context.catalog;
    let mut objects = Vec::new();
    for policy in &catalog.policies {
        let mut expressions = policy.using.iter().chain(&policy.with_check);
        if let Some(table) = context.table(policy.relation)
            && expressions.any(|sql| asks_for_user(sql.as_str()))
        {
            objects.push(Label::part("policy", &policy.name, &table.name));
        }
    }
    let views = catalog.views.iter();
    let views = views.filter(|view| asks_for_user(view.definition.as_str()));
    objects.extend(views.map(|view| Label::qualified("view", &view.name)));
    for routine in &catalog.routines {
        let asks = match &routine.body {
            Body::Source(text) => asks_for_user(text),
            Body::Sql { text, .. } => asks_for_user(text.as_str()),
            Body::Library { .. } => false,
        };
        if asks {
            objects.push(routine.build_label(context));
        }
    }
    let reason = |object| Omission {
        object,
        reason: OmissionReason::NamesOfRoles,
    };
    objects.into_iter().map(reason).collect()
}

fn asks_for_user(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["current_user", "session_user", "current_role"]
        .iter()
        .any(|word| text.contains(word))
}

fn routines(context: &Context<'_>) -> Vec<Omission> {
    let mut omissions = Vec::new();
    for routine in &context.catalog.routines {
        let word = match routine.kind {
            RoutineKind::Function | RoutineKind::Window => "function",
            RoutineKind::Procedure => "procedure",
        };
        for reason in routine.omissions(&context.options.target) {
            let object = Label::qualified(word, &routine.name)
                .with_detail(&format!("({})", routine.identity.as_str()));
            omissions.push(Omission { object, reason });
        }
    }
    omissions
}
