//! Carries out what was planned for one database. Each step is a transaction of the server, and repeating the command
//! continues after a step that was not reached.

use super::error::{Error, SubscriptionPlace};
use super::hidden::hide_statements;
use super::options::Options;
use super::plan::{PlannedDatabase, Step};
use super::reach::probe_hosts;
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::logical::{
    Definition, FoundSubscription, Seconds, SubscriptionDefinition, attach_statement,
    connect_statement, enable_statement, extend_publication, find_publication, load_subscriptions,
    mark_statement, refresh_statement, request_statement,
};
use crate::pg::{Ident, Side, Sql, SqlState};
use crate::sql;
use crate::task::Scope;

impl PlannedDatabase {
    /// Creates or repairs the subscription, and adds the tables that join.
    ///
    /// # Errors
    /// A server cannot be reached or refused a statement, or the scope was stopped.
    pub(super) async fn execute(&self, options: &Options, scope: &Scope) -> Result<(), Error> {
        let database = &self.replicated.database;
        let target = options.servers.target.with_database(&database.target);
        if let Some(publication) = &self.publication {
            let source = options.servers.source.with_database(&database.source);
            let session = source.session(Purpose::Control).await;
            let session = session.map_err(Error::connect(Side::Source))?;
            publication.create(&session, &self.replicated).await?;
        }
        match &self.step {
            Step::Create(definition) => self.create(definition, &target, scope).await?,
            Step::Repair { .. } => self.repair(&target, scope).await?,
        }
        if !self.additions.published.tables.is_empty() {
            let source = options.servers.source.with_database(&database.source);
            self.publish_additions(&source, scope).await?;
        }
        if self.additions.refreshes {
            self.refresh(&target, scope).await?;
        }
        Ok(())
    }

    /// The subscription's name.
    pub(super) fn subscription(&self) -> &Ident {
        match &self.step {
            Step::Create(definition) => &definition.name,
            Step::Repair { found, .. } => &found.name,
        }
    }

    async fn create(
        &self,
        definition: &SubscriptionDefinition,
        target: &Endpoint,
        scope: &Scope,
    ) -> Result<(), Error> {
        let session = open(target).await?;
        if definition.conninfo.has_password() {
            // Whether it may appear in the server log was asked before.
            let hidden = hide_statements(&session).await;
            hidden.map_err(Error::query(Side::Target))?;
        }
        let statement = definition.render(session.version());
        let created = change(&session, &statement, scope).await?;
        drop(statement);
        forget_statement(&session).await?;
        match created {
            Ok(()) => {
                let marked = session.batch(&mark_statement(&definition.name)).await;
                marked.map_err(self.refused("mark", target))
            }
            // Another run has created it since it was looked for, and has ended.
            Err(source)
                if source.sqlstate() == Some(SqlState::DUPLICATE_OBJECT)
                    && is_created(&session, definition).await? =>
            {
                Ok(())
            }
            Err(source) => Err(self.not_created(definition, target, source).await),
        }
    }

    /// Why a subscription was not created.
    async fn not_created(
        &self,
        definition: &SubscriptionDefinition,
        target: &Endpoint,
        source: connect::Error,
    ) -> Error {
        if !is_unreachable(&source) {
            return self.refused("create", target)(source);
        }
        Error::Unreachable {
            subscription: self.place(target),
            probes: probe_hosts(&definition.conninfo.hosts()).await,
            source,
        }
    }

    async fn repair(&self, target: &Endpoint, scope: &Scope) -> Result<(), Error> {
        let Step::Repair {
            found,
            repair,
            publications,
            conninfo,
        } = &self.step
        else {
            return Ok(());
        };
        if repair.is_nothing() {
            return Ok(());
        }
        let session = open(target).await?;
        let name = &found.name;
        if let (true, Some(slot)) = (repair.attach, &self.replicated.database.names.slot) {
            let attached = change(&session, &attach_statement(name, slot), scope).await?;
            attached.map_err(self.refused("attach", target))?;
        }
        if repair.request {
            let request = request_statement(name, publications);
            let requested = change(&session, &request, scope).await?;
            requested.map_err(self.refused("change", target))?;
        }
        if repair.reconnect {
            if conninfo.has_password() {
                let hidden = hide_statements(&session).await;
                hidden.map_err(Error::query(Side::Target))?;
            }
            let connect = connect_statement(name, conninfo);
            let changed = change(&session, &connect, scope).await?;
            changed.map_err(self.refused("change", target))?;
            forget_statement(&session).await?;
        }
        if repair.enable {
            let enabled = change(&session, &enable_statement(name), scope).await?;
            enabled.map_err(self.refused("enable", target))?;
        }
        Ok(())
    }

    /// Adds the tables to the publication, on the source.
    async fn publish_additions(&self, source: &Endpoint, scope: &Scope) -> Result<(), Error> {
        let session = source.session(Purpose::Control).await;
        let session = session.map_err(Error::connect(Side::Source))?;
        let name = &self.replicated.database.names.publication;
        let found = find_publication(&session, name, Seconds::Any).await;
        let Some(found) = found.map_err(Error::query(Side::Source))? else {
            return Ok(());
        };
        let additions = &self.additions.published;
        let additions = Definition {
            tables: additions.tables.clone(),
            insert_only: additions.insert_only.clone(),
            filters: additions.filters.clone(),
            via_root: found.definition().via_root,
        };
        let extending = extend_publication(&session, &found, &additions);
        let extended = tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            extended = Box::pin(extending) => extended,
        };
        extended.map_err(|source| Error::Publication {
            publication: Box::new(name.clone()),
            source: Box::new(source),
        })
    }

    /// Has the subscription copy and replicate the tables that its publications have got.
    async fn refresh(&self, target: &Endpoint, scope: &Scope) -> Result<(), Error> {
        let session = open(target).await?;
        let name = self.subscription();
        let publications = self.publications();
        if publications.len() > 1 {
            // The publication of insert-only tables may be new.
            let request = request_statement(name, &publications);
            let requested = change(&session, &request, scope).await?;
            requested.map_err(self.refused("change", target))?;
        }
        if !self.is_binary && session.version().has_binary_subscriptions() {
            // A new table may have values that mean something else in binary format.
            let text = sql!("ALTER SUBSCRIPTION {} SET (binary = false)", name);
            let set = change(&session, &text, scope).await?;
            set.map_err(self.refused("change", target))?;
        }
        let refreshed = change(&session, &refresh_statement(name), scope).await?;
        refreshed.map_err(self.refused("refresh", target))
    }

    /// The publications that the subscription asks for, with that of the tables that join.
    fn publications(&self) -> Vec<Ident> {
        let mut publications = match &self.step {
            Step::Create(definition) => definition.publications.clone(),
            Step::Repair { publications, .. } => publications.clone(),
        };
        let second = crate::logical::inserts_name(&self.replicated.database.names.publication);
        let is_new = !self.additions.published.insert_only.is_empty();
        if is_new && !publications.contains(&second) {
            publications.push(second);
        }
        publications
    }

    fn refused(&self, what: &'static str, target: &Endpoint) -> impl Fn(connect::Error) -> Error {
        move |source| Error::Subscription {
            what,
            subscription: self.place(target),
            source,
        }
    }

    fn place(&self, target: &Endpoint) -> Box<SubscriptionPlace> {
        Box::new(SubscriptionPlace {
            name: self.subscription().clone(),
            database: target.database().to_owned(),
        })
    }
}

/// Has the activity view show another statement than the one with a connection string.
async fn forget_statement(session: &Session) -> Result<(), Error> {
    let done = session.batch(&Sql::fixed("SELECT 1")).await;
    done.map_err(Error::query(Side::Target))
}

/// A session whose waits for locks are short: who is in the way is reported.
async fn open(target: &Endpoint) -> Result<Session, Error> {
    let target = target.clone().with_short_lock_waits();
    let session = target.session(Purpose::Control).await;
    session.map_err(Error::connect(Side::Target))
}

/// Runs a statement on a subscription, again where a lock of another session is in its way. It may wait for the other
/// server; a stop cancels it.
async fn change(
    session: &Session,
    statement: &Sql,
    scope: &Scope,
) -> Result<Result<(), connect::Error>, Error> {
    let what = format!(
        "locks on the tables of database {}",
        session.endpoint().database()
    );
    let mut wait = LockWait::new(session.endpoint(), LockMode::AccessShare, what);
    let work = wait.execute_when_unlocked(session, statement);
    let done = scope.cancelling(session.request_cancel(), work).await;
    done.map_err(|_| Error::Stopped)
}

/// Whether a subscription exists and is the one to be created: it has the name and reads from the slot.
async fn is_created(session: &Session, definition: &SubscriptionDefinition) -> Result<bool, Error> {
    let found = load_subscriptions(session).await;
    let found = found.map_err(Error::query(Side::Target))?;
    let is_it = |one: &FoundSubscription| {
        one.name == definition.name && one.slot.as_deref() == Some(definition.slot.as_str())
    };
    Ok(found.iter().any(is_it))
}

/// Whether the target's server could not connect to the source.
fn is_unreachable(error: &connect::Error) -> bool {
    matches!(
        error.sqlstate(),
        Some(SqlState::CONNECTION_FAILURE | SqlState::CONNECTION_EXCEPTION)
    )
}
