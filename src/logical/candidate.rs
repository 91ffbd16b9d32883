//! Reads the tables whose changes could be published.

use tokio_postgres::Row;

use crate::connect::{self, Session};
use crate::pg::{
    Ident, Oid, Persistence, QualifiedName, RelKind, ReplicaIdentity, Sql, UnknownLetter,
};

/// A table, with what identifies its old rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its oid.
    pub oid: Oid,
    /// Its name.
    pub name: QualifiedName,
    /// Ordinary, partitioned or foreign.
    pub kind: RelKind,
    /// Whether its changes are logged.
    pub persistence: Persistence,
    /// The partitioned table at the top: also of that table itself.
    pub root: Option<Oid>,
    /// What of an old row is logged, by declaration.
    pub identity: ReplicaIdentity,
    /// The columns of the index that serves as identity, by name; none where no index serves.
    pub key: Option<Vec<Ident>>,
    /// Generated columns among those.
    pub key_generated: Vec<Ident>,
    /// The index that was chosen as identity, whether it serves or not.
    pub identity_index: Option<Ident>,
    /// A unique index that could be chosen.
    pub fitting: Option<Ident>,
    /// All generated columns.
    pub generated: Vec<Ident>,
    /// Columns of types without an equality.
    pub unequal: Vec<Ident>,
    /// Whether our role may publish and alter it.
    pub is_owned: bool,
}

/// Why the candidates are not known.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The server refused the question.
    #[error(transparent)]
    Server(#[from] connect::Error),
    /// A newer server means something unknown.
    #[error(transparent)]
    Letter(#[from] UnknownLetter),
    /// The hypertables cannot be read.
    #[error(transparent)]
    Catalog(#[from] crate::catalog::Error),
}

/// Reads the candidates of the session's database, by name.
///
/// # Errors
/// The server refused the question, or answered with a letter that is not known.
pub async fn load_candidates(session: &Session) -> Result<Vec<Candidate>, LoadError> {
    let sql = Sql::fixed(include_str!("sql/candidates.sql"));
    let rows = session.query(&sql, &[]).await?;
    Ok(rows.iter().map(read_candidate).collect::<Result<_, _>>()?)
}

fn read_candidate(row: &Row) -> Result<Candidate, UnknownLetter> {
    let name = |column: &str| {
        row.get::<_, Option<String>>(column)
            .map(Ident::from_catalog)
    };
    let names = |column: &str| {
        let names = row.get::<_, Option<Vec<String>>>(column);
        names.map(|names| names.into_iter().map(Ident::from_catalog).collect())
    };
    Ok(Candidate {
        oid: Oid(row.get("oid")),
        name: QualifiedName::from_catalog(
            row.get::<_, String>("schema_name"),
            row.get::<_, String>("name"),
        ),
        kind: row.get::<_, String>("kind").parse()?,
        persistence: row.get::<_, String>("persistence").parse()?,
        root: row.get::<_, Option<u32>>("root").map(Oid),
        identity: row.get::<_, String>("identity").parse()?,
        key: names("key_columns"),
        key_generated: names("key_generated").unwrap_or_default(),
        identity_index: name("identity_index"),
        fitting: name("fitting"),
        generated: names("generated").unwrap_or_default(),
        unequal: names("unequal").unwrap_or_default(),
        is_owned: row.get("is_owned"),
    })
}
