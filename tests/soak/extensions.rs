//! Extensions between more majors than `cargo test` uses: configuration, children, and what a script
//! creates without owning it.

use crate::support::installation::with_extensions;
use crate::support::route::Route;
use crate::support::{oracle, run, value};

const SOURCE: &str = "
    SET search_path = public;
    CREATE EXTENSION jobber;
    SELECT jobber.schedule('* * * * *', 'select ' || g) FROM generate_series(1, 5) g;
    CREATE EXTENSION seeded;
    INSERT INTO child VALUES (1, NULL), (2, NULL);
    INSERT INTO aaa_child (child) VALUES (1), (2);
    DELETE FROM status_text;
    CREATE EXTENSION watcher;
    INSERT INTO watcher.note VALUES (1, 'b');
    CREATE EXTENSION geocode;
    CREATE TABLE kid (extra int) INHERITS (geo.parent);
    INSERT INTO kid VALUES (1, '10115', 5);
    CREATE EXTENSION parted;
    CREATE TABLE one PARTITION OF parted.event FOR VALUES IN (1, 2);
    INSERT INTO parted.event VALUES (1, '2026-01-01', 'a'), (2, '2026-01-02', 'b');
    CREATE EXTENSION looped;
    ALTER TABLE choice DISABLE TRIGGER USER;
    INSERT INTO node VALUES (5, 5, NULL, false), (4, 5, NULL, false);
    INSERT INTO choice VALUES (4, 4), (3, 5);
    UPDATE node SET chosen = 3 WHERE id = 4;
    ALTER TABLE choice ENABLE TRIGGER USER;
";

const TREE: &str = "SELECT string_agg(inhrelid::regclass || ' of ' || inhparent::regclass, ', '
                                      ORDER BY inhrelid::regclass::text COLLATE \"C\") FROM pg_inherits";

#[tokio::test(flavor = "multi_thread")]
async fn extensions_arrive_between_all_majors() {
    for [from, to] in [[12, 18], [12, 13], [13, 16], [16, 16], [17, 18], [18, 18]] {
        let route = Route::start([
            with_extensions(from, &["both", "old"]),
            with_extensions(to, &["both", "new"]),
        ]);
        route.create("app").await;
        let (source, target) = (route.source.url("app"), route.target.url("app"));
        run(&source, SOURCE).await;
        route.init("app", &[]).run().expect(0);
        assert_eq!(
            oracle::data_diff(&source, &target),
            [""; 0],
            "{from} to {to}"
        );
        let (wanted, found) = (value(&source, TREE).await, value(&target, TREE).await);
        assert_eq!(found, wanted, "{from} to {to}");
        route.command("verify", &["app"], &[]).run().expect(0);
    }
}
