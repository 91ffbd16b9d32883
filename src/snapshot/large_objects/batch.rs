//! Large objects: bytes under an oid that the application keeps.
//!
//! Small objects are copied in batches. One query reads a batch, one statement writes it, and owners, privileges
//! and comments are sent in one message with the commit. So a batch costs as many round trips as one object.
//! A large object is copied alone, in pieces: the next piece is read while the last one is written. Memory is
//! bounded for any number and size of objects. An object becomes visible as a whole and with its owner.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tokio_postgres::types::{ToSql, Type};

use crate::catalog::load::large_object::{LargeObject, load_large_objects};
use crate::connect::{self, Session};
use crate::ddl::object::large_object::render_large_object;
use crate::pg::Sql;
use crate::snapshot::error::Error;
use crate::snapshot::lock_table::load_share_of_locks;
use crate::{ddl, sql};

/// Bytes read and written at a time; of a batch all together. A multiple of the servers' own 2 kB.
const PIECE: u32 = 1 << 20;

/// Most objects of a batch.
const BATCH: usize = 400;

/// Objects of a page, whose sizes are asked for at once: the server keeps each open until the answer is
/// there.
const LISTED: usize = 10_000;

/// Large objects that are copied in one transaction: several small ones, or a large one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeObjectBatch {
    objects: Vec<u32>,
    bytes: u64,
}

impl LargeObjectBatch {
    /// How many.
    pub fn count(&self) -> usize {
        self.objects.len()
    }

    /// The bytes of all.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A few of a database's large objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LargeObjectPage {
    /// Its objects in batches, the largest first.
    pub batches: Vec<LargeObjectBatch>,
    /// The oid after which the next page begins; None after the last.
    pub next: Option<u32>,
}

/// Lists the next large objects that `reader` sees after an oid, in batches for so many workers. The reader is in
/// the transaction of the snapshot.
///
/// # Errors
/// The source cannot list them, or the size of the target's lock table cannot be loaded.
pub async fn plan_large_objects(
    reader: &Session,
    writer: &Session,
    workers: usize,
    after: u32,
) -> Result<LargeObjectPage, Error> {
    let plan = async {
        let most = load_share_of_locks(writer, workers).await?.min(BATCH);
        let oids = list_oids(reader, after).await?;
        let mut batches = plan_batches(&load_sizes(reader, &oids).await?, most);
        batches.sort_by_key(|batch: &LargeObjectBatch| Reverse(batch.bytes));
        let is_last = oids.len() < LISTED;
        let next = oids.last().copied().filter(|_| !is_last);
        Ok(LargeObjectPage { batches, next })
    };
    plan.await.map_err(Error::LargeObjects)
}

async fn list_oids(reader: &Session, after: u32) -> Result<Vec<u32>, connect::Error> {
    let list = sql!(
        "SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid > $1 ORDER BY oid LIMIT {}",
        LISTED as u64
    );
    let rows = reader.query_typed(&list, &[(&after, Type::OID)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Loads the sizes of objects, which are opened for that. A rolled back subtransaction closes them again.
async fn load_sizes(reader: &Session, oids: &[u32]) -> Result<Vec<(u32, u64)>, connect::Error> {
    let sizes = Sql::fixed(
        "SELECT oid, pg_catalog.lo_lseek64(pg_catalog.lo_open(oid, 262144), 0, 2) \
           FROM pg_catalog.unnest($1) AS o (oid)",
    );
    reader.batch(&Sql::fixed("SAVEPOINT sizes")).await?;
    let rows = reader
        .query_typed(&sizes, &[(&oids, Type::OID_ARRAY)])
        .await?;
    reader
        .batch(&Sql::fixed("ROLLBACK TO SAVEPOINT sizes"))
        .await?;
    let size = |row: &tokio_postgres::Row| {
        let bytes = u64::try_from(row.get::<_, i64>(1)).unwrap_or(0);
        (row.get(0), bytes)
    };
    Ok(rows.iter().map(size).collect())
}

/// Puts objects into batches of at most so many.
fn plan_batches(objects: &[(u32, u64)], most: usize) -> Vec<LargeObjectBatch> {
    let mut batches: Vec<LargeObjectBatch> = Vec::new();
    for (oid, bytes) in objects {
        match batches.last_mut() {
            Some(last) if last.objects.len() < most && last.bytes + bytes <= u64::from(PIECE) => {
                last.objects.push(*oid);
                last.bytes += bytes;
            }
            _ => batches.push(LargeObjectBatch {
                objects: vec![*oid],
                bytes: *bytes,
            }),
        }
    }
    batches
}

/// Copies a batch under the objects' own oids, with owner, privileges and comment. Returns the grants that the
/// target cannot represent.
///
/// # Errors
/// An object cannot be read or created. Nothing of the object is then on the target; others of the batch
/// may be.
pub async fn copy_large_object_batch(
    reader: &Session,
    writer: &Session,
    batch: &LargeObjectBatch,
    options: &ddl::Options,
) -> Result<Vec<String>, Error> {
    if batch.objects.is_empty() {
        return Ok(Vec::new());
    }
    match copy_objects(reader, writer, &batch.objects, batch.bytes, options).await {
        Err(error) if batch.objects.len() > 1 && error.is_of_target() => {
            copy_one_by_one(reader, writer, &batch.objects, options).await
        }
        copied => copied.map_err(|error| error.into_error(&batch.objects)),
    }
}

/// Copies the objects of a batch that the target does not have. Returns the grants of the whole batch that the
/// target cannot represent.
///
/// # Errors
/// As [`copy_large_object_batch`]; or the target cannot be asked.
pub async fn complete_large_object_batch(
    reader: &Session,
    writer: &Session,
    batch: &LargeObjectBatch,
    options: &ddl::Options,
) -> Result<Vec<String>, Error> {
    let (there, objects) = load_existing(writer, batch)
        .await
        .map_err(Error::LargeObjects)?;
    let described = load_large_objects(reader, &there).await;
    let (_, mut omitted) = render_objects(&described.map_err(Error::Catalog)?, options);
    let bytes = batch.bytes;
    let rest = LargeObjectBatch { objects, bytes };
    omitted.extend(copy_large_object_batch(reader, writer, &rest, options).await?);
    Ok(omitted)
}

/// Loads which objects of a batch exist on the target. Returns them, and the other ones.
async fn load_existing(
    writer: &Session,
    batch: &LargeObjectBatch,
) -> Result<(Vec<u32>, Vec<u32>), connect::Error> {
    let there =
        Sql::fixed("SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid = ANY ($1)");
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&batch.objects, Type::OID_ARRAY)];
    let rows = writer.query_typed(&there, &parameters).await?;
    let there: BTreeSet<u32> = rows.iter().map(|row| row.get(0)).collect();
    let objects = batch.objects.iter().copied();
    Ok(objects.partition(|object| there.contains(object)))
}

/// Finds the object that the target refused, or copies all of them if only their number was too high.
async fn copy_one_by_one(
    reader: &Session,
    writer: &Session,
    objects: &[u32],
    options: &ddl::Options,
) -> Result<Vec<String>, Error> {
    let mut omitted = Vec::new();
    for object in objects {
        let alone = std::slice::from_ref(object);
        let copied = copy_objects(reader, writer, alone, 0, options).await;
        omitted.extend(copied.map_err(|error| error.into_error(alone))?);
    }
    Ok(omitted)
}

/// Why objects were not copied.
enum Failure {
    Catalog(crate::catalog::Error),
    Source(connect::Error),
    Target(connect::Error),
}

impl Failure {
    /// Whether the target refused a statement, and its session continues.
    fn is_of_target(&self) -> bool {
        match self {
            Self::Target(error) => error.sqlstate().is_some_and(|code| !code.is_transient()),
            Self::Catalog(_) | Self::Source(_) => false,
        }
    }

    fn into_error(self, objects: &[u32]) -> Error {
        match (self, objects) {
            (Self::Catalog(source), _) => Error::Catalog(source),
            (Self::Source(source) | Self::Target(source), [object]) => Error::LargeObject {
                object: *object,
                source,
            },
            (Self::Source(source) | Self::Target(source), _) => Error::LargeObjects(source),
        }
    }
}

/// One transaction on the target.
async fn copy_objects(
    reader: &Session,
    writer: &Session,
    objects: &[u32],
    bytes: u64,
    options: &ddl::Options,
) -> Result<Vec<String>, Failure> {
    let around = async {
        let described = load_large_objects(reader, objects).await;
        described.map_err(Failure::Catalog)
    };
    let begin = async {
        let begun = writer.batch(&Sql::fixed("BEGIN")).await;
        begun.map_err(Failure::Target)
    };
    let (described, ()) = tokio::try_join!(around, begin)?;
    let (mut end, omitted) = render_objects(&described, options);
    end.push(writer.commit());
    let copied = async {
        match objects {
            [object] if bytes > u64::from(PIECE) || bytes == 0 => {
                copy_in_pieces(reader, writer, *object).await?;
            }
            _ => copy_at_once(reader, writer, objects).await?,
        }
        let ended = writer.batch(&Sql::join(&end, "; ")).await;
        ended.map_err(Failure::Target)
    };
    if let Err(error) = copied.await {
        // A connection that is lost has rolled back by itself.
        if let Err(error) = writer.batch(&Sql::fixed("ROLLBACK")).await {
            tracing::debug!(%error, "a rollback did not reach the target");
        }
        return Err(error);
    }
    Ok(omitted)
}

/// Renders owners, privileges and comments. Returns also the grants that the target cannot represent.
fn render_objects(objects: &[LargeObject], options: &ddl::Options) -> (Vec<Sql>, Vec<String>) {
    let (mut statements, mut omitted) = (Vec::new(), Vec::new());
    for object in objects {
        let rendered = render_large_object(object, options);
        statements.extend(rendered.statements);
        omitted.extend(rendered.skipped.iter().map(ToString::to_string));
    }
    (statements, omitted)
}

/// Reads objects with one query and writes them with one statement.
async fn copy_at_once(reader: &Session, writer: &Session, objects: &[u32]) -> Result<(), Failure> {
    let read =
        Sql::fixed("SELECT oid, pg_catalog.lo_get(oid) FROM pg_catalog.unnest($1) AS o (oid)");
    let create = Sql::fixed(
        "SELECT pg_catalog.count(pg_catalog.lo_from_bytea(oid, bytes)) \
           FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS o (oid, bytes)",
    );
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&objects, Type::OID_ARRAY)];
    let rows = reader.query_typed(&read, &parameters).await;
    let rows = rows.map_err(Failure::Source)?;
    let oids: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.get(1)).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&oids, Type::OID_ARRAY), (&bytes, Type::BYTEA_ARRAY)];
    let created = writer.query_typed(&create, &parameters).await;
    created.map(drop).map_err(Failure::Target)
}

/// Reads the next piece while the last is written.
async fn copy_in_pieces(reader: &Session, writer: &Session, object: u32) -> Result<(), Failure> {
    let mut offset: i64 = 0;
    let mut piece = read_piece(reader, object, offset).await?;
    loop {
        let next_offset = offset + i64::from(PIECE);
        let is_last = piece.len() < usize::try_from(PIECE).expect("a small constant");
        let write = write_piece(writer, object, offset, &piece);
        if is_last {
            return write.await;
        }
        let (next, ()) = tokio::try_join!(read_piece(reader, object, next_offset), write)?;
        if next.is_empty() {
            return Ok(());
        }
        (piece, offset) = (next, next_offset);
    }
}

async fn read_piece(reader: &Session, object: u32, offset: i64) -> Result<Vec<u8>, Failure> {
    let read = Sql::fixed("SELECT pg_catalog.lo_get($1, $2, $3)");
    let length = i32::try_from(PIECE).expect("a small constant");
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&object, Type::OID),
        (&offset, Type::INT8),
        (&length, Type::INT4),
    ];
    let rows = reader.query_typed(&read, &parameters).await;
    let rows = rows.map_err(Failure::Source)?;
    Ok(rows.first().map_or_else(Vec::new, |row| row.get(0)))
}

async fn write_piece(
    writer: &Session,
    object: u32,
    offset: i64,
    piece: &[u8],
) -> Result<(), Failure> {
    let oid: (&(dyn ToSql + Sync), Type) = (&object, Type::OID);
    let bytes: (&(dyn ToSql + Sync), Type) = (&piece, Type::BYTEA);
    let written = if offset == 0 {
        let create = Sql::fixed("SELECT pg_catalog.lo_from_bytea($1, $2)");
        writer.query_typed(&create, &[oid, bytes]).await
    } else {
        let put = Sql::fixed("SELECT pg_catalog.lo_put($1, $2, $3)");
        let at: (&(dyn ToSql + Sync), Type) = (&offset, Type::INT8);
        writer.query_typed(&put, &[oid, at, bytes]).await
    };
    written.map(drop).map_err(Failure::Target)
}

/// A batch of one object for tests of what depends on it.
#[cfg(test)]
pub(crate) fn batch_of(object: u32, bytes: u64) -> LargeObjectBatch {
    LargeObjectBatch {
        objects: vec![object],
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(objects: &[(u32, u64)], most: usize) -> Vec<(Vec<u32>, u64)> {
        let batches = plan_batches(objects, most);
        batches.into_iter().map(|b| (b.objects, b.bytes)).collect()
    }

    #[test]
    fn batches_are_bounded_by_number_and_bytes_and_large_objects_stand_alone() {
        let mb = u64::from(PIECE);
        assert_eq!(
            shape(&[(1, 10), (2, 0), (3, 5)], 2),
            [(vec![1, 2], 10), (vec![3], 5)]
        );
        assert_eq!(
            shape(&[(1, mb / 2), (2, mb / 2), (3, 1), (4, mb * 9), (5, 1)], 9),
            [
                (vec![1, 2], mb),
                (vec![3], 1),
                (vec![4], mb * 9),
                (vec![5], 1)
            ]
        );
        assert_eq!(shape(&[], 1), []);
    }
}
