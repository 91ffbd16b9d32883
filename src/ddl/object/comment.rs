//! `COMMENT ON`: each kind has its own way to name an object.

use crate::catalog::comment::{Comment, CommentTarget, RoutineKind};
use crate::pg::{Literal, RelKind, ServerVersion, Sql};
use crate::sql;

/// Renders a comment. None where the target's version has no such object to comment on: a
/// not-null constraint that is only a mark on its column there.
pub fn render_comment(comment: &Comment, version: ServerVersion) -> Option<Sql> {
    let object = object(&comment.target, version)?;
    Some(match &comment.text {
        Some(text) => sql!("COMMENT ON {} IS {}", object, Literal(text)),
        None => sql!("COMMENT ON {} IS NULL", object),
    })
}

fn object(target: &CommentTarget, version: ServerVersion) -> Option<Sql> {
    Some(match target {
        CommentTarget::Schema(name) => sql!("SCHEMA {}", name),
        CommentTarget::Extension(name) => sql!("EXTENSION {}", name),
        CommentTarget::Relation(kind, name) => {
            sql!("{} {}", Sql::fixed(relation_word(*kind)?), name)
        }
        CommentTarget::Column(relation, column) => sql!("COLUMN {}.{}", relation, column),
        CommentTarget::Type(name) => sql!("TYPE {}", name),
        CommentTarget::Domain(name) => sql!("DOMAIN {}", name),
        CommentTarget::Routine(kind, name, arguments) => {
            routine(*kind, &sql!("{}", name), arguments)
        }
        CommentTarget::Constraint {
            name,
            table,
            is_not_null,
        } => {
            if *is_not_null && !version.has_not_null_constraints() {
                return None;
            }
            sql!("CONSTRAINT {} ON {}", name, table)
        }
        CommentTarget::DomainConstraint {
            name,
            domain,
            is_not_null,
        } => {
            if *is_not_null && !version.has_domain_not_null_constraints() {
                return None;
            }
            sql!("CONSTRAINT {} ON DOMAIN {}", name, domain)
        }
        CommentTarget::Trigger(name, table) => sql!("TRIGGER {} ON {}", name, table),
        CommentTarget::Policy(name, table) => sql!("POLICY {} ON {}", name, table),
        CommentTarget::Rule(name, table) => sql!("RULE {} ON {}", name, table),
        CommentTarget::Collation(name) => sql!("COLLATION {}", name),
        CommentTarget::Search(kind, name) => {
            sql!("TEXT SEARCH {} {}", Sql::fixed(kind.word()), name)
        }
        CommentTarget::Language(name) => sql!("LANGUAGE {}", name),
        CommentTarget::AccessMethod(name) => sql!("ACCESS METHOD {}", name),
        CommentTarget::Cast(from, to) => sql!("CAST ({} AS {})", from, to),
        CommentTarget::Transform(name, language) => {
            sql!("TRANSFORM FOR {} LANGUAGE {}", name, language)
        }
        CommentTarget::Conversion(name) => sql!("CONVERSION {}", name),
        CommentTarget::Operator(symbol, operands) => sql!("OPERATOR {} ({})", symbol, operands),
        CommentTarget::OperatorFamily(name, method) => {
            sql!("OPERATOR FAMILY {} USING {}", name, method)
        }
        CommentTarget::OperatorClass(name, method) => {
            sql!("OPERATOR CLASS {} USING {}", name, method)
        }
        CommentTarget::ForeignDataWrapper(name) => sql!("FOREIGN DATA WRAPPER {}", name),
        CommentTarget::ForeignServer(name) => sql!("SERVER {}", name),
        CommentTarget::Publication(name) => sql!("PUBLICATION {}", name),
        CommentTarget::EventTrigger(name) => sql!("EVENT TRIGGER {}", name),
        CommentTarget::Statistics(name) => sql!("STATISTICS {}", name),
    })
}

/// None for what takes no comment of its own: a composite type's is on the type.
const fn relation_word(kind: RelKind) -> Option<&'static str> {
    Some(match kind {
        RelKind::Table | RelKind::PartitionedTable => "TABLE",
        RelKind::Index | RelKind::PartitionedIndex => "INDEX",
        RelKind::Sequence => "SEQUENCE",
        RelKind::View => "VIEW",
        RelKind::MaterializedView => "MATERIALIZED VIEW",
        RelKind::ForeignTable => "FOREIGN TABLE",
        RelKind::Toast | RelKind::Composite => return None,
    })
}

/// An aggregate without arguments is written with a star.
fn routine(kind: RoutineKind, name: &Sql, arguments: &Sql) -> Sql {
    match kind {
        RoutineKind::Function => sql!("FUNCTION {}({})", name, arguments),
        RoutineKind::Procedure => sql!("PROCEDURE {}({})", name, arguments),
        RoutineKind::Aggregate if arguments.is_empty() => sql!("AGGREGATE {}(*)", name),
        RoutineKind::Aggregate => sql!("AGGREGATE {}({})", name, arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Ident, Oid, QualifiedName};

    fn rendered(target: CommentTarget, text: Option<&str>, major: u32) -> Option<String> {
        let comment = Comment {
            class: Oid(0),
            oid: Oid(0),
            attnum: 0,
            target,
            text: text.map(str::to_owned),
        };
        render_comment(&comment, ServerVersion::new(major * 10_000))
            .map(|sql| sql.as_str().to_owned())
    }

    #[test]
    fn quotes_of_names_and_texts_are_kept_apart() {
        let table = QualifiedName::from_catalog("s", "a\"b");
        let target = CommentTarget::Column(table, Ident::from_catalog("c d"));
        assert_eq!(
            rendered(target, Some(r"it's \ one"), 12).unwrap(),
            r#"COMMENT ON COLUMN "s"."a""b"."c d" IS  E'it''s \\ one'"#
        );
    }

    #[test]
    fn a_removed_comment_is_removed() {
        let target = CommentTarget::Schema(Ident::from_catalog("public"));
        assert_eq!(
            rendered(target, None, 18).unwrap(),
            r#"COMMENT ON SCHEMA "public" IS NULL"#
        );
    }

    #[test]
    fn a_not_null_constraint_is_an_object_since_18() {
        let target = CommentTarget::Constraint {
            name: Ident::from_catalog("n"),
            table: QualifiedName::from_catalog("s", "t"),
            is_not_null: true,
        };
        assert!(rendered(target.clone(), Some("x"), 17).is_none());
        assert!(rendered(target, Some("x"), 18).is_some());
    }
}
