//! How long sessions of the application wait for ours.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use seren_replicator::task::Background;

use super::application::NAME;
use crate::support::{database, text};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// Sessions of the application that wait for a lock, directly or behind others, because of ours.
const WAITING: &str = "
WITH RECURSIVE chain (pid, blocker) AS (
  SELECT a.pid, b FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) b
   WHERE a.application_name = '{name}' AND a.wait_event_type = 'Lock'
  UNION SELECT c.pid, b FROM chain c, unnest(pg_blocking_pids(c.blocker)) b)
SELECT DISTINCT a.pid, a.query_start::text, left(a.query, 150), left(o.query, 150)
  FROM chain c JOIN pg_stat_activity a ON a.pid = c.pid JOIN pg_stat_activity o ON o.pid = c.blocker
 WHERE o.application_name LIKE 'postgres-seren-replicator%'";

/// The longest wait that was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Longest {
    pub(super) wait: Duration,
    /// Who waited for what.
    pub(super) what: String,
}

/// Watches the application until it is asked to stop.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    task: Background<Longest>,
}

impl Watch {
    pub(super) fn start(url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let task = Background::spawn(watch(url.to_owned(), Arc::clone(&stop)));
        Self { stop, task }
    }

    pub(super) async fn stop(self) -> Longest {
        self.stop.store(true, Ordering::Relaxed);
        self.task.join().await
    }
}

async fn watch(url: String, stop: Arc<AtomicBool>) -> Longest {
    let session = database(&format!("{url}?application_name=beside-watch")).await;
    let question = text(&WAITING.replace("{name}", NAME));
    let mut since: HashMap<(String, String), Instant> = HashMap::new();
    let mut longest = Longest::default();
    while !stop.load(Ordering::Relaxed) {
        let rows = session.rows(&question).await.unwrap();
        let mut now = HashMap::new();
        for row in &rows {
            let field = |at: usize| row.get(at).unwrap_or_default().to_owned();
            let key = (field(0), field(1));
            let begun = since.get(&key).copied().unwrap_or_else(Instant::now);
            if begun.elapsed() > longest.wait {
                longest.wait = begun.elapsed();
                longest.what = format!("{} waits for {}", field(2), field(3));
            }
            now.insert(key, begun);
        }
        since = now;
        tokio::time::sleep(LOOK).await;
    }
    longest
}
