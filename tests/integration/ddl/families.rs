//! Schemas: source, our script, target. `pg_dump` 18 reads both and must find no difference; the target, read again, must
//! give the same script.

use crate::support::database;
use crate::support::schema::{Downgrade, differing, downgraded, merged_families, read};

async fn arrives(majors: [u32; 2]) {
    let wrong = differing(majors).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

macro_rules! every_family_arrives {
    ($($test:ident: $from:literal to $to:expr,)+) => {$(
        #[tokio::test]
        async fn $test() {
            for to in $to {
                arrives([$from, to]).await;
            }
        }
    )+};
}

// Within each major; from the oldest to each, and from each to the newest. The pairs between are in tests/soak/pairs.rs.
every_family_arrives! {
    every_family_arrives_within_12: 12 to [12],
    every_family_arrives_within_13: 13 to [13],
    every_family_arrives_within_14: 14 to [14],
    every_family_arrives_within_15: 15 to [15],
    every_family_arrives_within_16: 16 to [16],
    every_family_arrives_within_17: 17 to [17],
    every_family_arrives_within_18: 18 to [18],
    what_12_holds_arrives_on_newer_majors: 12 to 13..=18,
    what_13_holds_arrives_on_18: 13 to [18],
    what_14_holds_arrives_on_18: 14 to [18],
    what_15_holds_arrives_on_18: 15 to [18],
    what_16_holds_arrives_on_18: 16 to [18],
    what_17_holds_arrives_on_18: 17 to [18],
}

#[tokio::test]
async fn the_same_catalog_gives_the_same_script() {
    for family in merged_families() {
        let session = database(&family.source(17).await.url).await;
        let (_, one) = read(&session, &session).await;
        let (_, other) = read(&session, &session).await;
        assert_eq!(one, other, "{}", family.name);
    }
}

/// The families whose refusal is expected, by the names of what they hold.
fn refused(downgrade: &Downgrade) -> Vec<&str> {
    let families = downgrade.refused.iter();
    families
        .map(|line| line.split(':').next().unwrap())
        .collect()
}

#[tokio::test]
async fn a_target_of_15_gets_what_it_knows_of_18_and_the_rest_is_told() {
    let downgrade = downgraded([18, 15]).await;
    assert_eq!(refused(&downgrade), ["collations", "exclusion"]);
    assert_eq!(downgrade.failed, Vec::<String>::new());
    for line in [
        "column b on c.computed: changed for an older target: it is computed when rows are written",
        "constraint no_check on c.enforced: skipped, the target does not support NOT ENFORCED constraints",
        "event trigger logs_in: skipped, the target does not support login triggers",
        "column c on inh.named: changed for an older target: its NOT VALID not-null constraint",
        "table S l.parted: skipped, the target does not support access methods of partitioned tables",
        "privileges on g.t: the target has no privilege MAINTAIN",
        "publication with_generated: skipped",
        "constraint offer_price on public.offer: skipped, the target does not support WITHOUT OVERLAPS and PERIOD constraints",
    ] {
        assert!(
            downgrade.told.iter().any(|told| told.starts_with(line)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_target_of_14_gets_what_it_knows_of_17_and_the_rest_is_told() {
    let downgrade = downgraded([17, 14]).await;
    let expected = ["collations", "constraints", "exclusion", "views"];
    assert_eq!(refused(&downgrade), expected);
    assert_eq!(downgrade.failed, Vec::<String>::new());
    for line in [
        "publication some_rows: skipped, the target does not support row filters, column lists and FOR TABLES IN SCHEMA of publications",
        "sequence s.not_logged: changed for an older target: it is created without UNLOGGED",
    ] {
        assert!(downgrade.told.iter().any(|told| told == line), "{line}");
    }
}

#[tokio::test]
async fn a_target_of_12_gets_what_it_knows_of_16_and_the_rest_is_told() {
    let downgrade = downgraded([16, 12]).await;
    let expected = [
        "collations",
        "constraints",
        "loops",
        "routines",
        "types",
        "views",
    ];
    assert_eq!(refused(&downgrade), expected);
    assert!(downgrade.told.iter().any(|told| told
        == "statistics p.st: skipped, the target does not support statistics of expressions"));
    // No catalog of one server lists the built-in functions of another.
    let unknown = |line: &&String| !line.starts_with("base_types: ");
    let failed: Vec<_> = downgrade.failed.iter().filter(unknown).collect();
    assert_eq!(failed, Vec::<&String>::new());
}
