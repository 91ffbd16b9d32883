//! The scenes: the writer commits orders from before the checks until the last comparison.

use std::time::Duration;

use super::books::{Books, ROWS_PER_ORDER};
use super::objects::count_objects;
use super::phases::Servers;
use super::shop::{self, Shop, Writer};
use super::stage::{Proof, Stage};
use super::{DATABASE, Error};
use crate::cluster::Level;
use crate::status::{LagTime, Observation, Verdict};
use crate::task::Scope;
use crate::verify;

/// Orders that are to be committed between the copy and the start of the replication.
const BETWEEN: u64 = 20;

/// How often `status` must find that the target has caught up.
const CAUGHT_UP: u64 = 3;

/// How often it looks at most.
const LOOKS: u64 = 30;

/// The time between two observations.
const PAUSE: Duration = Duration::from_millis(200);

/// Plays all scenes.
///
/// # Errors
/// A phase cannot be run at all, or the scope was stopped.
pub(super) async fn play_scenes(
    stage: &mut Stage<'_>,
    servers: &Servers,
    scope: &Scope,
) -> Result<(), Error> {
    let shop = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(Error::Stopped),
        shop = Shop::open(&servers.source, DATABASE) => shop?,
    };
    stage.show_step("fill", Proof::new(true, shop.describe().await?, []));
    let writer = Writer::start(&servers.source.with_database(DATABASE)).await?;
    stage.show_step("validate", prove_checks(servers, scope).await?);
    stage.show_step("init", prove_copy(servers, &writer, scope).await?);
    let copied = Books::read(&servers.target.with_database(DATABASE)).await?;
    stage.show_step("books", prove_point(servers, &copied).await?);
    stage.show_step("sync", prove_start(servers, &writer, &copied, scope).await?);
    stage.show_step("status", prove_lag(servers, &writer, scope).await?);
    let total = writer.stop().await?;
    stage.show_step("sync again", prove_end(servers, total, scope).await?);
    stage.show_step("exactly once", prove_each_order(servers, total).await?);
    stage.show_step("verify", prove_equality(servers, scope).await?);
    stage.show_step("verify notices", prove_notice(servers, scope).await?);
    stage.show_step("teardown", prove_removal(servers).await?);
    Ok(())
}

/// Checks both servers. Nothing may be written.
async fn prove_checks(servers: &Servers, scope: &Scope) -> Result<Proof, Error> {
    let prepared = servers.check(scope).await?;
    let findings = prepared.findings.len() as u64;
    let tables: usize = prepared.databases.iter().map(|one| one.tables).sum();
    let has = |level| prepared.findings.iter().any(|one| one.level == level);
    let objects = count_objects(&servers.source, &servers.target).await?;
    let worst = match has(Level::Warning) {
        true => "none an error",
        false => "none an error or a warning",
    };
    let shown = format!(
        "{findings} findings, {worst}; {tables} tables can be copied and replicated; nothing was written"
    );
    let numbers = [("findings", findings), ("tables", tables as u64)];
    Ok(Proof::new(objects == 0 && tables > 0, shown, numbers))
}

/// Copies while the writer continues.
async fn prove_copy(servers: &Servers, writer: &Writer, scope: &Scope) -> Result<Proof, Error> {
    let before = writer.committed();
    let copied = servers.copy(scope).await?;
    let orders = writer.committed() - before;
    let written = orders * ROWS_PER_ORDER;
    let large_objects = match copied.large_objects {
        1 => "a large object".to_owned(),
        count => format!("{count} large objects"),
    };
    let shown = format!(
        "{} rows of {} tables, {} definitions, {} sequences and {large_objects} were copied while the writer \
         committed {orders} orders, {written} rows",
        copied.rows(),
        copied.tables.len(),
        copied.statements,
        copied.sequences,
    );
    let numbers = [
        ("copied_rows", copied.rows()),
        ("orders_during_copy", orders),
        ("rows_during_copy", written),
    ];
    Ok(Proof::new(orders > 0, shown, numbers))
}

/// Whether the target has the writer's books up to one moment, and nothing after it.
async fn prove_point(servers: &Servers, copied: &Books) -> Result<Proof, Error> {
    let source = Books::read(&servers.source.with_database(DATABASE)).await?;
    let wrong = copied.wrong();
    let proved = wrong.is_none() && source.entries > copied.entries;
    let shown = wrong.unwrap_or_else(|| {
        format!(
            "the copy has orders 1 to {}: none missing, none twice, every ledger entry balanced, no trigger fired; the \
             source has continued to {}",
            copied.entries, source.entries
        )
    });
    let numbers = [
        ("orders_on_target", copied.orders()),
        ("orders_on_source", source.orders()),
    ];
    Ok(Proof::new(proved, shown, numbers))
}

/// Starts the replication while the writer continues.
async fn prove_start(
    servers: &Servers,
    writer: &Writer,
    copied: &Books,
    scope: &Scope,
) -> Result<Proof, Error> {
    writer.wait_for(copied.orders() + BETWEEN, scope).await?;
    let before = writer.committed();
    let between = before.saturating_sub(copied.orders());
    let synced = servers.synchronize(scope).await?;
    let during = writer.committed() - before;
    let lag = match synced.lag.time {
        LagTime::Within(lag) => lag,
        LagTime::Exceeds(limit) => limit,
        LagTime::Unknown => return Err(Error::NothingReplicated),
    };
    let shown = format!(
        "subscription {} replicates {} tables from the end of the copy; {between} orders were committed between the copy \
         and the start; the target had caught up after {} ms and {during} orders, with a lag of {} ms",
        synced.subscription,
        synced.tables,
        synced.elapsed.as_millis(),
        lag.as_millis(),
    );
    let numbers = [
        ("orders_between_copy_and_sync", between),
        ("orders_during_sync", during),
        ("replicated_tables", synced.tables as u64),
        ("lag_ms", milliseconds(lag)),
    ];
    let proved = between >= BETWEEN && during > 0 && !synced.changes.is_empty();
    Ok(Proof::new(proved, shown, numbers))
}

/// Observes the replication while the writer continues.
async fn prove_lag(servers: &Servers, writer: &Writer, scope: &Scope) -> Result<Proof, Error> {
    let before = writer.committed();
    let mut watcher = servers.watch().await?;
    let (mut caught_up, mut looks) = (0, 0);
    let mut longest = Duration::ZERO;
    let mut retained = 0;
    while caught_up < CAUGHT_UP && looks < LOOKS {
        pause(scope).await?;
        let report = watcher.observe(scope).await?;
        looks += 1;
        let seen = report.databases.first().and_then(|one| one.observation());
        let Some((seen, lag)) = seen.and_then(|seen| Some((seen, caught_up_lag(seen)?))) else {
            continue;
        };
        caught_up += 1;
        longest = longest.max(lag);
        let slot = seen.source.slot.as_ref();
        retained = retained.max(slot.and_then(|slot| slot.retained).unwrap_or_default());
    }
    let orders = writer.committed() - before;
    let shown = format!(
        "{caught_up} of {looks} observations: {}, lag at most {} ms while the writer committed {orders} orders; the slot \
         retained at most {retained} bytes of WAL",
        Verdict::CaughtUp.name(),
        longest.as_millis(),
    );
    let numbers = [
        ("observations", looks),
        ("caught_up", caught_up),
        ("orders_during_status", orders),
        ("lag_ms", milliseconds(longest)),
        ("retained_bytes", retained),
    ];
    let proved = caught_up == CAUGHT_UP && orders > 0;
    Ok(Proof::new(proved, shown, numbers))
}

/// The lag of a target that has caught up.
fn caught_up_lag(seen: &Observation) -> Option<Duration> {
    match seen.lag.time {
        LagTime::Within(lag) if seen.verdict == Verdict::CaughtUp => Some(lag),
        LagTime::Within(_) | LagTime::Exceeds(_) | LagTime::Unknown => None,
    }
}

/// Repeats `sync` after the writer has stopped: it changes nothing, and waits for the last order.
async fn prove_end(servers: &Servers, total: u64, scope: &Scope) -> Result<Proof, Error> {
    let synced = servers.synchronize(scope).await?;
    let proved = synced.changes.is_empty();
    let shown = match proved {
        true => format!(
            "the writer has stopped after {total} orders: rows that change would differ in the comparison; a repeated \
             sync changed nothing, and the target had caught up after {} ms",
            synced.elapsed.as_millis()
        ),
        false => format!("a repeated sync changed: {}", synced.changes.join("; ")),
    };
    let numbers = [
        ("orders", total),
        ("milliseconds", milliseconds(synced.elapsed)),
    ];
    Ok(Proof::new(proved, shown, numbers))
}

/// Counts every order of the writer on the target, by its number.
async fn prove_each_order(servers: &Servers, total: u64) -> Result<Proof, Error> {
    let target = Books::read(&servers.target.with_database(DATABASE)).await?;
    let source = Books::read(&servers.source.with_database(DATABASE)).await?;
    let wrong = target.wrong().or_else(|| {
        let counts = [source.orders(), target.orders()];
        let differ = counts != [total, total];
        differ.then(|| format!("{total} orders were committed; source and target have {counts:?}"))
    });
    let proved = wrong.is_none();
    let rows = total * ROWS_PER_ORDER;
    let shown = wrong.unwrap_or_else(|| {
        format!(
            "all {total} orders of the writer, {rows} rows, are on the target exactly once, counted by number: none lost, \
             none twice"
        )
    });
    let numbers = [
        ("orders_on_source", source.orders()),
        ("orders_on_target", target.orders()),
        ("rows", rows),
    ];
    Ok(Proof::new(proved, shown, numbers))
}

/// Compares every row of both servers.
async fn prove_equality(servers: &Servers, scope: &Scope) -> Result<Proof, Error> {
    let report = servers.compare(scope).await?;
    let totals = report.totals();
    let proved = verify::exit_code(&report) == 0;
    let shown = match proved {
        true => format!(
            "source and target contain the same {} rows, by digest of {} tables",
            totals.rows, totals.tables
        ),
        false => "source and target differ".to_owned(),
    };
    let numbers = [("rows", totals.rows), ("tables", totals.tables as u64)];
    Ok(Proof::new(proved, shown, numbers))
}

/// Compares again after one value was changed on the target.
async fn prove_notice(servers: &Servers, scope: &Scope) -> Result<Proof, Error> {
    shop::change_one_cell(&servers.target.with_database(DATABASE)).await?;
    let noticed = verify::exit_code(&servers.compare(scope).await?) == 1;
    let shown = match noticed {
        true => "one price changed on the target, and verify reports the difference",
        false => "one price changed on the target, and verify did not notice",
    };
    Ok(Proof::new(noticed, shown.to_owned(), []))
}

/// Removes everything that the run has created, and looks on both servers.
async fn prove_removal(servers: &Servers) -> Result<Proof, Error> {
    let removed = servers.tear_down().await?;
    let remaining = count_objects(&servers.source, &servers.target).await?;
    let shown = match remaining {
        0 => format!("{} were removed; nothing remains", removed.join(", ")),
        count => format!("{count} replication objects remain"),
    };
    let numbers = [
        ("removed", removed.len() as u64),
        ("remaining", u64::try_from(remaining).unwrap_or_default()),
    ];
    let proved = remaining == 0 && removed.len() == 3;
    Ok(Proof::new(proved, shown, numbers))
}

async fn pause(scope: &Scope) -> Result<(), Error> {
    tokio::select! {
        biased;
        () = scope.stop.cancelled() => Err(Error::Stopped),
        () = tokio::time::sleep(PAUSE) => Ok(()),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
