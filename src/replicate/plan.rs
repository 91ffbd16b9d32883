//! The checks before anything is changed, and what is then to be done.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::additions::Additions;
use super::decide::{Action, Asked, Repair, decide};
use super::error::Error;
use super::followed::{AT_ONCE, Replicated};
use super::found::{Found, Readers};
use super::hidden::find_exposing_settings;
use super::initial::{InitialCopy, NewPublication};
use super::options::Options;
use super::subscriber::Subscriber;
use crate::catalog::load::transfer::load_transfer;
use crate::checkpoint::Stage;
use crate::cluster::{Code, Finding, Level};
use crate::connect::{ConninfoDifference, SubscriptionConninfo};
use crate::logical::{
    FoundSubscription, SubscriptionDefinition, load_sent_tables, load_subscribed_tables,
    read_table_name,
};
use crate::pg::{Ident, QualifiedName, Side, Sides, Sql};
use crate::remedy::{Command, Remedy, Setting};
use crate::status;
use crate::task::Scope;

/// What is to be done, after all checks.
#[derive(Debug)]
pub struct Prepared {
    pub(super) databases: Vec<PlannedDatabase>,
    /// What the checks have found, errors included.
    pub findings: Vec<Finding>,
}

/// What is to be done with one database.
#[derive(Clone, Debug)]
pub(super) struct PlannedDatabase {
    pub(super) replicated: Replicated,
    pub(super) step: Step,
    pub(super) additions: Additions,
    /// Whether a slot is dropped first that an interrupted initial copy has left: no rows are behind it.
    pub(super) drops_slot: bool,
    /// The publication that is created first, if there is none.
    pub(super) publication: Option<NewPublication>,
    /// Whether every published value may be sent in binary format.
    pub(super) is_binary: bool,
}

/// What is done with the subscription of a database.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It is created.
    Create(Box<SubscriptionDefinition>),
    /// It is changed, or left as it is.
    Repair {
        found: FoundSubscription,
        repair: super::decide::Repair,
        publications: Vec<Ident>,
        /// How the target's server is to reach the source.
        conninfo: SubscriptionConninfo,
    },
}

impl Step {
    /// The publications that the subscription asks for.
    pub(super) fn publications(&self) -> &[Ident] {
        match self {
            Self::Create(definition) => &definition.publications,
            Self::Repair { publications, .. } => publications,
        }
    }
}

/// What came of the examination of one database.
struct Examined {
    planned: Option<PlannedDatabase>,
    findings: Vec<Finding>,
}

impl Prepared {
    /// The databases whose subscription stores a password, with the connection strings without it.
    pub fn stored_passwords(&self) -> Vec<(&str, String)> {
        let created = self.databases.iter().filter_map(|one| match &one.step {
            Step::Create(definition) => Some((one, &definition.conninfo)),
            Step::Repair {
                repair, conninfo, ..
            } if repair.reconnect => Some((one, conninfo)),
            Step::Repair { .. } => None,
        });
        let stored = created.filter(|(_, conninfo)| conninfo.has_password());
        let named = stored.map(|(one, conninfo)| {
            let target = one.replicated.database.target.as_str();
            (target, conninfo.to_string())
        });
        named.collect()
    }

    /// What is to be done, a line for each change.
    pub fn describe(&self) -> Vec<String> {
        self.databases
            .iter()
            .flat_map(PlannedDatabase::describe)
            .collect()
    }
}

impl PlannedDatabase {
    /// What is to be done with it, a line for each change.
    pub(super) fn describe(&self) -> Vec<String> {
        let database = &self.replicated.database;
        let place = format!("database {}", database.target);
        let mut lines = Vec::new();
        if self.publication.is_some() {
            let name = &database.names.publication;
            lines.push(format!(
                "database {}: create publication {name}",
                database.source
            ));
        }
        match &self.step {
            Step::Create(definition) => {
                let names: Vec<String> = definition
                    .publications
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                let copies = match definition.has_slot {
                    true => "from the end of its copy",
                    false => "with an initial copy of all rows by the target's server",
                };
                lines.push(format!(
                    "{place}: create subscription {} on slot {} and publication {}, {copies}",
                    definition.name,
                    definition.slot,
                    names.join(" and ")
                ));
            }
            Step::Repair { found, repair, .. } => {
                let name = &found.name;
                let changes = [
                    (repair.attach, "attach it to its slot again"),
                    (repair.request, "have it ask for every publication"),
                    (repair.reconnect, "change its connection string"),
                    (repair.enable, "enable it"),
                ];
                let changes = changes.into_iter().filter(|(is_done, _)| *is_done);
                lines.extend(
                    changes.map(|(_, change)| format!("{place}: subscription {name}: {change}")),
                );
            }
        }
        let tables = self.additions.published.tables.iter();
        lines.extend(
            tables.map(|table| format!("{place}: add table {table}, with an initial copy")),
        );
        let known = self
            .additions
            .unsubscribed
            .iter()
            .filter(|_| self.additions.refreshes);
        lines.extend(known.map(|table| format!("{place}: copy and replicate table {table}")));
        lines
    }
}

/// Examines all databases. Read-only.
///
/// # Errors
/// A server cannot be reached or refused a query, or the scope was stopped.
pub async fn prepare(options: &Options, scope: &Scope) -> Result<Prepared, Error> {
    if options.followed.databases.is_empty() {
        return Err(Error::NothingSelected);
    }
    if options.copy_data && options.followed.is_same_cluster {
        return Ok(Prepared {
            databases: Vec::new(),
            findings: vec![refuse_copy_within()],
        });
    }
    let examining = stream::iter(options.followed.databases.iter().cloned())
        .map(|replicated| examine_database(replicated, options))
        .buffered(AT_ONCE)
        .try_collect::<Vec<Examined>>();
    let examined = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(Error::Stopped),
        examined = Box::pin(examining) => examined?,
    };
    let mut prepared = Prepared {
        databases: Vec::new(),
        findings: Vec::new(),
    };
    for one in examined {
        prepared.databases.extend(one.planned);
        prepared.findings.extend(one.findings);
    }
    prepared.judge_password(options).await?;
    Ok(prepared)
}

/// CREATE SUBSCRIPTION with a slot would wait for its own transaction (manual, "CREATE SUBSCRIPTION", notes).
fn refuse_copy_within() -> Finding {
    let message = "source and target are the same cluster: a subscription that creates its own slot would wait forever";
    Finding::of_pair(Code::SameCluster, Level::Error, message)
        .remedy(Remedy::Omit(Setting::CopyData))
        .remedy(Remedy::invoke("copy with a slot", Command::Init))
}

impl Prepared {
    /// Judges a password that the target stores, and whether its statement can be kept out of the target's server log.
    async fn judge_password(&mut self, options: &Options) -> Result<(), Error> {
        let stored = self.stored_passwords();
        let Some((database, conninfo)) = stored.first() else {
            return Ok(());
        };
        let endpoint = options.servers.target.with_database(database);
        let exposing = find_exposing_settings(&endpoint).await?;
        let message = format!(
            "the connection string of the subscription contains a password ({conninfo}): it is stored in pg_subscription, \
             and superusers of the target can read it"
        );
        let stored = Finding::new(Code::PasswordStored, Level::Warning, Side::Target, message)
            .remedy(
                "give no password in the source's URL, and put it into a password file of the target's server account (mode \
                 0600)",
            );
        self.findings.push(stored);
        if !exposing.is_empty() {
            let list = exposing.join(", ");
            let message = format!(
                "the statement that creates the subscription may appear in the target's server log, with the password: the \
                 role may not change {list}"
            );
            let exposed = Finding::new(Code::PasswordLogged, Level::Warning, Side::Target, message);
            self.findings.push(exposed.remedy(format!(
                "on a target of 15 or newer, grant SET on these parameters to the role ({list}); or give no password in the \
                 source's URL"
            )));
        }
        Ok(())
    }

    /// Whether the password of a subscription could appear in the target's server log.
    pub fn exposes_password(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.code == Code::PasswordLogged)
    }
}

async fn examine_database(replicated: Replicated, options: &Options) -> Result<Examined, Error> {
    let servers = options.servers.as_ref();
    let readers = Readers::open(servers, &replicated).await?;
    let found = Found::load(&readers, servers, &replicated).await?;
    let database = &replicated.database;
    let recorded = replicated.recorded.as_ref();
    let conninfo = conninfo_for(&database.source, options, &readers);
    let asked = Asked {
        database: &database.source,
        names: &database.names,
        copy_data: options.copy_data,
        run: &replicated.run,
        target: &database.target,
        is_unfinished: recorded.is_some_and(|one| !matches!(one.stage, Stage::Finished { .. })),
        reconnects: reconnects(&found, &conninfo, options),
    };
    let action = match decide(&found, asked) {
        Ok(action) => action,
        Err(refused) => {
            let findings = vec![*refused];
            return Ok(Examined {
                planned: None,
                findings,
            });
        }
    };
    let is_created = !matches!(action, Action::Repair(_));
    let additions = Additions::find(&readers, &replicated, &found).await?;
    let mut findings = additions.findings.clone();
    if let Action::Repair(repair) = action {
        findings.extend(judge_repair(&readers, &found, &additions, repair).await?);
    }
    if is_created {
        let subscriber = Subscriber::load(&readers.target, found.publication.as_ref()).await?;
        let judged = subscriber.judge(&database.target).into_iter();
        findings.extend(judged.map(|finding| finding.in_database(&database.target)));
    }
    let initial = match action {
        Action::CreateAndCopy => Some(InitialCopy::find(&readers, &replicated, &found).await?),
        Action::Create | Action::Repair(_) => None,
    };
    let prevented = initial
        .iter()
        .flat_map(|initial| &initial.findings)
        .cloned();
    findings.extend(prevented.map(|finding| finding.in_database(&database.source)));
    findings.extend(judge_retained(
        &found,
        &replicated,
        options.max_retained_wal,
    ));
    let is_binary = is_binary(&readers, &found, &additions).await?;
    let publication = initial.and_then(|initial| initial.publication);
    let given = Given {
        conninfo: &conninfo,
        publication: publication.as_ref(),
        is_binary,
    };
    let planned = plan_database(replicated, &found, action, given);
    Ok(Examined {
        planned: Some(PlannedDatabase {
            additions,
            drops_slot: action == Action::CreateAndCopy && found.slot.is_some(),
            publication,
            ..planned
        }),
        findings,
    })
}

/// What the definition of a subscription depends on beside the objects.
#[derive(Clone, Copy)]
struct Given<'a> {
    conninfo: &'a SubscriptionConninfo,
    /// The publication that is created first.
    publication: Option<&'a NewPublication>,
    is_binary: bool,
}

fn plan_database(
    replicated: Replicated,
    found: &Found,
    action: Action,
    given: Given<'_>,
) -> PlannedDatabase {
    let database = &replicated.database;
    let step = match (action, found.subscription.clone()) {
        (Action::Repair(repair), Some(subscription)) => Step::Repair {
            found: subscription,
            repair,
            publications: found.asked_and_ours(),
            conninfo: given.conninfo.clone(),
        },
        (action, _) => Step::Create(Box::new(SubscriptionDefinition {
            name: database.names.subscription.clone(),
            conninfo: given.conninfo.clone(),
            publications: match given.publication {
                Some(new) => new.names(&replicated),
                None => found.publications(),
            },
            slot: database
                .names
                .slot
                .clone()
                .expect("a slot that was decided on has a name"),
            has_slot: action != Action::CreateAndCopy,
            is_binary: given.is_binary,
            is_failover: found.slot.as_ref().is_some_and(|slot| slot.is_failover),
        })),
    };
    PlannedDatabase {
        replicated,
        step,
        additions: Additions::default(),
        drops_slot: false,
        publication: None,
        is_binary: given.is_binary,
    }
}

/// Whether the connection string of an existing subscription is to be changed. What somebody has changed there stays, unless
/// the user names another one; but a password that is no longer right would never work again.
fn reconnects(found: &Found, wanted: &SubscriptionConninfo, options: &Options) -> bool {
    let is_read = found
        .slot
        .as_ref()
        .is_some_and(|slot| slot.active_pid.is_some());
    let is_named = options.subscription_source.is_some();
    let Some(current) = &found.conninfo else {
        // It cannot be compared: what works stays.
        return is_named && !is_read;
    };
    match wanted.compare(current.expose()) {
        ConninfoDifference::Nothing => false,
        ConninfoDifference::Password => wanted.has_password(),
        ConninfoDifference::Other => is_named,
    }
}

/// How the target's server reaches a database of the source.
fn conninfo_for(database: &str, options: &Options, readers: &Readers) -> SubscriptionConninfo {
    match &options.subscription_source {
        Some(source) => source.render(database, options.followed.databases.len() == 1),
        None => {
            let source = &options.servers.source;
            source.subscription_conninfo(database, readers.target.version())
        }
    }
}

/// Whether every published value means the same in binary format on the target. The server sends binary values since 14.
async fn is_binary(readers: &Readers, found: &Found, additions: &Additions) -> Result<bool, Error> {
    let Readers { source, target } = readers;
    let versions = Sides {
        source: source.version(),
        target: target.version(),
    };
    if !versions.source.has_binary_subscriptions() || !versions.target.has_binary_subscriptions() {
        return Ok(false);
    }
    let Some(publication) = &found.publication else {
        return Ok(false);
    };
    let reasons = load_transfer(source, versions.target).await;
    let reasons = reasons.map_err(crate::logical::LoadError::from)?;
    let mut listed = publication.listed.tables.iter();
    if listed.any(|table| reasons.contains_key(table)) {
        return Ok(false);
    }
    let joining: BTreeSet<&QualifiedName> = additions
        .published
        .tables
        .iter()
        .chain(&additions.unsubscribed)
        .collect();
    if joining.is_empty() {
        return Ok(true);
    }
    let sql = Sql::fixed(
        "SELECT n.nspname::text AS schema_name, c.relname::text AS name FROM pg_catalog.pg_class c \
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[])",
    );
    let oids: Vec<u32> = reasons.keys().map(|oid| oid.0).collect();
    let rows = source.query(&sql, &[&oids]).await;
    let rows = rows.map_err(Error::query(Side::Source))?;
    let mut as_text = rows.iter().map(read_table_name);
    Ok(!as_text.any(|table| joining.contains(&table)))
}

/// Judges a repair that would hide changes that were not applied: a worker that starts confirms everything it does not know.
async fn judge_repair(
    readers: &Readers,
    found: &Found,
    additions: &Additions,
    repair: Repair,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    if (repair.enable || repair.attach) && additions.is_unsafe {
        let message = "the subscription does not know all tables that were copied: once enabled, it would discard their \
                       changes";
        let code = Code::TableNotSubscribed;
        let finding = Finding::new(code, Level::Error, Side::Target, message);
        findings.push(finding.remedy(Remedy::Steps(vec![
            Remedy::invoke("remove what is left", Command::Teardown),
            Remedy::invoke("copy again", Command::Init),
        ])));
    }
    let (Some(subscription), true) = (&found.subscription, repair.request) else {
        return Ok(findings);
    };
    let unasked = found.unasked_publications();
    let sent = load_sent_tables(&readers.source, &unasked.iter().collect::<Vec<_>>()).await;
    let sent = sent.map_err(Error::query(Side::Source))?;
    let known = load_subscribed_tables(&readers.target, subscription.oid).await;
    let known = known.map_err(Error::query(Side::Target))?;
    if let Some(table) = sent.intersection(&known).next() {
        let message = format!(
            "subscription {} has not asked for every publication: changes of table {table} may be lost since then",
            subscription.name
        );
        let code = Code::SubscriptionPublications;
        let finding = Finding::new(code, Level::Error, Side::Target, message);
        findings.push(finding.about(&subscription.name).remedy(Remedy::Steps(vec![
            Remedy::invoke("find out whether rows differ", Command::Verify),
            Remedy::invoke("if so, remove what is left", Command::Teardown),
            Remedy::invoke("and copy again", Command::Init),
        ])));
    }
    Ok(findings)
}

fn judge_retained(found: &Found, replicated: &Replicated, limit: Option<u64>) -> Option<Finding> {
    let slot = found.slot.as_ref()?;
    let finding = status::judge_retained(slot, limit)?;
    Some(
        finding
            .in_database(&replicated.database.source)
            .remedy("check that the target applies changes"),
    )
}
