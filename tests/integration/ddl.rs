//! Schemas: source, our script, target. `pg_dump` 18 reads both and must see no difference; and the
//! target, read again, must give the same script.

use crate::support::database;
use crate::support::schema::{differing, families, read};

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

// All pairs of versions: within a major, and to each newer one.
every_family_arrives! {
    every_family_arrives_within_12: 12 to [12],
    every_family_arrives_within_13: 13 to [13],
    every_family_arrives_within_14: 14 to [14],
    every_family_arrives_within_15: 15 to [15],
    every_family_arrives_within_16: 16 to [16],
    every_family_arrives_within_17: 17 to [17],
    every_family_arrives_within_18: 18 to [18],
    what_12_holds_arrives_on_newer_majors: 12 to 13..=18,
    what_13_holds_arrives_on_newer_majors: 13 to 14..=18,
    what_14_holds_arrives_on_newer_majors: 14 to 15..=18,
    what_15_holds_arrives_on_newer_majors: 15 to 16..=18,
    what_16_holds_arrives_on_newer_majors: 16 to 17..=18,
    what_17_holds_arrives_on_newer_majors: 17 to [18],
}

#[tokio::test]
async fn the_same_catalog_gives_the_same_script() {
    for family in families() {
        let session = database(&family.make(17).await).await;
        let (_, one) = read(&session, &session).await;
        let (_, other) = read(&session, &session).await;
        assert_eq!(one, other, "{}", family.name);
    }
}
