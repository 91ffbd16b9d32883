//! The shop on the source, and its customers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Sql};
use crate::sql;
use crate::task::{Background, Scope};
use tokio_util::sync::CancellationToken;

/// The writer's orders are numbered above all others.
const FIRST_ORDER: i64 = 1_000_000;

/// The time between two looks at the writer.
const PAUSE: Duration = Duration::from_millis(10);

/// The shop's database.
pub(super) struct Shop(Session);

impl Shop {
    /// Makes and fills the database.
    ///
    /// # Errors
    /// The server refuses.
    pub(super) async fn open(source: &Endpoint, database: &str) -> Result<Self, Error> {
        let admin = source
            .session(Purpose::Control)
            .await
            .map_err(Error::Connect)?;
        let create = sql!(
            "CREATE DATABASE {} TEMPLATE template0",
            Ident::from_catalog(database)
        );
        admin.batch(&create).await.map_err(Error::Shop)?;
        let session = source
            .with_database(database)
            .session(Purpose::Control)
            .await
            .map_err(Error::Connect)?;
        session
            .batch(&Sql::fixed(include_str!("sql/shop.sql")))
            .await
            .map_err(Error::Shop)?;
        Ok(Self(session))
    }

    /// What it holds, in words.
    ///
    /// # Errors
    /// The server refuses.
    pub(super) async fn describe(&self) -> Result<String, Error> {
        let sql = Sql::fixed(
            "SELECT pg_size_pretty(pg_database_size(current_database())), \
             (SELECT count(*) FROM shop.customers), (SELECT count(*) FROM shop.orders)",
        );
        let row = self.0.query_one(&sql, &[]).await.map_err(Error::Shop)?;
        let (size, customers, orders): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
        Ok(format!(
            "a shop of {size}: {customers} customers, {orders} orders"
        ))
    }
}

/// A customer who never stops ordering.
pub(super) struct Writer {
    stop: CancellationToken,
    committed: Arc<AtomicU64>,
    task: Background<Result<(), connect::Error>>,
}

impl Writer {
    /// Starts to write.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub(super) async fn start(database: &Endpoint) -> Result<Self, Error> {
        let session = database
            .session(Purpose::Control)
            .await
            .map_err(Error::Connect)?;
        let stop = CancellationToken::new();
        let committed = Arc::new(AtomicU64::new(0));
        let task = Background::spawn(write_orders(session, stop.clone(), Arc::clone(&committed)));
        Ok(Self {
            stop,
            committed,
            task,
        })
    }

    /// Orders committed so far.
    pub(super) fn committed(&self) -> u64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// Waits until so many orders are committed.
    ///
    /// # Errors
    /// The scope was stopped.
    pub(super) async fn wait_for(&self, orders: u64, scope: &Scope) -> Result<(), Error> {
        // A writer whose order was refused reports that when it is stopped.
        while self.committed() < orders && !self.stop.is_cancelled() {
            tokio::select! {
                biased;
                () = scope.stop.cancelled() => return Err(Error::Stopped),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        Ok(())
    }

    /// Stops after the current order; orders committed in all.
    ///
    /// # Errors
    /// An order was refused.
    pub(super) async fn stop(self) -> Result<u64, Error> {
        self.stop.cancel();
        self.task.join().await.map_err(Error::Shop)?;
        Ok(self.committed.load(Ordering::SeqCst))
    }
}

/// Orders until stopped: one transaction each, entered in the books under the next number.
async fn write_orders(
    session: Session,
    stop: CancellationToken,
    committed: Arc<AtomicU64>,
) -> Result<(), connect::Error> {
    // Also a refused order ends every wait for the next one.
    let _ended = stop.clone().drop_guard();
    let mut n: i64 = 0;
    while !stop.is_cancelled() {
        n += 1;
        session.batch(&render_order(n)).await?;
        committed.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// One order, entered in the books under the next number.
fn render_order(n: i64) -> Sql {
    let order = FIRST_ORDER + n;
    sql!(
        "BEGIN; \
         INSERT INTO shop.orders VALUES ({}, 1, 'new', '2026-06-01', 30); \
         INSERT INTO shop.order_lines VALUES ({}, '2026-06-01', 1, 1, 1, 10), ({}, '2026-06-01', 2, 2, 2, 20); \
         UPDATE shop.products SET stock = stock - 1 WHERE id = 1 + {} % 1000; \
         INSERT INTO shop.journal VALUES ({}, {}); \
         INSERT INTO shop.ledger VALUES ({}, 'sales', 30), ({}, 'customer', -30); \
         COMMIT",
        order,
        order,
        order,
        n,
        n,
        order,
        n,
        n
    )
}

/// Changes one value on the target, which `verify` must notice.
///
/// # Errors
/// The server refuses.
pub(super) async fn change_one_cell(target: &Endpoint) -> Result<(), Error> {
    let session = target
        .session(Purpose::Control)
        .await
        .map_err(Error::Connect)?;
    let change = Sql::fixed("UPDATE shop.products SET price = price + 0.01 WHERE id = 500");
    session.batch(&change).await.map_err(Error::Shop)
}
