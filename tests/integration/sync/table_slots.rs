//! Slots that the target's server creates for the initial copies of single tables.

use super::{Copied, TABLE};
use crate::support::route::shared;
use crate::support::{database, value, wait_for};

/// The slots of unfinished table copies.
const COPIES: &str = "SELECT count(*) FROM pg_replication_slots
     WHERE database = current_database() AND slot_name ~ '^pg_[0-9]+_sync_'";

/// A replication to which a table was added that the target cannot copy, and whose target no longer reaches the source.
async fn stuck(major: u32) -> Copied<'static> {
    let copied = Copied::synced(shared([major, major]), "table_slots", TABLE).await;
    copied
        .on_source(
            "CREATE TABLE public.added (id int PRIMARY KEY);
             INSERT INTO public.added VALUES (1);
             ALTER PUBLICATION seren_replication_pub ADD TABLE public.added",
        )
        .await;
    copied
        .on_target("CREATE TABLE public.added (id int PRIMARY KEY CHECK (id < 0))")
        .await;
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub REFRESH PUBLICATION")
        .await;
    let source = database(&copied.source()).await;
    let exists = format!("SELECT ({COPIES}) = 1");
    wait_for(&source, &exists).await;
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub CONNECTION 'host=/nowhere'")
        .await;
    let idle =
        "SELECT bool_and(NOT active) FROM pg_replication_slots WHERE database = current_database()";
    wait_for(&source, idle).await;
    wait_for(&source, &exists).await;
    copied
}

#[tokio::test]
async fn teardown_drops_the_slots_of_unfinished_table_copies_and_no_others() {
    for major in [14, 17] {
        let copied = stuck(major).await;
        let source = copied.source();
        let name = "SELECT slot_name FROM pg_replication_slots
             WHERE database = current_database() AND slot_name ~ '^pg_'";
        let slot = value(&source, name).await;
        // One of another cluster, and one of another subscription.
        let others = [format!("{slot}0"), slot.replacen("pg_", "pg_9", 1)];
        for other in &others {
            let create =
                format!("SELECT pg_create_logical_replication_slot('{other}', 'pgoutput')");
            copied.on_source(&create).await;
        }
        let planned = copied.command("teardown", &["--dry-run"]).expect(0);
        let listed = format!("replication slot {slot}\n");
        assert!(planned.stdout.contains(&listed), "{}", planned.stdout);
        copied.command("teardown", &["--yes"]).expect(0);
        let left = "SELECT string_agg(slot_name, ' ' ORDER BY length(slot_name), slot_name DESC)
             FROM pg_replication_slots WHERE database = current_database()";
        let left = value(&source, left).await;
        let mut left: Vec<&str> = left.split(' ').collect();
        left.sort_unstable();
        let mut expected: Vec<&str> = others.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(left, expected, "{major}");
        for other in &others {
            let drop = format!("SELECT pg_drop_replication_slot('{other}')");
            copied.on_source(&drop).await;
        }
    }
}
