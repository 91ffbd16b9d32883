//! The search path of steps whose definitions find operators by it.

use super::context::Context;
use super::object::Object;
use crate::catalog::model::{Address, Calls, Resolution};
use crate::pg::{Ident, QualifiedName, ServerVersion, Sql};
use crate::sql;

/// The search path that a step needs, and what the target must have recorded under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPath {
    /// The schemas to search.
    pub schemas: Vec<Ident>,
    /// The source's version, which has a part in what it records.
    pub source: ServerVersion,
    /// The definitions that the step creates.
    pub definitions: Vec<Resolution>,
    /// Views that show what the target records before it evaluates expressions for existing rows.
    pub probes: Vec<Probe>,
}

/// A view of the same expressions as a definition, created only to be compared and rolled back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What creates it.
    pub view: Sql,
    /// Where it is found.
    pub address: Address,
    /// What the source recorded for the definition.
    pub calls: Calls,
}

impl StepPath {
    /// Sets the path for the transaction. Temporary objects come last: no definition means them.
    pub fn set(&self) -> Sql {
        let schemas = Sql::join(&self.schemas, ", ");
        sql!("SET LOCAL search_path TO {}, pg_temp", schemas)
    }

    /// Statements of the step as a transaction that sets the path.
    pub fn enclose(&self, statements: impl IntoIterator<Item = Sql>) -> Vec<Sql> {
        [Sql::fixed("BEGIN"), self.set()]
            .into_iter()
            .chain(statements)
            .chain([Sql::fixed("COMMIT")])
            .collect()
    }
}

/// The path of a step, if its definitions need one. Rows may exist where it is run after the data.
pub(super) fn find_step_path(
    context: &Context<'_>,
    object: &dyn Object,
    has_rows: bool,
) -> Option<StepPath> {
    let rows = object.defined_rows(context);
    let resolutions = &context.catalog.resolutions;
    let definitions = rows.iter().filter_map(|row| resolutions.get(row));
    let definitions: Vec<Resolution> = definitions.cloned().collect();
    let mut path = StepPath {
        schemas: definitions.first()?.path.clone(),
        source: context.catalog.version,
        definitions: Vec::new(),
        probes: Vec::new(),
    };
    if object.is_stub() {
        return Some(path);
    }
    let is_evaluated = has_rows && object.kind().evaluates_rows();
    let relation = object.locked_relation(context).filter(|_| is_evaluated);
    let relation = relation.and_then(|relation| context.relation(relation));
    if let Some(relation) = relation {
        let probe = |of| probe(relation.name(), of);
        path.probes = definitions.iter().filter_map(probe).collect();
    }
    path.definitions = definitions;
    Some(path)
}

fn probe(relation: &QualifiedName, definition: &Resolution) -> Option<Probe> {
    let condition = definition.condition.as_ref()?;
    let suffix = definition.address.names.last()?;
    let name = QualifiedName {
        schema: relation.schema.clone(),
        name: Ident::from_catalog(probe_name(suffix)),
    };
    Some(Probe {
        view: sql!(
            "CREATE VIEW {} AS SELECT 1 AS found FROM ONLY {} WHERE {}",
            name,
            relation,
            condition
        ),
        address: Address {
            kind: "view".to_owned(),
            names: vec![
                name.schema.as_str().to_owned(),
                name.name.as_str().to_owned(),
            ],
            arguments: Vec::new(),
        },
        calls: definition.calls.clone(),
    })
}

/// A name that no other relation has, and that no server shortens.
fn probe_name(of: &str) -> String {
    let mut name = "seren_replicator_probe_".to_owned();
    name.extend(of.chars().take_while(char::is_ascii_alphanumeric).take(36));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_has_a_short_name() {
        assert_eq!(probe_name("t_Key"), "seren_replicator_probe_t");
        assert_eq!(probe_name(&"x".repeat(63)).len(), 59);
    }

    #[test]
    fn a_path_is_set_for_a_transaction() {
        let path = StepPath {
            schemas: vec![Ident::from_catalog("my ext"), Ident::from_catalog("public")],
            source: ServerVersion::new(170_000),
            definitions: Vec::new(),
            probes: Vec::new(),
        };
        let enclosed = path.enclose([Sql::fixed("SELECT")]);
        assert_eq!(
            Sql::join(&enclosed, "; ").as_str(),
            "BEGIN; SET LOCAL search_path TO \"my ext\", \"public\", pg_temp; SELECT; COMMIT"
        );
    }
}
