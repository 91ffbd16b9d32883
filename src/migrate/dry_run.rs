//! What a run would do, as SQL for `psql`: the same statements in the same order, with a comment where rows
//! would be copied.
//!
//! Two things are known only after extensions were created: objects that their scripts create without
//! making them members, and which comments on their objects differ.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::catalog::Catalog;
use crate::cluster::maintenance;
use crate::connect::{Endpoint, script_settings};
use crate::ddl::cluster::database::{DatabaseOptions, render_create, render_finish};
use crate::ddl::{self, Statement};
use crate::logical::inserts_name;
use crate::migrate::error::Error;
use crate::migrate::execute::drop::{render_allow, render_drop, render_no_template};
use crate::migrate::execute::execution::build_copy_request;
use crate::migrate::execute::existing::{DefaultPrivileges, foresee, load_default_privileges};
use crate::migrate::execute::target_options::{foresee_created, foresee_emptied, load_options};
use crate::migrate::options::Options;
use crate::migrate::planned::{PlannedDatabase, Prepared};
use crate::migrate::repeats::read_definitions;
use crate::migrate::target_action::TargetAction;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Counted, Ident, Printable, ServerVersion, Side, Sql};
use crate::snapshot::{CopyJob, SnapshotSource, plan_rows};
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
    let temporary = cluster.plan_memberships();
    let mut script = String::from("-- What init would run. Secrets are not shown.\n");
    settings_of_session(&mut script, cluster.options.target.version);
    section(&mut script, "roles");
    for statement in &cluster.merge.statements {
        push_shown(&mut script, &statement.shown(), statement.is_secret);
    }
    for grant in &temporary.grants {
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
    if !temporary.revokes.is_empty() {
        section(&mut script, "roles");
    }
    for revoke in &temporary.revokes {
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
        let mut rules = planned.scope.rules.iter();
        let second = rules.any(|(_, rule)| rule.is_insert_only());
        let second = match second {
            true => format!(" (insert-only tables: {})", inserts_name(publication)),
            false => String::new(),
        };
        let kind = match slot.is_failover {
            true => "failover slot",
            false => "replication slot",
        };
        let text = format!(
            "-- On the source publication {publication}{second} is created in {source}, then {kind} {}.",
            slot.name
        );
        line(script, &text);
    }
    match planned.action {
        TargetAction::Keep { .. } | TargetAction::Complete { .. } => {
            line(script, "-- It is finished, and kept.");
            return Ok(());
        }
        TargetAction::Empty { .. } => line(script, "-- What is in it is removed."),
        TargetAction::DropAndCreate { .. } | TargetAction::Recreate { .. } => {
            push(script, &render_allow(name, false));
            if planned.drops_template {
                push(script, &render_no_template(name));
            }
            push(script, &render_drop(name, cluster.options.target.version));
        }
        TargetAction::Create | TargetAction::UseEmpty => {}
    }
    if !planned.action.uses_existing() {
        push(script, &render_create(&planned.database, wanted)?);
    }
    script.push_str(&connect(name));
    settings_of_session(script, cluster.options.target.version);
    let contents = Contents::plan(planned, cluster, options).await?;
    contents.write(script, name, options);
    let finish = render_finish(&planned.database, wanted);
    section(script, &format!("database {name}: settings"));
    for statement in &finish.statements {
        push_shown(script, &statement.shown(), statement.is_secret);
    }
    Ok(())
}

/// What a run would do within a database.
struct Contents {
    script: ddl::Script,
    rows: Vec<CopyJob>,
    defaults: DefaultPrivileges,
}

impl Contents {
    /// Reads the source under a snapshot of its own, and renders what the run would.
    async fn plan(
        planned: &PlannedDatabase,
        cluster: &TargetCluster,
        options: &Options,
    ) -> Result<Self, Error> {
        let request = build_copy_request(planned, cluster, options, Ledger::none());
        let target = cluster.options.target.version;
        let (reading, mut catalog) = read_definitions(&request.source, target).await?;
        let place = |source| Error::Ddl {
            database: planned.name().to_owned(),
            source,
        };
        let foreseen = Foreseen::load(planned, &catalog, cluster, options).await?;
        let fitted = ddl::fit(&mut catalog, &foreseen.options, &planned.scope);
        let mut script = fitted.script.map_err(place)?;
        let settled = foresee(
            &foreseen.place,
            &catalog,
            &foreseen.options,
            &mut script,
            &foreseen.extensions,
        );
        settled.await.map_err(Error::examine(Side::Target))?;
        let rows = plan_rows(reading.session(), &catalog, &request).await;
        let rows = rows.map_err(|source| Error::PlanCopy {
            database: planned.name().to_owned(),
            source: Box::new(source),
        })?;
        let defaults = match planned.action.uses_existing() {
            true => load_default_privileges(&foreseen.place, &cluster.options).await?,
            false => DefaultPrivileges::default(),
        };
        Ok(Self {
            script,
            rows,
            defaults,
        })
    }

    fn write(&self, out: &mut String, name: &Ident, options: &Options) {
        section(out, &format!("database {name}: pre-data"));
        for statement in &self.defaults.revokes {
            push(out, statement);
        }
        let ddl::PreData { extensions, rest } = self.script.split_extensions();
        statements(out, &self.script, &extensions);
        statements(out, &self.script, &rest);
        section(out, &format!("database {name}: data"));
        self.write_rows(out);
        section(out, &format!("database {name}: post-data"));
        let ddl::PostData { rest, last } = self.script.split_last();
        statements(out, &self.script, &rest);
        if options.analyze && !self.rows.is_empty() {
            line(
                out,
                "\n-- Here statistics of the copied tables are collected.",
            );
        }
        statements(out, &self.script, &last);
        for statement in &self.defaults.grants {
            push(out, statement);
        }
    }

    fn write_rows(&self, out: &mut String) {
        if self.rows.is_empty() {
            line(out, "-- No rows are copied.");
            return;
        }
        let tables = Counted(self.rows.len(), "table");
        line(out, &format!("-- Here the rows of {tables} are copied:"));
        for job in &self.rows {
            line(out, &format!("-- {}", Printable(&job.to_string())));
        }
    }
}

/// The database as the script will find it.
struct Foreseen {
    /// Where the target is asked: in the database, or in another where it will be created.
    place: Endpoint,
    /// The options of its script.
    options: ddl::Options,
    /// The extensions that it has already.
    extensions: BTreeSet<Ident>,
}

impl Foreseen {
    async fn load(
        planned: &PlannedDatabase,
        catalog: &Catalog,
        cluster: &TargetCluster,
        options: &Options,
    ) -> Result<Self, Error> {
        let name = planned.target().as_str();
        let (installed, wanted) = (&planned.installed, &cluster.options);
        let inside = options.target.with_database(name);
        let (place, options) = match planned.action {
            TargetAction::UseEmpty => {
                let loaded = load_options(&inside, catalog, wanted).await;
                (inside, loaded)
            }
            TargetAction::Empty { .. } => {
                let foreseen = foresee_emptied(&inside, catalog, wanted, installed).await;
                (inside, foreseen)
            }
            TargetAction::Create
            | TargetAction::DropAndCreate { .. }
            | TargetAction::Recreate { .. }
            | TargetAction::Keep { .. }
            | TargetAction::Complete { .. } => {
                let beside = maintenance::open_session_outside(&options.target, name)
                    .await?
                    .endpoint()
                    .clone();
                let foreseen = foresee_created(&beside, catalog, wanted).await;
                (beside, foreseen)
            }
        };
        let extensions = match planned.action.uses_existing() {
            true => installed.clone(),
            false => BTreeSet::new(),
        };
        Ok(Self {
            place,
            options: options.map_err(Error::examine(Side::Target))?,
            extensions,
        })
    }
}

/// What definitions are created under, as our own sessions are.
fn settings_of_session(script: &mut String, version: ServerVersion) {
    push(script, &Sql::fixed(CLIENT));
    push(script, &script_settings(version));
}

fn statements(script: &mut String, definitions: &ddl::Script, statements: &[Statement]) {
    for of_step in statements.chunk_by(|one, next| one.step == next.step) {
        line(script, &format!("\n-- {}", of_step[0].object));
        if let Some(path) = &definitions.steps[of_step[0].step].search_path
            && of_step.iter().all(|statement| !statement.secret)
        {
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
