//! How values are written that serde has no form for.

/// Log positions as text.
pub(super) mod lsn {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

    use crate::pg::Lsn;

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(in crate::checkpoint) fn serialize<S: Serializer>(
        lsn: &Option<Lsn>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        lsn.map(|lsn| lsn.to_string()).serialize(to)
    }

    pub(in crate::checkpoint) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<Option<Lsn>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(de::Error::custom))
            .transpose()
    }
}

/// Maps as lists of pairs: a name of two parts is no key of a JSON object.
pub(super) mod entries {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::checkpoint) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        entries: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(entries)
    }

    pub(in crate::checkpoint) fn deserialize<'a, K, V, D>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'a> + Ord,
        V: Deserialize<'a>,
        D: Deserializer<'a>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}
