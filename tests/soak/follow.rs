//! An application writes from before `init` until after `sync`, between pairs of major versions; then every row is compared.
//! `SEREN_FOLLOW_RUNS` sets the number of runs (10), `SEREN_FOLLOW_SEED` the first seed (1), `SEREN_FOLLOW_ROUNDS` how many
//! transactions each writer commits in each phase (25).

use crate::support::follow::{Extent, follow};
use crate::support::number;
use crate::support::route::Route;

/// Major versions of source and target, in turns.
const PAIRS: [[u32; 2]; 5] = [[12, 12], [14, 17], [17, 17], [15, 18], [18, 18]];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_writes_from_before_init_until_after_sync() {
    let (count, first) = (
        number("SEREN_FOLLOW_RUNS", 10),
        number("SEREN_FOLLOW_SEED", 1),
    );
    let rounds = usize::try_from(number("SEREN_FOLLOW_ROUNDS", 25)).unwrap();
    println!("{count} runs from seed {first}");
    for (seed, majors) in (first..first + count).zip(PAIRS.into_iter().cycle()) {
        let route = Route::of_majors(majors);
        let followed = follow(&route, seed, Extent { rounds }).await;
        println!(
            "seed {seed}, {majors:?}: {} transactions, {} differences, verify {}",
            followed.transactions,
            followed.differences.len(),
            followed.verified.code
        );
        assert!(
            followed.differences.is_empty(),
            "SEREN_FOLLOW_SEED={seed} {majors:?}: {}",
            followed.differences.join("\n")
        );
        followed.verified.expect(0);
    }
}
