//! Objects of other copies of a database.

use crate::checkpoint::DatabasePair;
use crate::pg::Ident;
use crate::remedy::Command;
use crate::teardown::unrecorded::UnrecordedObject;

/// Adds the copy that an object belongs to, and the command that removes that copy's objects.
pub(crate) fn add_copy(other: &UnrecordedObject, copy: &DatabasePair) -> UnrecordedObject {
    let target = Ident::from_catalog(copy.target.as_str());
    UnrecordedObject::new(format!("{}, of the copy to database {target}", other.what))
        .removed_by(copy.remedy("remove it", Command::Teardown))
}
