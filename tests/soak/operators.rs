//! Operators that definitions find by the search path, on every major.

use crate::support::operators::{Copied, DEFINITIONS, assert_meaning, copied};

#[tokio::test]
async fn definitions_keep_the_operators_of_extensions_on_every_major() {
    let to_newer = (12..18).map(|major| [major, major + 1]);
    for majors in to_newer.chain([[12, 18], [17, 17]]) {
        let Copied { urls, finished, .. } = copied(majors, DEFINITIONS).await;
        finished.expect(0);
        assert_meaning(&urls[1]).await;
    }
}
