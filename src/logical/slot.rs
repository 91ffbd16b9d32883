use xxhash_rust::xxh3::xxh3_64;

use crate::pg::{Oid, SlotName};

/// What makes a slot this run's own: one database of one cluster, copied to one database of
/// another. Host names and URLs are no part of it, since they may change between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotIdentity<'a> {
    /// `pg_control_system().system_identifier` of the source.
    pub source_system: &'a str,
    /// The source database's oid.
    pub source_database: Oid,
    /// `pg_control_system().system_identifier` of the target.
    pub target_system: &'a str,
    /// The target database's name.
    pub target_database: &'a str,
}

/// Bytes of the database's name that fit beside the prefix, the digest and their separators.
const NAME_BYTES: usize = 63 - "seren_".len() - "_".len() - 16;

/// The slot's name: `seren_<database>_<16 hex digits>`, lower case, at most 63 bytes. Characters
/// that slots do not allow become `_`; the digest keeps such names apart.
pub fn slot_name(database: &str, identity: &SlotIdentity<'_>) -> SlotName {
    let allowed = |part: char| {
        let part = part.to_ascii_lowercase();
        if part.is_ascii_lowercase() || part.is_ascii_digit() {
            part
        } else {
            '_'
        }
    };
    let readable: String = database.chars().map(allowed).take(NAME_BYTES).collect();
    // NUL cannot occur in any of the parts, so the joined text is unambiguous.
    let key = [
        identity.source_system,
        &identity.source_database.to_string(),
        identity.target_system,
        identity.target_database,
    ]
    .join("\0");
    SlotName::new(format!("seren_{readable}_{:016x}", xxh3_64(key.as_bytes())))
        .expect("letters, digits and underscores, at most 63 of them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity(target_database: &str) -> SlotIdentity<'_> {
        SlotIdentity {
            source_system: "7312",
            source_database: Oid(16384),
            target_system: "7313",
            target_database,
        }
    }

    #[test]
    fn names_are_readable_and_distinct_per_target() {
        let name = slot_name("My-App", &identity("a"));
        assert!(name.as_str().starts_with("seren_my_app_"), "{name}");
        assert_ne!(name, slot_name("My-App", &identity("b")));
    }

    proptest! {
        #[test]
        fn any_database_name_gives_a_valid_slot_name(database in "\\PC{1,63}") {
            prop_assert!(slot_name(&database, &identity(&database)).as_str().len() <= 63);
        }
    }
}
