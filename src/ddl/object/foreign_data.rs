//! Foreign data wrappers, foreign servers and user mappings.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ForeignDataWrapper, ForeignServer, ObjectId, Options, UserMapping};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::omission::OmissionReason;
use crate::ddl::secret::any_secret;
use crate::pg::{Ident, Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for wrapper in &context.catalog.wrappers {
        nodes.push(Box::new(wrapper));
    }
    for server in &context.catalog.servers {
        nodes.push(Box::new(server));
    }
    for mapping in &context.catalog.user_mappings {
        if why_not(context, mapping).is_none() {
            nodes.push(Box::new(mapping));
        }
    }
}

/// Why a mapping is not created: the target lacks the role, or two roles became one there.
pub(crate) fn why_not(context: &Context<'_>, mapping: &UserMapping) -> Option<OmissionReason> {
    let role = |mapping: &UserMapping| {
        let role = mapping.role.as_ref()?;
        Some(context.options.include.role_map.of(role).clone())
    };
    let ours = role(mapping)?;
    if !context.options.target.roles.contains(&ours) {
        return Some(OmissionReason::NoSuchRole(ours));
    }
    let mappings = context.catalog.user_mappings.iter();
    let mut earlier = mappings.take_while(|other| other.id != mapping.id);
    earlier
        .any(|other| other.server == mapping.server && role(other).as_ref() == Some(&ours))
        .then_some(OmissionReason::HasOne(ours))
}

/// ` OPTIONS (name 'value', …)`; nothing without options.
pub(super) fn with_options<'o>(options: impl IntoIterator<Item = (&'o str, &'o str)>) -> Sql {
    let option = |(name, value)| sql!("{} {}", Ident::from_catalog(name), Literal(value));
    let options: Vec<Sql> = options.into_iter().map(option).collect();
    if options.is_empty() {
        Sql::default()
    } else {
        sql!(" OPTIONS ({})", Sql::join(options, ", "))
    }
}

/// The same for options that may be shown.
pub(super) fn with_open_options(options: &Options) -> Sql {
    let pairs = options.iter();
    with_options(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
}

impl Object for &ForeignDataWrapper {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::ForeignDataWrapper
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("foreign data wrapper", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn is_secret(&self) -> bool {
        any_secret(&self.options)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("FOREIGN DATA WRAPPER {}", self.name);
        let mut create = sql!("CREATE {}", object);
        if let Some(handler) = &self.handler {
            create.push(&sql!(" HANDLER {}", handler));
        }
        if let Some(validator) = &self.validator {
            create.push(&sql!(" VALIDATOR {}", validator));
        }
        create.push(&with_open_options(&self.options));
        [create]
            .into_iter()
            .chain(clause::superuser_owner(context, &object, &self.owner))
            .collect()
    }
}

impl Object for &ForeignServer {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::ForeignServer
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("foreign server", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn is_secret(&self) -> bool {
        any_secret(&self.options)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("SERVER {}", self.name);
        let mut create = sql!("CREATE {}", object);
        if let Some(text) = &self.server_type {
            create.push(&sql!(" TYPE {}", Literal(text)));
        }
        if let Some(text) = &self.version {
            create.push(&sql!(" VERSION {}", Literal(text)));
        }
        create.push(&sql!(" FOREIGN DATA WRAPPER {}", self.wrapper));
        create.push(&with_open_options(&self.options));
        [create]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}

impl Object for &UserMapping {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::UserMapping
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let everyone = Ident::from_catalog("public");
        let role = self.role.as_ref().unwrap_or(&everyone);
        Label::plain("user mapping of", role).with_detail(&format!(" at {}", self.server))
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// Its options hold passwords.
    fn is_secret(&self) -> bool {
        self.options
            .as_ref()
            .is_some_and(|options| !options.is_empty())
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let role = match &self.role {
            Some(role) => sql!("{}", context.role(role)),
            None => Sql::fixed("PUBLIC"),
        };
        let options = self.options.iter().flatten();
        let options = options.map(|(name, value)| (name.as_str(), value.expose()));
        vec![sql!(
            "CREATE USER MAPPING FOR {} SERVER {}{}",
            role,
            self.server,
            with_options(options)
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_of_options_are_quoted() {
        let options = vec![("pass word".to_owned(), "it's".to_owned())];
        assert_eq!(
            with_open_options(&options).as_str(),
            r#" OPTIONS ("pass word" 'it''s')"#
        );
        assert!(with_open_options(&Vec::new()).is_empty());
    }
}
