//! Rows of the system catalogs, and what depends on what.

use std::str::FromStr;

use crate::pg::{Oid, UnknownLetter};

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $oid:literal,)+) => {
        /// A system catalog whose rows are objects. Their oids are fixed by the server's sources.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class { $($(#[$doc])* $variant),+ }

        impl Class {
            /// The catalog's own oid, as in `pg_depend.classid`.
            pub const fn oid(self) -> Oid {
                match self { $(Self::$variant => Oid($oid)),+ }
            }

            /// The catalog of an oid; None for one that holds no objects of a database.
            pub const fn from_oid(oid: Oid) -> Option<Self> {
                match oid.0 { $($oid => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

classes! {
    /// `pg_namespace`.
    Schema = 2615,
    /// `pg_extension`.
    Extension = 3079,
    /// `pg_language`.
    Language = 2612,
    /// `pg_collation`.
    Collation = 3456,
    /// `pg_type`.
    Type = 1247,
    /// `pg_proc`.
    Routine = 1255,
    /// `pg_class`.
    Relation = 1259,
    /// `pg_attrdef`.
    Default = 2604,
    /// `pg_constraint`.
    Constraint = 2606,
    /// `pg_statistic_ext`.
    Statistics = 3381,
    /// `pg_rewrite`.
    Rule = 2618,
    /// `pg_trigger`.
    Trigger = 2620,
    /// `pg_policy`.
    Policy = 3256,
    /// `pg_cast`.
    Cast = 2605,
    /// `pg_transform`.
    Transform = 3576,
    /// `pg_am`.
    AccessMethod = 2601,
    /// `pg_operator`.
    Operator = 2617,
    /// `pg_opclass`.
    OperatorClass = 2616,
    /// `pg_opfamily`.
    OperatorFamily = 2753,
    /// `pg_amop`.
    FamilyOperator = 2602,
    /// `pg_amproc`.
    FamilyRoutine = 2603,
    /// `pg_conversion`.
    Conversion = 2607,
    /// `pg_ts_parser`.
    SearchParser = 3601,
    /// `pg_ts_template`.
    SearchTemplate = 3764,
    /// `pg_ts_dict`.
    SearchDictionary = 3600,
    /// `pg_ts_config`.
    SearchConfiguration = 3602,
    /// `pg_foreign_data_wrapper`.
    ForeignDataWrapper = 2328,
    /// `pg_foreign_server`.
    ForeignServer = 1417,
    /// `pg_user_mapping`.
    UserMapping = 1418,
    /// `pg_event_trigger`.
    EventTrigger = 3466,
    /// `pg_default_acl`.
    DefaultAcl = 826,
    /// `pg_publication`.
    Publication = 6104,
    /// `pg_publication_rel`.
    PublicationRelation = 6106,
    /// `pg_publication_namespace`.
    PublicationSchema = 6237,
    /// `pg_largeobject`.
    LargeObject = 2613,
}

/// A row of a system catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The catalog.
    pub class: Class,
    /// The key within it.
    pub oid: Oid,
}

impl ObjectId {
    /// The row of `class` with this key.
    pub const fn new(class: Class, oid: Oid) -> Self {
        Self { class, oid }
    }
}

/// `from` cannot exist without `to`; columns count as their relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependency {
    /// What depends.
    pub from: ObjectId,
    /// What it depends on.
    pub to: ObjectId,
    /// How.
    pub kind: DependencyKind,
}

/// `pg_depend.deptype`, as far as it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// Dropping the other needs `CASCADE`.
    Normal,
    /// It is dropped with the other.
    Automatic,
    /// It is a part of the other.
    Internal,
    /// It comes and goes with an object of the parent table.
    Partition,
    /// It is dropped with an extension without belonging to it.
    Extension,
}

impl FromStr for DependencyKind {
    type Err = UnknownLetter;

    fn from_str(text: &str) -> Result<Self, UnknownLetter> {
        match text {
            "n" => Ok(Self::Normal),
            "a" => Ok(Self::Automatic),
            "i" => Ok(Self::Internal),
            // `I`: replaced by the next two in 12, found in nothing that 12 and later write.
            "P" | "S" | "I" => Ok(Self::Partition),
            "x" => Ok(Self::Extension),
            _ => Err(UnknownLetter {
                what: "deptype",
                letter: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_known_by_its_oid() {
        assert_eq!(Class::from_oid(Class::Rule.oid()), Some(Class::Rule));
        assert_eq!(Class::from_oid(Oid(1260)), None);
    }
}
