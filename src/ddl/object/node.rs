//! What every kind of object answers about itself.

use crate::catalog::model::ObjectId;
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::{Oid, Sql};

/// A step of the script: an object, or the part of one that is made apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::ddl) struct NodeId {
    /// The object.
    pub(in crate::ddl) object: ObjectId,
    /// Which part of it.
    pub(in crate::ddl) part: Part,
}

/// Which part of an object a step makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::ddl) enum Part {
    /// The index that a key is then made of.
    Index,
    /// The object itself.
    Definition,
    /// A type's name, for the functions that the type needs; a routine without its body, for the
    /// routines that the body needs.
    Shell,
    /// The body of a routine made without it.
    Body,
    /// What a domain gives where nothing is given.
    Default,
    /// How its columns are stored.
    ColumnSettings,
    /// Its place in the parent: of a partition or of its index.
    Attach,
    /// Its cutting into chunks.
    Hypertable,
    /// Its role as replica identity.
    ReplicaIdentity,
    /// The query of a view made without it.
    Query,
    /// That rows fulfil it.
    Validation,
    /// A foreign key of a partitioned table, made for this partition first.
    Leaf(Oid),
    /// That the rows of this partition fulfil it.
    LeafValidation(Oid),
    /// That policies apply to it.
    RowSecurity,
    /// Its rows.
    Refresh,
}

impl Part {
    /// This part of `object`.
    pub(in crate::ddl) const fn of(self, object: ObjectId) -> NodeId {
        NodeId { object, part: self }
    }
}

/// One step. What a kind does not answer has the common answer.
pub(in crate::ddl) trait Object {
    /// Which step.
    fn node(&self) -> NodeId;

    /// Its kind.
    fn kind(&self) -> Kind;

    /// Its name for people, which also decides the order within the kind.
    fn label(&self, context: &Context<'_>) -> Label;

    /// Its place among the steps of its kind, before their names decide.
    fn rank(&self, _context: &Context<'_>) -> u8 {
        0
    }

    /// The rows of system catalogs that this step makes: what they depend on comes before it,
    /// what depends on them after it.
    fn rows(&self, context: &Context<'_>) -> Vec<ObjectId>;

    /// The rows whose expressions its statements hold in full.
    fn defined(&self, context: &Context<'_>) -> Vec<ObjectId> {
        self.rows(context)
    }

    /// Whether its statements hold only a part of these expressions, and a later step the rest.
    fn is_stub(&self) -> bool {
        false
    }

    /// Steps that come before it although no catalog says so.
    fn needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        Vec::new()
    }

    /// The relation that its statements lock.
    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        None
    }

    /// Further relations that they lock.
    fn further_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        Vec::new()
    }

    /// Whether its locks bear others of their kind beside them.
    fn locks_shared(&self, _context: &Context<'_>) -> bool {
        false
    }

    /// The relations that its statements read from end to end.
    fn scans(&self, _context: &Context<'_>) -> Vec<Oid> {
        Vec::new()
    }

    /// Whether it locks more than its relations.
    fn must_run_alone(&self) -> bool {
        false
    }

    /// Whether its statements run functions of users or extensions, beyond what its rows call.
    fn runs_code(&self, _context: &Context<'_>) -> bool {
        false
    }

    /// Whether its statements hold a password and may not be shown.
    fn is_secret(&self) -> bool {
        false
    }

    /// Its parts that could be made apart, should they close a loop; in the order of preference.
    fn parts(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    /// What only a superuser may make, in a word that stands for this object; None where others
    /// may make it, too.
    fn needs_superuser(&self) -> Option<&'static str> {
        None
    }

    /// Its statements, in order.
    fn statements(&self, context: &Context<'_>) -> Vec<Sql>;
}
