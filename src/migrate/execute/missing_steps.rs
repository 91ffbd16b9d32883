//! The steps of a script that create what an earlier run has not created. Pure.

use std::collections::BTreeSet;

use crate::catalog::model::ObjectId;
use crate::catalog::{Catalog, Class};
use crate::checkpoint::MissingObject;
use crate::ddl::{Kind, Label, Script, Statement};
use crate::pg::SqlState;
use crate::snapshot::Refused;

/// What of a script is still to be created.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MissingSteps {
    /// Statements before the rows.
    pub(crate) pre_data: Vec<Statement>,
    /// Statements after the rows.
    pub(crate) post_data: Vec<Statement>,
    /// Statements that create event triggers.
    pub(crate) last: Vec<Statement>,
    /// What the script no longer creates: the source no longer has it, or it is excluded now.
    pub(crate) gone: Vec<String>,
}

impl MissingSteps {
    /// Finds the statements of these objects.
    pub(crate) fn find(
        script: &Script,
        catalog: &Catalog,
        missing: &BTreeSet<MissingObject>,
    ) -> Self {
        let of_members = list_member_privileges(catalog, missing);
        let is_missing = |statement: &&Statement| {
            let object = describe(statement.kind, statement.object.to_string());
            missing.contains(&object) || of_members.contains(&object)
        };
        let pre_data = script.pre_data.iter().filter(is_missing);
        let pre_data: Vec<Statement> = pre_data.cloned().collect();
        let split = script.split_last();
        let post_data = split.rest.iter().filter(is_missing).cloned();
        let last = split.last.iter().filter(is_missing).cloned();
        let mut steps = Self {
            post_data: post_data.collect(),
            last: last.collect(),
            pre_data,
            gone: Vec::new(),
        };
        let found = steps.pre_data.iter().chain(&steps.post_data);
        let found: BTreeSet<MissingObject> = found
            .chain(&steps.last)
            .map(|one| describe(one.kind, one.object.to_string()))
            .collect();
        let gone = missing.difference(&found);
        steps.gone = gone.map(|one| one.object.clone()).collect();
        steps
    }
}

/// An object as it is recorded.
pub(crate) fn describe(kind: Kind, object: String) -> MissingObject {
    let kind = kind.name().to_owned();
    MissingObject { kind, object }
}

/// Lists the privileges on the objects of missing extensions: no run could revoke any before these exist.
fn list_member_privileges(
    catalog: &Catalog,
    missing: &BTreeSet<MissingObject>,
) -> BTreeSet<MissingObject> {
    let extensions = catalog.extensions.iter().filter(|extension| {
        let label = Label::plain("extension", &extension.name);
        missing.contains(&describe(Kind::Extension, label.to_string()))
    });
    let extensions: BTreeSet<_> = extensions.map(|extension| extension.id.oid).collect();
    let is_of_them = |class, oid| {
        let id = Class::from_oid(class).map(|class| ObjectId::new(class, oid));
        let member_of = id.and_then(|id| catalog.members.get(&id));
        member_of.is_some_and(|extension| extensions.contains(extension))
    };
    let acls = catalog.acls.iter();
    let acls = acls.filter(|acl| is_of_them(acl.class, acl.oid));
    acls.map(|acl| describe(Kind::Acl, Label::privileges(acl).to_string()))
        .collect()
}

/// Whether the target has refused a statement since what it creates exists.
pub(crate) fn exists_already(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::DUPLICATE_OBJECT | SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_FUNCTION
    )
}

/// Keeps the statements of the steps that were refused or not attempted, but for those of objects that exist.
pub(crate) fn keep_missing(statements: Vec<Statement>, refused: &Refused) -> Vec<Statement> {
    let is_existing = |statement: &Statement| {
        let object = statement.object.to_string();
        refused.refusals.iter().any(|one| {
            one.kind == statement.kind
                && one.object == object
                && one
                    .answer()
                    .is_some_and(|answer| exists_already(answer.code))
        })
    };
    let is_missing = |statement: &Statement| {
        refused.is_missing(statement.kind, &statement.object.to_string()) && !is_existing(statement)
    };
    statements.into_iter().filter(is_missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ddl::{Necessity, Step};
    use crate::pg::{QualifiedName, Sql};

    fn statement(step: usize, kind: Kind, name: &str) -> Statement {
        Statement {
            sql: Sql::default(),
            object: Label::qualified("view", &QualifiedName::from_catalog("s", name)),
            kind,
            necessity: Necessity::Optional,
            step,
            needs_no_transaction: false,
            secret: false,
        }
    }

    #[test]
    fn only_recorded_objects_are_created_and_others_are_gone() {
        let script = Script {
            pre_data: vec![statement(0, Kind::View, "a"), statement(1, Kind::View, "b")],
            post_data: vec![
                statement(2, Kind::Comment, "a"),
                statement(3, Kind::Comment, "b"),
            ],
            steps: vec![Step::default(); 4],
            ..Script::default()
        };
        let missing = BTreeSet::from([
            describe(Kind::View, "view s.a".to_owned()),
            describe(Kind::Comment, "view s.a".to_owned()),
            describe(Kind::Index, "view s.a".to_owned()),
        ]);
        let steps = MissingSteps::find(&script, &Catalog::default(), &missing);
        assert_eq!(steps.pre_data, [statement(0, Kind::View, "a")]);
        assert_eq!(steps.post_data, [statement(2, Kind::Comment, "a")]);
        assert_eq!(steps.gone, ["view s.a"]);
    }
}
