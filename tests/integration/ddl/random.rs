//! Random schemas: the copy gives the same script again, and `pg_dump` finds no difference. `SEREN_RANDOM_SECONDS` (10)
//! and `SEREN_RANDOM_SEED` (1) set the time and the first seed.

use std::time::{Duration, Instant};

use seren_replicator::connect::Purpose;

use crate::support::random::schema;
use crate::support::schema::copy;
use crate::support::{endpoint, fresh_database, number, oracle, text};

/// Makes what the server accepts of a random schema, which must be most of it; its URL.
async fn make(major: u32, seed: u64) -> String {
    let url = fresh_database(major, "random").await;
    let session = endpoint(&url).session(Purpose::Build).await.unwrap();
    let statements = schema(seed);
    let mut refused = 0;
    for statement in &statements {
        if session.batch(&text(statement)).await.is_err() {
            refused += 1;
        }
    }
    let wanted = statements.len();
    assert!(
        refused * 2 < wanted,
        "seed {seed} on {major}: {refused} of {wanted} refused"
    );
    url
}

#[tokio::test]
async fn any_schema_arrives_as_it_is() {
    let begun = Instant::now();
    let budget = Duration::from_secs(number("SEREN_RANDOM_SECONDS", 10));
    let first = number("SEREN_RANDOM_SEED", 1);
    let mut seed = first;
    while begun.elapsed() < budget {
        for major in [12, 15, 18] {
            let source = make(major, seed).await;
            let target = copy(&format!("seed {seed}"), &source, [major, major]).await;
            let differing =
                tokio::task::spawn_blocking(move || oracle::schema_diff(&source, &target));
            let differing = differing.await.unwrap().join("\n");
            assert!(differing.is_empty(), "seed {seed} on {major}:\n{differing}");
        }
        seed += 1;
    }
    println!("seeds {first} to {}", seed - 1);
    assert!(seed > first);
}
