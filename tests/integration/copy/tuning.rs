//! Settings of sessions on the target: memory, workers, compression.

use seren_replicator::connect::{Capacity, Purpose, ToastCompression, Tuning};

use crate::support::route::common;
use crate::support::{endpoint, fresh_database, run, text, value};

#[tokio::test]
async fn a_session_takes_its_share_and_keeps_what_is_refused() {
    for major in [12, 18] {
        let url = fresh_database(major, "tuned").await;
        let session = endpoint(&url).session(Purpose::Build).await.unwrap();
        let capacity = Capacity::read(&session).await.unwrap();
        let shown = async |name: &str| {
            let sql = format!("SELECT setting::int8 FROM pg_settings WHERE name = '{name}'");
            let row = session.query_one(&text(&sql), &[]).await.unwrap();
            u64::try_from(row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(capacity.shared_buffers, shown("shared_buffers").await * 8);
        assert_eq!(
            capacity.maintenance_work_mem,
            shown("maintenance_work_mem").await
        );
        assert_eq!(
            capacity.max_worker_processes,
            shown("max_worker_processes").await
        );
        let tuning = Tuning {
            maintenance_work_mem: 123_456,
            workers: 3,
        };
        tuning.apply(&session).await.unwrap();
        // No server takes that much.
        let refused = Tuning {
            maintenance_work_mem: u64::MAX,
            workers: 5,
        };
        refused.apply(&session).await.unwrap();
        assert_eq!(shown("maintenance_work_mem").await, 123_456);
        assert_eq!(shown("max_parallel_maintenance_workers").await, 5);
    }
}

/// What LZ4 becomes on a server: some are built without.
async fn lz4_on(url: &str) -> String {
    let sql = "SELECT coalesce(max(CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE setting END), 'none') \
                 FROM pg_settings WHERE name = 'default_toast_compression'";
    value(url, sql).await
}

#[tokio::test]
async fn sessions_that_write_rows_compress_as_asked_where_the_server_can() {
    let current =
        text("SELECT coalesce(current_setting('default_toast_compression', true), 'none')");
    for major in [13, 14, 15, 18] {
        let url = fresh_database(major, "toast").await;
        let lz4 = lz4_on(&url).await;
        let own = if major < 14 { "none" } else { "pglz" };
        for (toast, purpose, expected) in [
            (ToastCompression::Lz4, Purpose::CopyIn, lz4.as_str()),
            (ToastCompression::Lz4, Purpose::Build, lz4.as_str()),
            (ToastCompression::Lz4, Purpose::Control, own),
            (ToastCompression::Pglz, Purpose::CopyIn, own),
            (ToastCompression::Keep, Purpose::CopyIn, own),
        ] {
            let endpoint = endpoint(&url).with_toast_compression(toast);
            let session = endpoint.session(purpose).await.unwrap();
            let rows = session.rows(&current).await.unwrap();
            assert_eq!(rows[0].get(0), Some(expected), "{major} {toast:?}");
        }
    }
}

#[tokio::test]
async fn large_values_are_compressed_as_asked_unless_their_column_says_otherwise() {
    let route = common();
    let lz4 = lz4_on(&route.target.url("postgres")).await;
    for (flags, expected) in [
        (&[][..], format!("{lz4} pglz")),
        (&["--toast-compression", "pglz"], "pglz pglz".to_owned()),
    ] {
        let name = route.fresh("toast").await;
        let make = "CREATE TABLE public.t (a text, b text COMPRESSION pglz); \
                    INSERT INTO public.t SELECT repeat('a', 9000), repeat('b', 9000)";
        run(&route.source.url(&name), make).await;
        route.init(&name, flags).run().expect(0);
        let methods =
            "SELECT pg_column_compression(a) || ' ' || pg_column_compression(b) FROM public.t";
        assert_eq!(value(&route.target.url(&name), methods).await, expected);
    }
}
