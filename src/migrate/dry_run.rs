//! What a run would do, as SQL for `psql`: the same statements in the same order. Where the rows
//! would be copied is a comment.

use std::fmt::Write as _;

use super::Options;
use super::repeats::Repeats;
use crate::catalog::Catalog;
use crate::catalog::load::reading::{Reading, Sessions};
use crate::connect::locks::LockMode;
use crate::connect::{Endpoint, script_settings};
use crate::ddl::cluster::database::{DatabaseOptions, render_create, render_finish};
use crate::ddl::{self, Statement};
use crate::event::Phase;
use crate::migrate::error::Error;
use crate::migrate::execute::execution::build_copy_request;
use crate::migrate::execute::extensions;
use crate::migrate::planned::{PlannedDatabase, Prepared};
use crate::migrate::target_action::Fate;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Ident, Printable, ServerVersion, Side, Sql};
use crate::snapshot::{CopyJob, SnapshotSource, plan_rows};
use crate::sql;
use crate::task::Scope;
use crate::transfer::Ledger;

/// What our connections say of themselves when they start, and what keeps `psql` quiet.
const CLIENT: &str = "SET client_encoding = 'UTF8'; SET client_min_messages = warning";

/// The statements of a run. Reads the source, and writes nowhere.
///
/// # Errors
/// The source cannot be read, or its definitions have no order; or the scope was stopped.
///
/// # Panics
/// The findings of `prepared` refuse the run.
pub async fn render_dry_run(
    prepared: &Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<String, Error> {
    let cluster = prepared
        .cluster
        .as_ref()
        .expect("a plan without errors has read the roles");
    let assumption = cluster.assume();
    let mut script = String::from("-- What init would run. Secrets are not shown.\n");
    settings_of_session(&mut script, cluster.options.target.version);
    section(&mut script, "roles");
    for statement in &cluster.merge.statements {
        push_shown(&mut script, &statement.shown(), statement.is_secret);
    }
    for grant in &assumption.grants {
        push(&mut script, grant);
    }
    for planned in &prepared.databases {
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let one = Box::pin(database(&mut script, planned, cluster, options));
        tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            done = one => done?,
        }
    }
    if !assumption.revokes.is_empty() {
        section(&mut script, "roles");
    }
    for revoke in &assumption.revokes {
        push(&mut script, revoke);
    }
    Ok(script)
}

async fn database(
    script: &mut String,
    planned: &PlannedDatabase,
    cluster: &TargetCluster,
    options: &Options,
) -> Result<(), Error> {
    let name = planned.target();
    let wanted = DatabaseOptions {
        name,
        locale: options.cluster.locale.as_deref(),
        existing: planned.existing.as_ref(),
        script: &cluster.options,
    };
    section(script, &format!("database {name}"));
    if let SnapshotSource::Slot(slot) = &planned.point {
        let source = &planned.database.name;
        let publication = &options.replication.publication;
        let text = format!(
            "-- On the source publication {publication} is created in {source}, then replication slot {slot}."
        );
        line(script, &text);
    }
    match planned.fate {
        Fate::Keep { .. } => {
            line(script, "-- It is finished, and kept.");
            return Ok(());
        }
        Fate::Clear { .. } => line(script, "-- What is in it is removed."),
        Fate::Replace { .. } | Fate::Remake { .. } => {
            if planned.drops_template {
                push(
                    script,
                    &sql!("ALTER DATABASE {} WITH IS_TEMPLATE = false", name),
                );
            }
            push(script, &sql!("DROP DATABASE {}", name));
        }
        Fate::Create | Fate::Use => {}
    }
    if !planned.fate.uses_existing() {
        push(script, &render_create(&planned.database, wanted)?);
    }
    script.push_str(&connect(name));
    settings_of_session(script, cluster.options.target.version);
    let (definitions, rows) = definitions(planned, cluster, options).await?;
    section(script, &format!("database {name}: pre-data"));
    statements(script, &definitions, &definitions.pre_data);
    section(script, &format!("database {name}: data"));
    if rows.is_empty() {
        line(script, "-- No rows are copied.");
    } else {
        let tables = rows.len();
        line(
            script,
            &format!("-- Here the rows of {tables} tables are copied:"),
        );
    }
    for job in &rows {
        let job = job.to_string();
        line(script, &format!("-- {}", Printable(&job)));
    }
    section(script, &format!("database {name}: post-data"));
    statements(script, &definitions, &definitions.post_data);
    let finish = render_finish(&planned.database, wanted);
    section(script, &format!("database {name}: settings"));
    for statement in &finish.statements {
        push_shown(script, &statement.shown(), statement.is_secret);
    }
    Ok(())
}

/// What definitions are created under, as our own sessions are.
fn settings_of_session(script: &mut String, version: ServerVersion) {
    push(script, &Sql::fixed(CLIENT));
    push(script, &script_settings(version));
}

/// The script of a database, read under a snapshot of its own, and the copies of its rows.
async fn definitions(
    planned: &PlannedDatabase,
    cluster: &TargetCluster,
    options: &Options,
) -> Result<(ddl::Script, Vec<CopyJob>), Error> {
    let request = build_copy_request(planned, cluster, options, Ledger::none());
    let target = cluster.options.target.version;
    let (reading, mut catalog) = read(&request.source, target).await?;
    let place = |source| Error::Ddl {
        database: planned.name().to_owned(),
        source,
    };
    ddl::degrade(&mut catalog, &cluster.options).map_err(place)?;
    ddl::leave_out(&mut catalog, &cluster.options, &planned.choice);
    let mut wanted = cluster.options.clone();
    if planned.fate.uses_existing() {
        let schemas = extensions::load_schemas(&request.target).await;
        wanted.target.existing_schemas = schemas.map_err(Error::examine(Side::Target))?;
    }
    let script = ddl::script(&catalog, &wanted).map_err(place)?;
    let rows = plan_rows(reading.session(), &catalog, &request).await;
    let rows = rows.map_err(|source| Error::Copy {
        database: planned.name().to_owned(),
        phase: Phase::Data,
        removed: false,
        source: Box::new(source),
    })?;
    Ok((script, rows))
}

/// Reads the definitions; again, where others change or lock what is read.
async fn read(source: &Endpoint, target: ServerVersion) -> Result<(Reading, Catalog), Error> {
    let side = Side::Source;
    let place = format!("database {}", source.database());
    let what = format!("locks to read the definitions of {place}");
    let mut repeats = Repeats::new(source, LockMode::AccessShare, what);
    loop {
        let begun = Reading::begin_on(source, target, Sessions::One).await;
        let reading = begun.map_err(Error::connect(side))?;
        let error = match reading.load().await {
            Ok(catalog) => return Ok((reading, catalog)),
            Err(error) => error,
        };
        drop(reading);
        let error = Error::read(side, place.clone())(error);
        repeats.after(error).await?;
    }
}

fn statements(script: &mut String, definitions: &ddl::Script, statements: &[Statement]) {
    for of_step in statements.chunk_by(|one, next| one.step == next.step) {
        line(script, &format!("\n-- {}", of_step[0].object));
        if let Some(path) = &definitions.steps[of_step[0].step].search_path {
            for statement in path.enclose(of_step.iter().map(|of| of.sql.clone())) {
                push(script, &statement);
            }
            continue;
        }
        for statement in of_step {
            push_shown(script, &statement.shown(), statement.secret);
        }
    }
}

fn section(script: &mut String, title: &str) {
    line(script, &format!("\n--\n-- {title}\n--\n"));
}

fn push(script: &mut String, statement: &Sql) {
    line(script, &format!("{};", statement.as_str()));
}

/// A statement, or a comment with what may be shown of one that holds a secret.
fn push_shown(script: &mut String, shown: &Sql, is_secret: bool) {
    if is_secret {
        line(
            script,
            &format!("-- It holds a secret: {};", shown.as_str()),
        );
    } else {
        push(script, shown);
    }
}

fn line(script: &mut String, text: &str) {
    writeln!(script, "{text}").expect("a String takes all text");
}

/// The line that leads `psql` into a database. Its name is in a connection string, whose quotes
/// and backslashes are escaped, and that in double quotes, which are doubled within.
fn connect(name: &Ident) -> String {
    if name.as_str().chars().any(char::is_control) {
        return format!("-- Connect to database {name} here: psql cannot be given its name.\n");
    }
    let mut value = String::new();
    for part in name.as_str().chars() {
        if matches!(part, '\'' | '\\') {
            value.push('\\');
        }
        if part == '"' {
            value.push('"');
        }
        value.push(part);
    }
    format!("\\connect -reuse-previous=on \"dbname='{value}'\"\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psql_is_led_into_a_database_of_any_name() {
        let line = |name: &str| connect(&Ident::from_catalog(name));
        assert_eq!(
            line("shop"),
            "\\connect -reuse-previous=on \"dbname='shop'\"\n\n"
        );
        assert_eq!(
            line("a'b\"c\\d"),
            "\\connect -reuse-previous=on \"dbname='a\\'b\"\"c\\\\d'\"\n\n"
        );
        assert!(line("a\n\\! rm").starts_with("-- Connect to database a\u{fffd}\\! rm"));
    }
}
