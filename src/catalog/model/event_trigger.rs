use super::{Enabled, ObjectId};
use crate::pg::{Ident, Sql};

/// A trigger on commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTrigger {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its owner.
    pub owner: Ident,
    /// When it fires, e.g. `ddl_command_end`.
    pub event: Ident,
    /// The commands it fires for; empty: all.
    pub tags: Vec<String>,
    /// The function that it calls, as SQL.
    pub function: Sql,
    /// Whether it fires.
    pub enabled: Enabled,
}
