//! `status --watch`: observes again and again, for the monitor and the web server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Error, exit};
use crate::connect::Secret;
use crate::replicate::{describe_given_up, give_up_slot};
use crate::serve::{Content, Server};
use crate::status::{Options, Report, Watcher};
use crate::task::Scope;
use crate::ui::Ui;
use crate::ui::monitor::Settings;

/// The token that clients of the web server need.
const TOKEN_VARIABLE: &str = "SEREN_STATUS_TOKEN";

/// How a replication is watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watching {
    /// The time between two observations.
    pub(super) interval: Duration,
    /// Where the web server listens, if there is one.
    pub(super) listen: Option<SocketAddr>,
    /// Whether slots are dropped that retain too much WAL.
    pub(super) drops_slots: bool,
}

/// Watches until the user quits or a signal comes: that is its usual end.
///
/// # Errors
/// The web server cannot be started, or the terminal is broken.
pub(super) async fn watch_replication(
    options: &Options,
    watching: Watching,
    ui: &Ui,
    scope: &Scope,
) -> Result<u8, Error> {
    let (sender, reports) = watch::channel(None);
    let server = match watching.listen {
        Some(address) => Some(listen(address, ui).await?),
        None => None,
    };
    let content = Content {
        reports: reports.clone(),
        setting_name: ui.setting_name(),
    };
    let serving = async {
        match server {
            Some(server) => server.run(content, scope).await,
            None => std::future::pending().await,
        }
    };
    let settings = Settings {
        interval: watching.interval,
        wal_budget: options.max_retained_wal,
    };
    let showing = ui.watch(reports, settings, &scope.stop);
    tokio::select! {
        biased;
        shown = Box::pin(showing) => shown?,
        () = Box::pin(observe(options, watching, &sender, ui, scope)) => {}
        () = Box::pin(serving) => {}
    }
    Ok(exit::DONE)
}

async fn listen(address: SocketAddr, ui: &Ui) -> Result<Server, Error> {
    let token = std::env::var(TOKEN_VARIABLE).ok();
    let token = token.filter(|token| !token.is_empty()).map(Secret::new);
    let server = Server::bind(address, token).await?;
    ui.screen()
        .line(&format!("status page: http://{}/", server.address()));
    Ok(server)
}

/// Observes until a stop. The time between two observations begins with the first of them.
async fn observe(
    options: &Options,
    watching: Watching,
    sender: &watch::Sender<Option<Arc<Report>>>,
    ui: &Ui,
    scope: &Scope,
) {
    let mut watcher = Watcher::new(options);
    let mut ticks = tokio::time::interval(watching.interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = scope.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let Ok(report) = watcher.observe(scope).await else {
            return;
        };
        let report = Arc::new(report);
        if watching.drops_slots {
            drop_slots(options, &report, ui).await;
        }
        sender.send_replace(Some(report));
    }
}

/// Drops the slots that retain more WAL than is allowed.
async fn drop_slots(options: &Options, report: &Report, ui: &Ui) {
    let Some(limit) = options.max_retained_wal else {
        return;
    };
    for (database, status) in options.databases.iter().zip(&report.databases) {
        let slot = status
            .observation()
            .and_then(|seen| seen.source.slot.as_ref());
        let retained = slot.and_then(|slot| slot.retained);
        if retained.is_none_or(|bytes| bytes <= limit) {
            continue;
        }
        let dropped = give_up_slot(&options.servers.source, database, limit).await;
        match (dropped, &database.names.slot) {
            (Ok(Some(retained)), Some(slot)) => ui.warn(&describe_given_up(slot, retained, limit)),
            (Ok(_), _) => {}
            (Err(error), _) => ui.warn(&format!("the slot of {} stays: {error}", database.source)),
        }
    }
}
