//! What happens to a database of the target: by what a run has recorded of it, else by what it holds.

use crate::migrate::target_action::TargetAction;
use std::collections::BTreeSet;

use crate::catalog::cluster::Database;
use crate::checkpoint::Decision;
use crate::cluster;
use crate::cluster::contents::Contents;
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::{Purpose, Session};
use crate::logical::load_subscriptions;
use crate::migrate::error::Error;
use crate::migrate::journal::{self, Foreign};
use crate::migrate::options::Options;
use crate::migrate::resume::Interrupted;
use crate::migrate::target_use::find_user;
use crate::pg::Side;
use crate::pg::{Ident, Oid};
use crate::remedy::{Remedy, Setting};
use crate::sql;

/// What happens to a database of the target, and what is known with it.
pub(crate) struct TargetPlan {
    pub(crate) action: TargetAction,
    /// Extensions that are there when the copy begins.
    pub(crate) installed: BTreeSet<Ident>,
    /// What speaks against it, and what is good to know.
    pub(crate) findings: Vec<Finding>,
}

impl TargetPlan {
    fn new(action: TargetAction) -> Self {
        Self {
            action,
            installed: BTreeSet::new(),
            findings: Vec::new(),
        }
    }

    /// Its findings name the source's database.
    fn in_database(mut self, database: &Database) -> Self {
        let name = database.name.as_str();
        let findings = self.findings.into_iter();
        self.findings = findings.map(|finding| finding.in_database(name)).collect();
        self
    }

    fn finding(
        mut self,
        code: Code,
        level: Level,
        message: String,
        remedies: impl IntoIterator<Item = Remedy>,
    ) -> Self {
        let finding = Finding::new(code, level, Side::Target, message).with_remedies(remedies);
        self.findings.push(finding);
        self
    }

    /// Offers to create what the copy that is there lacks.
    fn offer_completion(mut self) -> Self {
        let complete = Remedy::pass_to(
            Setting::DefinitionsOnly,
            "create what the target had refused",
        );
        let findings = self.findings.into_iter();
        let offer = |finding: Finding| {
            if finding.code == Code::NotEmpty {
                finding.remedy(complete.clone())
            } else {
                finding
            }
        };
        self.findings = findings.map(offer).collect();
        self
    }

    /// Its findings are about the target's database.
    fn about(mut self, existing: &Database) -> Self {
        let findings = self.findings.into_iter();
        self.findings = findings
            .map(|finding| finding.about(&existing.name))
            .collect();
        self
    }
}

/// What happens to a database on the target, by what is there and what is recorded of it.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn plan_target(
    options: &Options,
    database: &Database,
    existing: Option<&Database>,
    interrupted: &Interrupted,
) -> Result<TargetPlan, Error> {
    if options.definitions_only {
        return Ok(plan_completion(interrupted).in_database(database));
    }
    let oid = existing.map_or(Oid::INVALID, |existing| existing.oid);
    let decision = interrupted.decision.clone();
    let refused = match existing {
        Some(existing) => judge_leftover(options, database, existing, interrupted).await?,
        None => None,
    };
    if let Some(refused) = refused {
        return Ok(refused.in_database(database));
    }
    let target_plan = match decision {
        Decision::Fresh => {
            let target_plan = plan_by_contents(options, database, existing).await?;
            match interrupted.is_completable {
                true => target_plan.offer_completion(),
                false => target_plan,
            }
        }
        Decision::Stale(stale) => {
            let target_plan = plan_by_contents(options, database, existing).await?;
            let remedies = ["it is copied again".into()];
            target_plan.finding(
                Code::CopyOutdated,
                Level::Warning,
                stale.to_string(),
                remedies,
            )
        }
        Decision::Finished { tables } => {
            let message = "it was finished by the interrupted run, and is kept".to_owned();
            let again = Remedy::pass_to(Setting::NoResume, "start from the beginning");
            TargetPlan::new(TargetAction::Keep { tables }).finding(
                Code::CopyKept,
                Level::Note,
                message,
                [again],
            )
        }
        Decision::Recreate { why } => {
            let remedies = ["it is dropped and created again".into()];
            TargetPlan::new(TargetAction::Recreate { oid, why }).finding(
                Code::CopyReplaced,
                Level::Note,
                why.to_owned(),
                remedies,
            )
        }
        Decision::DropCopied { why, extensions } => TargetPlan {
            installed: extensions.into_iter().map(Ident::from_catalog).collect(),
            ..TargetPlan::new(TargetAction::Empty { oid, why }).finding(
                Code::CopyReplaced,
                Level::Note,
                why.to_owned(),
                ["what is in it is removed, and copied again".into()],
            )
        },
    };
    Ok(target_plan.in_database(database))
}

/// What is created in a database that an earlier run has finished without objects that the target had refused.
fn plan_completion(interrupted: &Interrupted) -> TargetPlan {
    let missing = interrupted.missing.len();
    let refused = |why: String| {
        let keep = TargetPlan::new(TargetAction::Keep { tables: 0 });
        let remedies = ["copy it first, with the same options".into()];
        keep.finding(Code::NothingToComplete, Level::Error, why, remedies)
    };
    match &interrupted.decision {
        Decision::Finished { tables } if missing == 0 => {
            let keep = TargetPlan::new(TargetAction::Keep { tables: *tables });
            let message = "nothing is missing of it".to_owned();
            keep.finding(Code::CopyKept, Level::Note, message, [])
        }
        Decision::Finished { tables } => TargetPlan::new(TargetAction::Complete {
            tables: *tables,
            missing,
        }),
        Decision::Stale(stale) => refused(stale.to_string()),
        Decision::Fresh | Decision::Recreate { .. } | Decision::DropCopied { .. } => {
            refused("the state directory records no complete copy of it".to_owned())
        }
    }
}

/// What speaks against the removal of what an interrupted run has begun, if anything does.
async fn judge_leftover(
    options: &Options,
    database: &Database,
    existing: &Database,
    interrupted: &Interrupted,
) -> Result<Option<TargetPlan>, Error> {
    let decision = &interrupted.decision;
    let is_begun = matches!(
        decision,
        Decision::Recreate { .. } | Decision::DropCopied { .. }
    );
    // One that a killed drop has closed is looked into when it is open again.
    if !is_begun || !existing.allows_connections || !existing.is_valid {
        return Ok(None);
    }
    let found = foreign(options, existing, interrupted.seal.as_deref()).await;
    if let Err(Error::Cluster(cluster::Error::Connect { source, .. })) = &found
        && source.sqlstate().is_some()
        && !source.is_transient()
    {
        // A trigger on logins, for example.
        let why = "its contents cannot be examined";
        let message =
            format!("an interrupted run has begun it, and it refuses connections: {source}");
        let drop = sql!("DROP DATABASE {}", existing.name);
        let remedy = Remedy::act(format!("if nobody needs it, run: {};", drop.as_str()));
        let oid = existing.oid;
        let target_plan = TargetPlan::new(TargetAction::Recreate { oid, why });
        let refused = target_plan.finding(Code::NoConnections, Level::Error, message, [remedy]);
        return Ok(Some(refused.about(existing)));
    }
    let Some(foreign) = found? else {
        return Ok(None);
    };
    let target_plan = plan_by_contents(options, database, Some(existing)).await?;
    let message = format!("it holds objects that the interrupted run did not create: {foreign}");
    let remedies = ["move or drop them to continue the run".into()];
    let code = Code::CopyHasOtherObjects;
    Ok(Some(target_plan.finding(
        code,
        Level::Warning,
        message,
        remedies,
    )))
}

/// What happens to a database of which nothing is recorded.
async fn plan_by_contents(
    options: &Options,
    database: &Database,
    existing: Option<&Database>,
) -> Result<TargetPlan, Error> {
    let Some(existing) = existing else {
        return Ok(TargetPlan::new(TargetAction::Create));
    };
    let side = Side::Target;
    let name = existing.name.as_str();
    if let Some(target_plan) = plan_closed(options, existing) {
        return Ok(target_plan);
    }
    let session = open_database(options, existing).await?;
    let contents = Contents::load(&session).await;
    let contents = contents.map_err(Error::examine(side))?;
    if contents.is_empty() {
        return Ok(TargetPlan {
            findings: judge_existing(database, existing, &contents, options.target.user()),
            installed: contents.extensions,
            action: TargetAction::UseEmpty,
        });
    }
    let subscribed = load_subscriptions(&session).await;
    let mut subscribed = subscribed.map_err(Error::examine(side))?;
    subscribed.retain(|one| one.is_marked || one.name == options.replication.subscription);
    let own: Vec<Ident> = subscribed.iter().map(|one| one.name.clone()).collect();
    let digest = journal::load_digest(&session).await;
    let target_plan = TargetPlan::new(TargetAction::DropAndCreate {
        oid: existing.oid,
        digest: digest.map_err(Error::examine(side))?,
        tables: contents.tables,
        bytes: contents.bytes,
        subscribed,
    });
    let used = find_user(&options.target, name, &own).await?;
    if options.drop_existing {
        return Ok(match used {
            None => target_plan,
            Some(by) => {
                let message = format!("database {name} is in use by {by}, and cannot be replaced");
                let remedies = ["remove it first".into()];
                target_plan
                    .finding(Code::DatabaseInUse, Level::Error, message, remedies)
                    .about(existing)
            }
        });
    }
    let interrupted = journal::load_interrupted_run(&session).await;
    let interrupted = interrupted.map_err(Error::examine(side))?;
    let run = interrupted.as_ref();
    let run = run.map_or_else(String::new, |run| format!("; {run}"));
    let message = format!("database {name} is not empty: {contents}{run}");
    let mut remedies = Vec::new();
    if interrupted.is_some() {
        let resume = "continue that run with its state directory";
        remedies.push(Remedy::pass_to(Setting::StateDir, resume));
    }
    let objects = Some(contents.beside_extensions.as_slice()).filter(|objects| !objects.is_empty());
    remedies.extend(objects.map(|objects| without_extension(objects).into()));
    remedies.push(match used {
        None => recreate(),
        Some(by) => Remedy::Steps(vec![format!("remove {by}").into(), recreate()]),
    });
    remedies.push("choose another target".into());
    let refused = target_plan.finding(Code::NotEmpty, Level::Error, message, remedies);
    Ok(refused.about(existing))
}

fn recreate() -> Remedy {
    Remedy::pass_to(Setting::DropExisting, "drop and recreate it")
}

/// The way out where the script of an extension has created objects that are no members of it. Whether the
/// user made them in the same transaction, nothing shows.
fn without_extension(objects: &[String]) -> String {
    const NAMED: usize = 5;
    let named = objects.iter().take(NAMED);
    let mut named: Vec<&str> = named.map(String::as_str).collect();
    if objects.len() > NAMED {
        named.push("…");
    }
    format!(
        "the transaction of a CREATE EXTENSION has created {}: if nothing else is in the database, drop these with the \
         extension (DROP EXTENSION … CASCADE), init creates it",
        named.join(", ")
    )
}

/// What happens to a database that cannot be looked into.
fn plan_closed(options: &Options, existing: &Database) -> Option<TargetPlan> {
    let name = &existing.name;
    let replace = TargetPlan::new(TargetAction::DropAndCreate {
        oid: existing.oid,
        digest: String::new(),
        tables: 0,
        bytes: 0,
        subscribed: Vec::new(),
    });
    if !existing.is_valid {
        let message = format!("database {name} is invalid: its DROP DATABASE was interrupted");
        let level = if options.drop_existing {
            Level::Note
        } else {
            Level::Error
        };
        let closed = replace.finding(Code::InvalidDatabase, level, message, [recreate()]);
        return Some(closed.about(existing));
    }
    (!existing.allows_connections).then(|| {
        let message = format!(
            "database {name} refuses connections (datallowconn = false), so that nothing is known of its contents"
        );
        let open = sql!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", name);
        let remedies = [Remedy::Run(open)];
        let closed = replace.finding(Code::NoConnections, Level::Error, message, remedies);
        closed.about(existing)
    })
}

/// A session in a database of the target.
pub(crate) async fn open_database(
    options: &Options,
    existing: &Database,
) -> Result<Session, Error> {
    let side = Side::Target;
    let endpoint = options.target.with_database(existing.name.as_str());
    let session = endpoint.session(Purpose::Introspect).await;
    session.map_err(Error::connect(side))
}

/// What an interrupted run did not create in the database that it had begun.
async fn foreign(
    options: &Options,
    existing: &Database,
    seal: Option<&str>,
) -> Result<Option<Foreign>, Error> {
    let session = open_database(options, existing).await?;
    let found = journal::find_foreign_objects(&session, seal).await;
    found.map_err(Error::examine(Side::Target))
}

/// What differs when an existing empty database is used as it is.
fn judge_existing(
    database: &Database,
    existing: &Database,
    contents: &Contents,
    role: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !contents.may_create {
        let message = "the connecting role may not create schemas in it";
        let role = Ident::from_catalog(role);
        let grant = sql!("GRANT CREATE ON DATABASE {} TO {}", existing.name, role);
        let remedy = Remedy::RunOn(Side::Target, grant);
        let code = Code::NoCreateInDatabase;
        let finding = Finding::new(code, Level::Error, Side::Target, message);
        findings.push(finding.about(&existing.name).remedy(remedy));
    }
    if database.encoding != existing.encoding {
        let holds_all = existing.encoding == "UTF8" && database.encoding != "SQL_ASCII";
        let level = if holds_all { Level::Note } else { Level::Error };
        let message = format!(
            "its encoding is {}, the source's {}",
            existing.encoding, database.encoding
        );
        let finding = Finding::new(Code::Encoding, level, Side::Target, message);
        let finding = finding.about(&existing.name);
        findings.push(if holds_all {
            finding
        } else {
            finding.remedy("drop it; the run then creates it")
        });
    }
    if database.locale != existing.locale {
        let message = "its locale differs from the source's: text may sort in another order";
        let finding = Finding::new(Code::Locale, Level::Note, Side::Target, message);
        findings.push(finding.about(&existing.name));
    }
    findings
}
