//! Questions about what refuses a run: what an option would change, a user at a terminal can decide now.

use std::collections::BTreeSet;

use super::Error;
use super::setting::flag_of;
use crate::cluster::Finding;
use crate::migrate::{DatabaseTable, Options, Prepared, Proposal, prepare};
use crate::pg::Oid;
use crate::selection::quoted::quote_name;
use crate::task::Scope;
use crate::ui::report::{
    render_proposal, render_question, show_findings, show_proposal, show_servers,
};
use crate::ui::{Ui, shell_quote};

/// The checks of a run and the questions about it.
pub(super) struct Dialogue<'a> {
    pub(super) ui: &'a Ui,
    pub(super) scope: &'a Scope,
    /// Whether every finding is listed.
    pub(super) verbose: bool,
    /// Whether someone at a terminal can be asked about what refuses the run.
    pub(super) asks: bool,
    /// What earlier checks have found.
    pub(super) shown: Vec<Finding>,
}

/// A plan that nothing refuses any more once the last question is answered with yes.
pub(super) struct Checked {
    pub(super) options: Options,
    pub(super) prepared: Prepared,
    /// Databases that the user has agreed to drop.
    agreed: BTreeSet<Oid>,
    /// Whether the plan is still that of a run with replication, which is not possible.
    copies_once: bool,
}

impl<'a> Dialogue<'a> {
    /// A dialogue about a run.
    pub(super) fn new(ui: &'a Ui, scope: &'a Scope) -> Self {
        Self {
            ui,
            scope,
            verbose: false,
            asks: false,
            shown: Vec::new(),
        }
    }

    /// Runs the checks, and asks about what refuses the run until nothing does. Whether to copy without replication is
    /// the last question, which [`confirm`](Self::confirm) asks after the plan was shown.
    ///
    /// # Errors
    /// A server cannot be read, the checks refuse the run, or the user declines.
    pub(super) async fn check(&mut self, mut options: Options) -> Result<Checked, Error> {
        let mut agreed = BTreeSet::new();
        let mut has_asked = false;
        loop {
            let prepared = self.examine(&options).await?;
            let count = prepared.errors();
            let proposal = prepared.proposal().filter(|_| self.asks);
            match proposal {
                None if count == 0 => {
                    return Ok(Checked {
                        options,
                        prepared,
                        agreed,
                        copies_once: false,
                    });
                }
                None => return Err(Error::Refused { count }),
                Some(Proposal::CopyOnce) => {
                    return Ok(Checked {
                        options: accept(&Proposal::CopyOnce, options, &prepared),
                        prepared,
                        agreed,
                        copies_once: true,
                    });
                }
                Some(proposal) => {
                    if !std::mem::replace(&mut has_asked, true) {
                        show_servers(self.ui, &prepared);
                    }
                    self.ask(&prepared, &proposal).await?;
                    if let Proposal::DropExisting(dropped) = &proposal {
                        agreed.extend(dropped.iter().map(|one| one.oid));
                    }
                    options = accept(&proposal, options, &prepared);
                }
            }
            // The plan holds the lock of the state file, which the next one takes.
            drop(prepared);
        }
    }

    /// Asks the question before the run, after its plan was shown.
    ///
    /// # Errors
    /// The user declines. If the run copies without replication, the checks are run again for that; they may refuse it.
    pub(super) async fn confirm(&mut self, checked: Checked) -> Result<Checked, Error> {
        if !checked.copies_once {
            self.ask_to_proceed(&checked).await?;
            return Ok(checked);
        }
        let Checked {
            options,
            prepared,
            agreed,
            ..
        } = checked;
        self.ask(&prepared, &Proposal::CopyOnce).await?;
        drop(prepared);
        let checked = Checked {
            prepared: self.examine(&options).await?,
            options,
            agreed,
            copies_once: false,
        };
        match checked.prepared.errors() {
            0 => {}
            count => return Err(Error::Refused { count }),
        }
        if checked.drops_more_than_agreed() {
            self.ask_to_proceed(&checked).await?;
        }
        Ok(checked)
    }

    /// Runs the checks and shows what earlier ones have not found.
    async fn examine(&mut self, options: &Options) -> Result<Prepared, Error> {
        let prepared = prepare(options, self.scope).await?;
        self.ui.keep_findings(&prepared.findings);
        let mut new = prepared.findings.clone();
        new.retain(|finding| !self.shown.contains(finding));
        show_findings(self.ui, &new, self.verbose);
        self.shown.extend(new);
        Ok(prepared)
    }

    async fn ask_to_proceed(&self, checked: &Checked) -> Result<(), Error> {
        let question = render_question(&checked.prepared, &checked.agreed);
        match self.ui.confirm(&question, &self.scope.stop).await? {
            true => Ok(()),
            false => Err(Error::Declined),
        }
    }

    /// Asks about a proposal, and shows the option that does the same.
    async fn ask(&self, prepared: &Prepared, proposal: &Proposal) -> Result<(), Error> {
        show_proposal(self.ui, proposal, self.verbose);
        let question = render_proposal(proposal, &prepared.servers.target.place);
        if !self.ui.confirm(&question, &self.scope.stop).await? {
            let flag = flag_of(proposal.setting());
            return Err(Error::ProposalDeclined { flag });
        }
        let option = render_option(proposal);
        self.ui
            .screen()
            .line(&format!("Equivalent option: {option}"));
        Ok(())
    }
}

/// The options with a change, and with the instant of the plan that the user has seen.
fn accept(proposal: &Proposal, options: Options, prepared: &Prepared) -> Options {
    let instant = prepared.instant.as_ref();
    let instant = instant.map(|instant| instant.as_str().to_owned());
    proposal.accept(Options {
        as_of: instant.or(options.as_of.clone()),
        ..options
    })
}

impl Checked {
    fn drops_more_than_agreed(&self) -> bool {
        let dropped = self.prepared.dropped();
        dropped.iter().any(|one| !self.agreed.contains(&one.oid))
    }
}

/// The option that does what a proposal does.
fn render_option(proposal: &Proposal) -> String {
    let flag = flag_of(proposal.setting());
    match proposal {
        Proposal::SnapshotOnly(tables) => {
            let items: Vec<String> = tables.iter().map(render_item).collect();
            format!("{flag} {}", shell_quote(&items.join(",")))
        }
        Proposal::DropExisting(_) | Proposal::CopyOnce => flag.to_owned(),
    }
}

/// A table in a list of a flag.
fn render_item(table: &DatabaseTable) -> String {
    let DatabaseTable { database, name } = table;
    let parts = [database, name.schema.as_str(), name.name.as_str()];
    parts.map(quote_name).join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::QualifiedName;

    #[test]
    fn the_option_repeats_the_answer() {
        let table = |database: &str, name: &str| DatabaseTable {
            database: database.to_owned(),
            name: QualifiedName::from_catalog("public", name),
        };
        let tables = vec![table("app", "orders"), table("it's", "a.b")];
        for (proposal, expected) in [
            (
                Proposal::SnapshotOnly(tables),
                r#"--snapshot-only-tables 'app.public.orders,it'\''s.public."a.b"'"#,
            ),
            (Proposal::DropExisting(Vec::new()), "--drop-existing"),
            (Proposal::CopyOnce, "--no-sync"),
        ] {
            assert_eq!(render_option(&proposal), expected);
        }
    }
}
