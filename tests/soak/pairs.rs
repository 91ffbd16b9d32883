//! Definitions between the majors that `cargo test` does not include: from each of 13 to 16 to each newer one below 18.

use crate::support::schema::differing;

#[tokio::test]
async fn every_family_arrives_between_the_majors_in_the_middle() {
    let mut wrong = Vec::new();
    for from in 13..=16 {
        for to in from + 1..=17 {
            wrong.extend(differing([from, to]).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
