//! Tests wait on conditions, with a deadline that only a hang reaches. Nothing else in the tests sleeps to wait.

use std::fmt::Display;
use std::panic::Location;
use std::time::{Duration, Instant};

use seren_replicator::connect::Session;

use super::text;

/// How long a condition may take to become true. Far more than any takes, also on a loaded machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(240);

/// The time between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(20);

/// What is waited for, by whom and since when.
struct Wait<W> {
    what: W,
    caller: &'static Location<'static>,
    begun: Instant,
}

impl<W: Display> Wait<W> {
    #[track_caller]
    fn begin(what: W) -> Self {
        Self {
            what,
            caller: Location::caller(),
            begun: Instant::now(),
        }
    }

    /// Fails the test after the deadline.
    fn check_deadline(&self) {
        let Self { what, caller, .. } = self;
        assert!(
            self.begun.elapsed() < DEADLINE,
            "{caller}: not within {DEADLINE:?}: {what}"
        );
    }
}

/// Waits in this thread until a condition gives a value.
#[track_caller]
pub(crate) fn wait_until<T>(what: impl Display, mut condition: impl FnMut() -> Option<T>) -> T {
    let wait = Wait::begin(what);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        wait.check_deadline();
        std::thread::sleep(PAUSE);
    }
}

/// Waits until an asynchronous condition is true.
#[track_caller]
pub(crate) fn wait_until_true(
    what: impl Display,
    mut condition: impl AsyncFnMut() -> bool,
) -> impl Future<Output = ()> {
    let wait = Wait::begin(what);
    async move {
        while !condition().await {
            wait.check_deadline();
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Waits until a server answers a question with true.
#[track_caller]
pub(crate) fn wait_for(session: &Session, question: &str) -> impl Future<Output = ()> {
    let sql = text(question);
    wait_until_true(question.to_owned(), async move || {
        let row = session.query_one(&sql, &[]).await.unwrap();
        row.get::<_, bool>(0)
    })
}
