//! The kinds of objects: one table says of each where it comes in the script and what the planner may do
//! with it.
//!
//! To add a kind: one line in this table, and a file in `object` with its line in `object::collect_steps`.

use super::necessity::Necessity;
use super::stage::Stage;

/// What the planner knows of a kind.
#[derive(Clone, Copy)]
struct Properties {
    /// Whether it comes after the rows.
    is_post_data: bool,
    stage: Stage,
    necessity: Necessity,
    movable: Movable,
    /// What it is called where only a superuser may create any.
    only_superusers: Option<&'static str>,
    evaluates_rows: bool,
    locks_others: bool,
}

/// What of a step before the rows can be moved behind them, where it depends on something there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Movable {
    /// Nothing: rows depend on it, or it has no part of its own.
    Nothing,
    /// The step as a whole.
    Whole,
    /// The query; a stub with its columns stays.
    Query,
    /// The body of a routine that was created without it; else the step as a whole.
    Body,
    /// Single parts: defaults and checks.
    Parts,
}

const PRE_DATA: Properties = Properties {
    is_post_data: false,
    stage: Stage::Definitions,
    necessity: Necessity::Required,
    movable: Movable::Nothing,
    only_superusers: None,
    evaluates_rows: false,
    locks_others: false,
};

const POST_DATA: Properties = Properties {
    is_post_data: true,
    ..PRE_DATA
};

impl Properties {
    const fn in_stage(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    const fn optional(self) -> Self {
        let necessity = Necessity::Optional;
        Self { necessity, ..self }
    }

    const fn dependent(self) -> Self {
        let necessity = Necessity::Dependent;
        Self { necessity, ..self }
    }

    const fn movable(self, movable: Movable) -> Self {
        Self { movable, ..self }
    }

    const fn only_by_superusers(self, what: &'static str) -> Self {
        Self {
            only_superusers: Some(what),
            ..self
        }
    }

    const fn evaluating_rows(self) -> Self {
        Self {
            evaluates_rows: true,
            ..self
        }
    }

    const fn locking_others(self) -> Self {
        Self {
            locks_others: true,
            ..self
        }
    }
}

/// Declares the kinds with their properties, so that no kind can be added without them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $properties:expr;)*) => {
        /// The kind of a step: the order of these is the order of steps that nothing else decides
        /// (manual of `pg_dump`: sections).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Its name in records.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }

            const fn properties(self) -> Properties {
                match self {
                    $(Self::$kind => $properties,)*
                }
            }
        }
    };
}

kinds! {
    /// A schema.
    Schema => PRE_DATA;
    /// A procedural language.
    Language => PRE_DATA.dependent().only_by_superusers("languages");
    /// A collation.
    Collation => PRE_DATA;
    /// A transform between a type and a language.
    Transform => PRE_DATA.dependent().movable(Movable::Whole);
    /// An extension.
    Extension => PRE_DATA.optional();
    /// A type or domain.
    Type => PRE_DATA.movable(Movable::Parts);
    /// A cast; early, since views record its function only.
    Cast => PRE_DATA.dependent().movable(Movable::Whole);
    /// A function or procedure.
    Routine => PRE_DATA.optional().movable(Movable::Body);
    /// An aggregate.
    Aggregate => PRE_DATA.optional().movable(Movable::Whole);
    /// An access method of tables or indexes.
    AccessMethod => PRE_DATA.dependent().only_by_superusers("access methods");
    /// An operator.
    Operator => PRE_DATA.dependent().movable(Movable::Whole);
    /// An operator family or class.
    OperatorFamily => PRE_DATA.dependent().movable(Movable::Whole).only_by_superusers("operator classes and families");
    /// A conversion between encodings.
    Conversion => PRE_DATA.dependent();
    /// A parser, template, dictionary or configuration of text search.
    Search => PRE_DATA.dependent();
    /// A foreign data wrapper.
    ForeignDataWrapper => PRE_DATA.dependent().only_by_superusers("foreign-data wrappers");
    /// A foreign server.
    ForeignServer => PRE_DATA.dependent();
    /// A role's login at a foreign server.
    UserMapping => PRE_DATA.dependent();
    /// A sequence, also an identity column's.
    Sequence => PRE_DATA;
    /// A table.
    Table => PRE_DATA.movable(Movable::Parts).locking_others();
    /// A view.
    View => PRE_DATA.optional().movable(Movable::Query);
    /// A materialized view, still empty.
    MaterializedView => PRE_DATA.optional().movable(Movable::Whole);
    /// How the columns of a table are stored and sampled.
    ColumnSettings => PRE_DATA.dependent();
    /// A partition is attached to its parent.
    Attach => PRE_DATA.locking_others();
    /// The default of a column, where it does not come with its table.
    Default => PRE_DATA.movable(Movable::Whole);
    /// A table becomes a hypertable.
    Hypertable => PRE_DATA;
    /// A primary or unique key, an exclusion constraint, or a check apart from its table.
    Constraint => POST_DATA.optional().evaluating_rows();
    /// An index.
    Index => POST_DATA.optional().evaluating_rows();
    /// A partition's index is attached to its parent.
    IndexAttach => POST_DATA.optional();
    /// An index becomes the replica identity.
    ReplicaIdentity => POST_DATA;
    /// Extended statistics.
    Statistics => POST_DATA.optional();
    /// The query of a view that had to be created without it.
    ViewQuery => POST_DATA.optional();
    /// A rule.
    Rule => POST_DATA.dependent();
    /// A trigger.
    Trigger => POST_DATA.optional();
    /// A foreign key.
    ForeignKey => POST_DATA.optional().locking_others();
    /// Rows are checked against a foreign key.
    Validation => POST_DATA.optional();
    /// An internal trigger of a foreign key has another ENABLE state than the default.
    KeyTrigger => POST_DATA.dependent().only_by_superusers("ENABLE and DISABLE of the internal triggers of keys");
    /// A policy, or policies take effect.
    Policy => POST_DATA.in_stage(Stage::Access);
    /// A publication, or what it publishes.
    Publication => POST_DATA.dependent().in_stage(Stage::Access);
    /// A comment.
    Comment => POST_DATA.dependent().in_stage(Stage::Attached);
    /// A security label.
    SecurityLabel => POST_DATA.dependent().in_stage(Stage::Attached);
    /// Privileges.
    Acl => POST_DATA.dependent().in_stage(Stage::Attached);
    /// Privileges of objects created later.
    DefaultAcl => POST_DATA.dependent().in_stage(Stage::Attached);
    /// A materialized view is filled.
    Refresh => POST_DATA.optional().in_stage(Stage::Refresh);
    /// An event trigger: last, so that it does not fire on the rest.
    EventTrigger => POST_DATA.dependent().in_stage(Stage::Last).only_by_superusers("event triggers");
}

impl Kind {
    /// Whether it comes after the rows.
    pub const fn is_post_data(self) -> bool {
        self.properties().is_post_data
    }

    /// Its stage.
    pub const fn stage(self) -> Stage {
        self.properties().stage
    }

    /// What a copy is without objects of this kind.
    pub(super) const fn necessity(self) -> Necessity {
        self.properties().necessity
    }

    /// What of it can be moved behind the rows.
    pub(super) const fn movable(self) -> Movable {
        self.properties().movable
    }

    /// What it is called, if only a superuser may create any.
    pub(super) const fn only_superusers(self) -> Option<&'static str> {
        self.properties().only_superusers
    }

    /// Whether the server evaluates its expressions for existing rows when it is created.
    pub(super) const fn evaluates_rows(self) -> bool {
        self.properties().evaluates_rows
    }

    /// Whether it locks the relations that it depends on against others.
    pub(super) const fn locks_others(self) -> bool {
        self.properties().locks_others
    }

    /// Whether it comes after comments and privileges: owners may need privileges to fill
    /// materialized views, and event triggers would fire on the rest.
    pub(super) fn comes_last(self) -> bool {
        self.stage() > Stage::Attached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_know_their_section() {
        assert!(!Kind::Default.is_post_data());
        assert!(Kind::Constraint.is_post_data());
    }

    /// A kind that is added is in none of these unless somebody decides so.
    #[test]
    fn few_kinds_have_special_properties() {
        let which = |has: fn(&Kind) -> bool| {
            let kinds = Kind::ALL.iter().filter(|kind| has(kind));
            kinds
                .map(|kind| format!("{kind:?}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        insta::assert_snapshot!([
            format!("superusers: {}", which(|kind| kind.properties().only_superusers.is_some())),
            format!("evaluates rows: {}", which(|kind| kind.evaluates_rows())),
            format!("locks others: {}", which(|kind| kind.locks_others())),
            format!("whole: {}", which(|kind| kind.properties().movable == Movable::Whole)),
            format!("query: {}", which(|kind| kind.properties().movable == Movable::Query)),
            format!("body: {}", which(|kind| kind.properties().movable == Movable::Body)),
            format!("parts: {}", which(|kind| kind.properties().movable == Movable::Parts)),
            format!("last: {}", which(|kind| kind.comes_last())),
            format!("optional: {}", which(|kind| kind.necessity() == Necessity::Optional)),
            format!("required: {}", which(|kind| kind.necessity() == Necessity::Required)),
        ].join("\n"), @r"
        superusers: Language AccessMethod OperatorFamily ForeignDataWrapper KeyTrigger EventTrigger
        evaluates rows: Constraint Index
        locks others: Table Attach ForeignKey
        whole: Transform Cast Aggregate Operator OperatorFamily MaterializedView Default
        query: View
        body: Routine
        parts: Type Table
        last: Refresh EventTrigger
        optional: Extension Routine Aggregate View MaterializedView Constraint Index IndexAttach Statistics ViewQuery Trigger ForeignKey Validation Refresh
        required: Schema Collation Type Sequence Table Attach Default Hypertable ReplicaIdentity Policy
        ");
    }
}
