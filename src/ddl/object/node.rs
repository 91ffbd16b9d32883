//! What every kind of object answers about itself.

use crate::catalog::model::ObjectId;
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::pg::{Oid, Sql};

/// A step of the script: an object, or the part of one that is created separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId {
    /// The object.
    pub(crate) object: ObjectId,
    /// Which part of it.
    pub(crate) part: Part,
}

/// Which part of an object a step creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// The index that a key is then built from.
    Index,
    /// The object itself.
    Definition,
    /// A type's name, for the functions that the type needs; a routine without its body, for the
    /// routines that the body needs.
    Shell,
    /// The body of a routine created without it.
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
    /// The query of a view created without it.
    Query,
    /// That rows fulfil it.
    Validation,
    /// A foreign key of a partitioned table, created for this partition first.
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
    pub(crate) const fn of(self, object: ObjectId) -> NodeId {
        NodeId { object, part: self }
    }
}

/// The steps of a script, in no order.
pub(crate) type Nodes<'a> = Vec<Box<dyn Object + 'a>>;

/// One step. What a kind does not answer has the common answer.
pub(crate) trait Object {
    /// Which step.
    fn node_id(&self) -> NodeId;

    /// Its kind.
    fn kind(&self) -> Kind;

    /// What a copy is without it.
    fn necessity(&self) -> Necessity {
        self.kind().necessity()
    }

    /// Its name for people, which also decides the order within the kind.
    fn build_label(&self, context: &Context<'_>) -> Label;

    /// Its place among the steps of its kind, before their names decide.
    fn sort_rank(&self, _context: &Context<'_>) -> u8 {
        0
    }

    /// The rows of system catalogs that this step creates: what they depend on comes before it,
    /// what depends on them after it.
    fn created_rows(&self, context: &Context<'_>) -> Vec<ObjectId>;

    /// The rows whose expressions its statements hold in full.
    fn defined_rows(&self, context: &Context<'_>) -> Vec<ObjectId> {
        self.created_rows(context)
    }

    /// Whether its statements hold only a part of these expressions, and a later step the rest.
    fn is_stub(&self) -> bool {
        false
    }

    /// Steps that come before it although no catalog says so.
    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        Vec::new()
    }

    /// The relation that its statements lock.
    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
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
    fn scanned_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
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

    /// Its parts that could be created separately, should they close a cycle; in the order of preference.
    fn separable_parts(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    /// What only a superuser may create, in a word for objects like it; None where others
    /// may create it, too.
    fn needs_superuser(&self) -> Option<&'static str> {
        None
    }

    /// Its statements, in order.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql>;
}
