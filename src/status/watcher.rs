//! The observation of all databases, side by side, once or again and again.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::Error;
use super::options::Options;
use super::probe::Probe;
use super::report::{DatabaseStatus, Report};
use crate::task::{Group, Scope};

/// How many databases are observed at the same time.
const AT_ONCE: usize = 16;

/// Observes databases. Its sessions stay open between two observations.
#[derive(Debug)]
pub struct Watcher {
    probes: Vec<Probe>,
}

impl Watcher {
    /// Prepares the observation; nothing is connected to.
    pub fn new(options: &Options) -> Self {
        let probes = options.databases.iter();
        Self {
            probes: probes.map(|one| Probe::new(one, options)).collect(),
        }
    }

    /// Observes all databases. A database whose servers cannot be asked is part of the report.
    ///
    /// # Errors
    /// The scope was stopped.
    pub async fn observe(&mut self, scope: &Scope) -> Result<Report, Error> {
        let mut databases = Vec::new();
        let mut waiting = std::mem::take(&mut self.probes).into_iter();
        loop {
            let batch: Vec<Probe> = waiting.by_ref().take(AT_ONCE).collect();
            if batch.is_empty() {
                break;
            }
            let (probes, statuses) = observe_batch(batch, scope).await?;
            self.probes.extend(probes);
            databases.extend(statuses);
        }
        Ok(Report {
            at: Timestamp::now(),
            databases,
        })
    }
}

/// Observes databases side by side; their probes and statuses in the same order.
async fn observe_batch(
    batch: Vec<Probe>,
    scope: &Scope,
) -> Result<(Vec<Probe>, Vec<DatabaseStatus>), Error> {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let mut group = Group::new(scope);
    for (place, mut probe) in batch.into_iter().enumerate() {
        let (observed, scope) = (Arc::clone(&observed), group.scope().clone());
        group.spawn(async move {
            let status = probe.observe(&scope).await?;
            let mut observed = observed.lock().unwrap_or_else(PoisonError::into_inner);
            observed.push((place, probe, status));
            Ok::<(), Error>(())
        });
    }
    group.join().await?;
    let mut observed =
        std::mem::take(&mut *observed.lock().unwrap_or_else(PoisonError::into_inner));
    observed.sort_by_key(|(place, _, _)| *place);
    let observed = observed.into_iter();
    Ok(observed.map(|(_, probe, status)| (probe, status)).unzip())
}
