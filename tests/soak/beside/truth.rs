//! What a successful run promises, proved on the servers by means that share nothing with the program.

use crate::support::route::Route;
use crate::support::{fresh_name, oracle, run, text, value};

use super::application::{BASE, BROKEN, WRITTEN, record};

/// Tables that exist in every state of the application.
const PERMANENT: &str = "'app.changes', 'app.journal', 'app.account', 'app.wide', 'app.scratch', 'app.parted', 'one.t', 'two.t'";

/// Slots of the database that replication can start from.
const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database() \
     AND slot_name LIKE 'seren\\_%' AND wal_status IN ('reserved', 'extended')";

/// Fails the test unless exit code 0 was true: slot, publication, definitions and rows.
pub(super) async fn assert_true(route: &Route, name: &str, told: &str) {
    let (source, target) = (route.source.url(name), route.target.url(name));
    assert_eq!(value(&source, SLOTS).await, "1", "usable slots\n{told}");
    let published = format!(
        "SELECT count(*) FROM unnest(ARRAY[{PERMANENT}]) t WHERE t NOT IN (SELECT schemaname || '.' || tablename \
           FROM pg_publication_tables WHERE pubname = 'seren_replication_pub')"
    );
    assert_eq!(
        value(&source, &published).await,
        "0",
        "unpublished tables\n{told}"
    );
    assert_eq!(
        value(&target, BROKEN).await,
        "0",
        "transactions in part\n{told}"
    );
    let control = control(route, &target).await;
    let (one, other) = (control.clone(), target.clone());
    let differ = tokio::task::spawn_blocking(move || {
        let rows = oracle::data_diff(&one, &other).into_iter();
        let is_recorded = |line: &String| !WRITTEN.iter().any(|table| line.starts_with(table));
        let rows: Vec<String> = rows.filter(is_recorded).collect();
        (rows, oracle::schema_diff(&one, &other))
    });
    let (rows, definitions) = differ.await.unwrap();
    assert_eq!(rows, Vec::<String>::new(), "rows\n{told}");
    assert_eq!(definitions, Vec::<String>::new(), "definitions\n{told}");
    drop_database(route, &control).await;
}

/// A database that holds what the application had at the moment of the copy: its beginning, and the changes whose records
/// were copied.
async fn control(route: &Route, target: &str) -> String {
    let name = fresh_name("control");
    let admin = route.target.url("postgres");
    run(
        &admin,
        &format!("CREATE DATABASE {name} TEMPLATE template0"),
    )
    .await;
    let url = route.target.url(&name);
    run(&url, BASE).await;
    let session = crate::support::database(target).await;
    let changes = text("SELECT n, statement FROM app.changes ORDER BY n");
    let rows = session.rows(&changes).await.unwrap();
    for row in &rows {
        let number = row.get(0).unwrap().parse().unwrap();
        run(&url, &record(number, row.get(1).unwrap())).await;
    }
    url
}

/// Drops a database of the target by its URL.
pub(super) async fn drop_database(route: &Route, url: &str) {
    let name = url.rsplit('/').next().unwrap();
    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    run(&route.target.url("postgres"), &drop).await;
}

/// Fails the test unless nothing of any run is on the source.
pub(super) async fn assert_clean(route: &Route, name: &str, told: &str) {
    let source = route.source.url(name);
    let left = "SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()) \
                + (SELECT count(*) FROM pg_publication)";
    assert_eq!(
        value(&source, left).await,
        "0",
        "slots and publications\n{told}"
    );
}
