//! The one-letter codes of `pg_class`, as enums. An unknown letter is an error: a newer server
//! may mean something by it that must not be guessed.

/// A catalog letter that this version of the program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {letter:?}")]
pub struct UnknownLetter {
    /// The catalog column, e.g. `relkind`.
    pub what: &'static str,
    /// What the server sent.
    pub letter: String,
}

macro_rules! letters {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $letter:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The catalog's letter.
            pub const fn letter(self) -> char {
                match self { $(Self::$variant => $letter),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownLetter;

            fn from_str(text: &str) -> Result<Self, UnknownLetter> {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    $((Some($letter), None) => Ok(Self::$variant),)+
                    _ => Err(UnknownLetter { what: $what, letter: text.to_owned() }),
                }
            }
        }
    };
}

letters! {
    /// `pg_class.relkind`.
    RelKind, "relkind" {
        /// An ordinary table.
        Table = 'r',
        /// A partitioned table, which holds no rows itself.
        PartitionedTable = 'p',
        /// An index.
        Index = 'i',
        /// A partitioned index.
        PartitionedIndex = 'I',
        /// A sequence.
        Sequence = 'S',
        /// The out-of-line storage of a table.
        Toast = 't',
        /// A view.
        View = 'v',
        /// A materialized view.
        MaterializedView = 'm',
        /// The row type of a composite type.
        Composite = 'c',
        /// A foreign table.
        ForeignTable = 'f',
    }
}

impl std::fmt::Display for RelKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::PartitionedTable => "partitioned table",
            Self::Index => "index",
            Self::PartitionedIndex => "partitioned index",
            Self::Sequence => "sequence",
            Self::Toast => "TOAST table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Composite => "composite type",
            Self::ForeignTable => "foreign table",
        })
    }
}

letters! {
    /// `pg_class.relpersistence`.
    Persistence, "relpersistence" {
        /// Logged.
        Permanent = 'p',
        /// Not logged: empty after a crash.
        Unlogged = 'u',
        /// Of one session.
        Temporary = 't',
    }
}

letters! {
    /// `pg_class.relreplident`.
    ReplicaIdentity, "relreplident" {
        /// The primary key.
        Default = 'd',
        /// No old row is logged.
        Nothing = 'n',
        /// The whole old row is logged.
        Full = 'f',
        /// A chosen unique index.
        Index = 'i',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_round_trip_and_unknown_ones_are_refused() {
        assert_eq!("p".parse::<RelKind>().unwrap().letter(), 'p');
        assert_eq!(
            "x".parse::<RelKind>().unwrap_err().to_string(),
            "unknown relkind \"x\""
        );
        assert!("rr".parse::<RelKind>().is_err());
        assert!("".parse::<ReplicaIdentity>().is_err());
    }
}
