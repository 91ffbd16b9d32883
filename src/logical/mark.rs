//! What the comment of our publication says: whose it is, and what must be undone with it. It identifies a
//! run's objects for commands on another machine.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::listed::ListedTables;
use super::tag::RunTag;
use crate::pg::{Ident, Lsn, QualifiedName, ReplicaIdentity, Sql};
use crate::sql;

/// The form of the comment that this version writes. Form 1 has no tag.
const FORM: u32 = 2;

/// Which two clusters a run connects; the same for every run between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The id of the runs between two clusters, by their system identifiers.
    pub fn new(source_system: &str, target_system: &str) -> Self {
        // They are numbers, so the joined text is unambiguous.
        let key = format!("{source_system} {target_system}");
        Self(format!("{:016x}", xxh3_64(key.as_bytes())))
    }

    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The comment of a publication of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The form of this comment.
    #[serde(rename = "seren_replicator")]
    form: u32,
    /// The two clusters.
    pub run: RunId,
    /// Whose it is; none in form 1.
    #[serde(flatten)]
    pub tag: Option<RunTag>,
    /// The target database's name.
    pub target: String,
    /// The slot's name.
    pub slot: String,
    /// A digest of what takes part.
    pub scope: String,
    /// Whether the copy that the publication was created for has ended well.
    pub complete: bool,
    /// Replica identities that were changed for it.
    #[serde(default)]
    pub identities: Vec<FormerIdentity>,
    /// Whether the target's server copies the rows itself: no slot of `init` belongs to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub native: bool,
    /// What a complete copy has left; none before, and of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied: Option<Copied>,
}

/// What replication starts from, or has started from: a machine without the state of the run checks it on the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// The consistent point, at which the slot's changes begin; none where the target's server copies the rows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    point: Option<String>,
    /// The published tables.
    tables: String,
}

impl Copied {
    /// What a copy at a consistent point of these tables has left; without one, the target's server copies them.
    pub fn new(point: Option<Lsn>, listed: &ListedTables) -> Self {
        Self {
            point: point.map(|point| point.to_string()),
            tables: listed.encode(),
        }
    }

    /// The consistent point.
    pub fn point(&self) -> Option<Lsn> {
        self.point.as_deref().and_then(|point| point.parse().ok())
    }

    /// The published tables; none if they cannot be read.
    pub fn listed(&self) -> Option<ListedTables> {
        ListedTables::decode(&self.tables)
    }

    /// The same with other tables.
    #[must_use]
    pub fn with_listed(&self, listed: &ListedTables) -> Self {
        Self {
            tables: listed.encode(),
            ..self.clone()
        }
    }
}

impl Mark {
    /// The mark of a copy that has only begun.
    pub fn new(run: RunId, tag: RunTag, target: &str, slot: &str, scope: String) -> Self {
        Self {
            form: FORM,
            run,
            tag: Some(tag),
            target: target.to_owned(),
            slot: slot.to_owned(),
            scope,
            complete: false,
            identities: Vec::new(),
            native: false,
            copied: None,
        }
    }

    /// The same of a copy that the target's server is to do.
    #[must_use]
    pub fn of_native_copy(self) -> Self {
        Self {
            native: true,
            ..self
        }
    }

    /// Reads a comment; none where it is not of this program.
    pub fn parse(comment: &str) -> Option<Self> {
        serde_json::from_str(comment).ok()
    }

    /// The comment's text.
    ///
    /// # Panics
    /// Never: strings and numbers are JSON.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are JSON")
    }

    /// The mark of a copy that has ended well.
    #[must_use]
    pub fn completed(&self, copied: Option<Copied>) -> Self {
        Self {
            complete: true,
            copied,
            ..self.clone()
        }
    }

    /// The mark of the publication of insert-only tables. Former identities are in that of the other one only: they are
    /// restored once.
    #[must_use]
    pub fn of_second(&self) -> Self {
        Self {
            identities: Vec::new(),
            ..self.clone()
        }
    }

    /// What names the run in commands: its number, or in form 1 the id of its two clusters.
    pub fn name(&self) -> &str {
        self.tag
            .as_ref()
            .map_or(self.run.as_str(), |tag| tag.number.as_str())
    }

    /// Whether it marks an object of a run between these clusters into this database.
    pub fn is_of(&self, run: &RunId, target: &str) -> bool {
        self.run == *run && self.target == target
    }

    /// The run in words: its name, where and when it began, and how far it came.
    pub fn describe(&self) -> String {
        let begun = self.tag.as_ref().map_or_else(String::new, |tag| {
            format!("started {} on {}, ", tag.started, tag.host)
        });
        let end = if self.complete {
            "complete"
        } else {
            "incomplete"
        };
        format!("run {} ({begun}{end})", self.name())
    }
}

/// The replica identity of a table before a run changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerIdentity {
    schema: String,
    table: String,
    identity: char,
    index: Option<String>,
}

impl FormerIdentity {
    /// The identity that a table has now; the index is the one chosen for it.
    pub fn new(table: &QualifiedName, identity: ReplicaIdentity, index: Option<&Ident>) -> Self {
        Self {
            schema: table.schema.as_str().to_owned(),
            table: table.name.as_str().to_owned(),
            identity: identity.letter(),
            index: index.map(|index| index.as_str().to_owned()),
        }
    }

    /// The table.
    pub fn table(&self) -> QualifiedName {
        QualifiedName::from_catalog(&self.schema, &self.table)
    }

    /// What was declared. An index that was dropped cannot be chosen again: without it the
    /// identity is that of `NOTHING`.
    pub fn identity(&self) -> ReplicaIdentity {
        match (self.identity, &self.index) {
            ('d', _) => ReplicaIdentity::Default,
            ('f', _) => ReplicaIdentity::Full,
            ('i', Some(_)) => ReplicaIdentity::Index,
            _ => ReplicaIdentity::Nothing,
        }
    }

    /// The statement that brings it back.
    pub fn render_restore(&self) -> Sql {
        let clause = match (self.identity(), &self.index) {
            (ReplicaIdentity::Default, _) => Sql::fixed("DEFAULT"),
            (ReplicaIdentity::Full, _) => Sql::fixed("FULL"),
            (ReplicaIdentity::Index, Some(index)) => {
                sql!("USING INDEX {}", Ident::from_catalog(index.as_str()))
            }
            _ => Sql::fixed("NOTHING"),
        };
        sql!(
            "ALTER TABLE ONLY {} REPLICA IDENTITY {}",
            self.table(),
            clause
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_its_comment_and_others_are_none() {
        let table = QualifiedName::from_catalog("s", "it's \"t\"");
        let tag = RunTag::new();
        let run = RunId::new("1", "2");
        let mut mark = Mark::new(run, tag.clone(), "app", "seren_app_1", "ab".to_owned());
        mark.identities.push(FormerIdentity::new(
            &table,
            ReplicaIdentity::Index,
            Some(&Ident::from_catalog("i")),
        ));
        assert_eq!(Mark::parse(&mark.text()), Some(mark.clone()));
        // Catalog queries know it by its first bytes.
        assert!(mark.text().starts_with("{\"seren_replicator\":"));
        assert_eq!(mark.name(), tag.number);
        assert_eq!(
            mark.identities[0].render_restore().as_str(),
            r#"ALTER TABLE ONLY "s"."it's ""t""" REPLICA IDENTITY USING INDEX "i""#
        );
        for other in ["", "ours", "{}", "{\"seren_replicator\":1}"] {
            assert_eq!(Mark::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_mark_of_form_1_is_named_by_its_clusters() {
        let text = "{\"seren_replicator\":1,\"run\":\"ab\",\"target\":\"app\",\"slot\":\"s\",\"scope\":\"x\",\
                    \"complete\":true}";
        let mark = Mark::parse(text).unwrap();
        assert_eq!((mark.name(), &mark.tag), ("ab", &None));
        assert_eq!(mark.describe(), "run ab (complete)");
    }

    #[test]
    fn a_lost_index_comes_back_as_nothing() {
        let table = QualifiedName::from_catalog("s", "t");
        let former = FormerIdentity::new(&table, ReplicaIdentity::Index, None);
        assert_eq!(
            former.render_restore().as_str(),
            r#"ALTER TABLE ONLY "s"."t" REPLICA IDENTITY NOTHING"#
        );
    }

    #[test]
    fn a_run_is_of_its_two_clusters_and_its_target_database() {
        let run = RunId::new("1", "2");
        assert_ne!(run, RunId::new("2", "1"));
        assert_ne!(RunId::new("1", "12"), RunId::new("11", "2"));
        let mark = Mark::new(run.clone(), RunTag::new(), "a", "s", String::new());
        assert!(mark.is_of(&run, "a") && !mark.is_of(&run, "b"));
    }
}
