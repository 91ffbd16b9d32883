//! Carries out what was planned for one database. Each step is a transaction of the server, and repeating the command
//! continues after a step that was not reached.

use std::collections::BTreeSet;

use super::error::{Error, SubscriptionPlace};
use super::hidden::hide_statements;
use super::options::Options;
use super::plan::{PlannedDatabase, Step};
use super::reach::probe_hosts;
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::logical::{
    Definition, FoundSubscription, Seconds, SubscriptionDefinition, attach_statement,
    connect_statement, drop_slot, drop_subscription, enable_statement, extend_publication,
    find_publication, find_subscription, inserts_name, load_sent_tables, load_subscribed_tables,
    load_subscriptions, mark_statement, note_listed, refresh_statement, request_statement,
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
        let source = options.servers.source.with_database(&database.source);
        self.prepare_source(&source).await?;
        match &self.step {
            Step::Create(definition) => {
                Box::pin(self.create(definition, (&target, options), scope)).await?;
            }
            Step::Repair { .. } => self.repair(&target, scope).await?,
        }
        if self.additions.refreshes {
            self.leave_binary(&target, scope).await?;
        }
        if !self.additions.published.tables.is_empty() {
            self.publish_additions(&source, scope).await?;
        }
        if self.additions.refreshes {
            self.refresh(&target, scope).await?;
            self.note_additions(&source).await?;
        }
        Ok(())
    }

    /// Creates the publication of an initial copy, and drops the slot that an interrupted one has left.
    async fn prepare_source(&self, source: &Endpoint) -> Result<(), Error> {
        if self.publication.is_none() && !self.drops_slot {
            return Ok(());
        }
        let session = source.session(Purpose::Control).await;
        let session = session.map_err(Error::connect(Side::Source))?;
        if let (true, Some(slot)) = (self.drops_slot, &self.replicated.database.names.slot) {
            let dropped = drop_slot(&session, slot).await;
            dropped.map_err(Error::query(Side::Source))?;
        }
        match &self.publication {
            Some(publication) => publication.create(&session, &self.replicated).await,
            None => Ok(()),
        }
    }

    /// Notes in the mark of the publication which tables are replicated now.
    async fn note_additions(&self, source: &Endpoint) -> Result<(), Error> {
        let session = source.session(Purpose::Control).await;
        let session = session.map_err(Error::connect(Side::Source))?;
        let name = &self.replicated.database.names.publication;
        let wrap = Error::query(Side::Source);
        let found = find_publication(&session, name, Seconds::Any)
            .await
            .map_err(wrap)?;
        match found.filter(|found| {
            found
                .mark
                .as_ref()
                .is_some_and(|mark| mark.copied.is_some())
        }) {
            Some(found) => note_listed(&session, &found).await.map_err(wrap),
            None => Ok(()),
        }
    }

    /// Has the subscription receive text, if a table that joins has values that mean something else in binary format.
    async fn leave_binary(&self, target: &Endpoint, scope: &Scope) -> Result<(), Error> {
        let session = open(target).await?;
        if self.is_binary || !session.version().has_binary_subscriptions() {
            return Ok(());
        }
        let text = sql!(
            "ALTER SUBSCRIPTION {} SET (binary = false)",
            self.subscription()
        );
        let set = change(&session, &text, scope).await?;
        set.map_err(self.refused("change", target))
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
        (target, options): (&Endpoint, &Options),
        scope: &Scope,
    ) -> Result<(), Error> {
        let session = open(target).await?;
        if definition.conninfo.has_password() {
            // Whether it may appear in the server log was asked before.
            let hidden = hide_statements(&session).await;
            hidden.map_err(Error::query(Side::Target))?;
        }
        let statement = definition.render(session.version());
        let mark = mark_statement(&definition.name);
        // One message is one transaction, which the server refuses for a subscription that creates its slot.
        let (first, second) = match definition.has_slot {
            true => (sql!("{}; {}", statement, mark), None),
            false => (statement, Some(mark)),
        };
        let created = change(&session, &first, scope).await;
        forget_statement(&session).await.ok();
        match created? {
            Ok(()) => {}
            // Another run has created it since it was looked for, and has ended.
            Err(source)
                if source.sqlstate() == Some(SqlState::DUPLICATE_OBJECT)
                    && is_created(&session, definition).await? =>
            {
                return Ok(());
            }
            Err(source) => return Err(self.not_created(definition, target, source).await),
        }
        if let Some(second) = second {
            let marked = session.batch(&second).await;
            marked.map_err(self.refused("mark", target))?;
        }
        self.check_created(definition, &session, options).await?;
        let enabled = change(&session, &enable_statement(&definition.name), scope).await?;
        enabled.map_err(self.refused("enable", target))
    }

    /// Checks, before it runs, that a subscription has found our publications: a connection string may lead to another
    /// server or database, where they do not exist, which is no error of the server.
    async fn check_created(
        &self,
        definition: &SubscriptionDefinition,
        session: &Session,
        options: &Options,
    ) -> Result<(), Error> {
        let database = &self.replicated.database;
        let source = options.servers.source.with_database(&database.source);
        let reader = source.session(Purpose::Introspect).await;
        let reader = reader.map_err(Error::connect(Side::Source))?;
        let names: Vec<&Ident> = definition.publications.iter().collect();
        let sent = load_sent_tables(&reader, &names).await;
        let sent = sent.map_err(Error::query(Side::Source))?;
        let on_target = Error::query(Side::Target);
        let created = find_subscription(session, &definition.name).await;
        let known = match created.map_err(on_target)? {
            Some(found) => load_subscribed_tables(session, found.oid)
                .await
                .map_err(on_target)?,
            None => BTreeSet::new(),
        };
        let Some(missing) = sent.difference(&known).next() else {
            return Ok(());
        };
        let missing = missing.to_string();
        // It has never run, so nothing was read from the slot.
        let dropped = drop_subscription(session, &definition.name).await;
        dropped.map_err(on_target)?;
        Err(Error::OtherServer {
            subscription: Box::new(SubscriptionPlace {
                name: definition.name.clone(),
                database: database.target.clone(),
            }),
            conninfo: definition.conninfo.to_string(),
            missing,
        })
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
        let refreshed = change(&session, &refresh_statement(name), scope).await?;
        refreshed.map_err(self.refused("refresh", target))
    }

    /// The publications that the subscription asks for, with that of the tables that join.
    fn publications(&self) -> Vec<Ident> {
        let mut publications = self.step.publications().to_vec();
        let second = inserts_name(&self.replicated.database.names.publication);
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
