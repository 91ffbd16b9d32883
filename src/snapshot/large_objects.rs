//! Large objects: bytes under a number that the application keeps. They are read at the snapshot in
//! pieces, so that memory is bounded whatever an object's size, and become visible in batches, each
//! whole and with its owner.

use super::basis::Basis;
use super::build::stoppable;
use super::queue::Queue;
use super::{CopyRequest, Error};
use crate::catalog::load::large_object::load_large_objects;
use crate::connect::{self, Purpose, Session};
use crate::ddl;
use crate::ddl::object::grant::Rendered;
use crate::ddl::object::large_object::render_large_object;
use crate::pg::Sql;
use crate::task::{Group, Scope};

/// Bytes read and written at a time.
const PIECE: i32 = 1 << 20;

/// Objects of one transaction; many are small.
const BATCH: usize = 100;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedObjects {
    /// How many.
    pub count: usize,
    /// Grants that the target cannot hold.
    pub left_out: Vec<String>,
}

/// A large object, and what is run once it exists.
struct Job {
    oid: u32,
    statements: Vec<Sql>,
}

/// Copies all large objects under their own numbers, with owner, privileges and comment.
///
/// # Errors
/// An object cannot be read or made, or the scope was stopped. Objects of a batch that failed are
/// not on the target.
pub async fn copy_large_objects(
    request: &CopyRequest,
    basis: &Basis,
    options: &ddl::Options,
    scope: &Scope,
) -> Result<CopiedObjects, Error> {
    let lister = basis.hold.lease.session().await?;
    let objects = load_large_objects(&lister).await.map_err(Error::Catalog)?;
    drop(lister);
    let mut copied = CopiedObjects {
        count: objects.len(),
        left_out: Vec::new(),
    };
    let mut jobs = Vec::new();
    for object in &objects {
        let Rendered {
            statements,
            left_out,
        } = render_large_object(object, options);
        copied
            .left_out
            .extend(left_out.iter().map(ToString::to_string));
        jobs.push(Job {
            oid: object.oid.0,
            statements,
        });
    }
    run(request, basis, jobs, scope).await?;
    Ok(copied)
}

async fn run(
    request: &CopyRequest,
    basis: &Basis,
    mut jobs: Vec<Job>,
    scope: &Scope,
) -> Result<(), Error> {
    let mut batches = Vec::new();
    while !jobs.is_empty() {
        let rest = jobs.split_off(jobs.len().min(BATCH));
        batches.push(std::mem::replace(&mut jobs, rest));
    }
    let queue = Queue::new(batches);
    let mut group = Group::new(scope);
    for _ in 0..request.jobs.min(queue.len()) {
        let reader = basis.hold.lease.session().await?;
        let writer = request
            .target
            .session(Purpose::Build)
            .await
            .map_err(Error::Connect)?;
        let (queue, scope) = (queue.clone(), group.scope().clone());
        group.spawn(async move {
            while let Some(batch) = queue.pop() {
                stoppable(&writer, &scope, copy_batch(&reader, &writer, &batch)).await?;
            }
            Ok(())
        });
    }
    group.join().await
}

async fn copy_batch(reader: &Session, writer: &Session, batch: &[Job]) -> Result<(), Error> {
    writer
        .batch(&Sql::fixed("BEGIN"))
        .await
        .map_err(Error::LargeObjects)?;
    for job in batch {
        let object = job.oid;
        copy_one(reader, writer, job)
            .await
            .map_err(|source| Error::LargeObject { object, source })?;
    }
    writer
        .batch(&Sql::fixed("COMMIT"))
        .await
        .map_err(Error::LargeObjects)
}

async fn copy_one(reader: &Session, writer: &Session, job: &Job) -> Result<(), connect::Error> {
    let read = Sql::fixed("SELECT pg_catalog.lo_get($1, $2, $3)");
    let make = Sql::fixed("SELECT pg_catalog.lo_from_bytea($1, $2)");
    let put = Sql::fixed("SELECT pg_catalog.lo_put($1, $2, $3)");
    let mut offset: i64 = 0;
    loop {
        let row = reader
            .query_one(&read, &[&job.oid, &offset, &PIECE])
            .await?;
        let piece: &[u8] = row.get(0);
        if offset == 0 {
            writer.query_one(&make, &[&job.oid, &piece]).await?;
        } else if !piece.is_empty() {
            writer.query_one(&put, &[&job.oid, &offset, &piece]).await?;
        }
        if piece.len() < usize::try_from(PIECE).expect("a positive constant") {
            break;
        }
        offset += i64::from(PIECE);
    }
    for statement in &job.statements {
        writer.batch(statement).await?;
    }
    Ok(())
}
