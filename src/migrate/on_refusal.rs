//! What becomes of a copied database when the target has refused objects that may be missing.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::snapshot::Refused;

/// What becomes of a copied database when the target has refused optional objects. Where one is required, or no row was
/// copied yet, a database that the run has created is removed.
#[derive(Clone, Debug, Default)]
pub enum OnRefusal {
    /// It is kept without them, and the run continues.
    Skip,
    /// It is kept without them, and the run fails.
    #[default]
    Keep,
    /// The user decides: it is kept and the run continues, or it is removed and the run fails.
    Ask(mpsc::Sender<RefusalQuestion>),
}

/// Asks whether a copied database is kept without what the target has refused.
#[derive(Debug)]
pub struct RefusalQuestion {
    /// The source's database.
    pub database: String,
    /// What is missing.
    pub refused: Arc<Refused>,
    /// Where the answer is expected; without one, the database is kept.
    pub keep: oneshot::Sender<bool>,
}

impl OnRefusal {
    /// Whether the run continues without optional objects, also before any row is copied.
    pub const fn is_skip(&self) -> bool {
        matches!(self, Self::Skip)
    }

    /// Whether the run fails after it has kept a database.
    pub(super) const fn fails(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Whether a database is kept without these objects. May wait for the user, until the run is stopped.
    pub(super) async fn keeps(
        &self,
        database: &str,
        refused: &Arc<Refused>,
        stop: &CancellationToken,
    ) -> bool {
        let Self::Ask(user) = self else {
            return true;
        };
        let (keep, answer) = oneshot::channel();
        let question = RefusalQuestion {
            database: database.to_owned(),
            refused: Arc::clone(refused),
            keep,
        };
        if user.send(question).await.is_err() {
            return true;
        }
        tokio::select! {
            answer = answer => answer.unwrap_or(true),
            // A slot or a lock is lost: there is nothing to wait for.
            () = stop.cancelled() => true,
        }
    }
}
