//! What tables mean that are not replicated as they should be.

use super::{Problem, Seen, problem};
use crate::cluster::Code;
use crate::pg::Side;
use crate::remedy::{Command, Remedy};
use crate::status::report::{TableTrouble, TroubledTable, Verdict};

impl Seen<'_> {
    /// Judges tables that are not replicated as they should be.
    pub(super) fn judge_tables(&self) -> Vec<Problem> {
        self.troubled
            .iter()
            .map(|one| self.judge_table(one))
            .collect()
    }

    fn judge_table(&self, troubled: &TroubledTable) -> Problem {
        let table = &troubled.table;
        let sync = |purpose: &'static str| Remedy::invoke(purpose, Command::Sync);
        let found = match &troubled.trouble {
            TableTrouble::NotReady(state) => {
                let message = format!("table {table} is {}", state.name());
                problem(Verdict::Lagging, Code::TableNotReady, Side::Target, message)
            }
            TableTrouble::MissingOnTarget => {
                let message = format!("published table {table} is missing");
                let code = Code::TableMissingOnTarget;
                problem(Verdict::Lagging, code, Side::Target, message).remedy(format!(
                    "create table {table} on the target as on the source"
                ))
            }
            TableTrouble::NotSubscribed => {
                let message = format!("published table {table} is not replicated yet");
                let code = Code::TableNotSubscribed;
                problem(Verdict::Lagging, code, Side::Target, message).remedy(sync("add it"))
            }
            TableTrouble::Unpublished => {
                let message = format!(
                    "table {table} is replicated, and no longer published: changes since then are missing"
                );
                let code = Code::TableNotPublished;
                problem(Verdict::Broken, code, Side::Source, message).remedy(Remedy::Steps(vec![
                    "empty it on the target".into(),
                    format!(
                        "run there: ALTER SUBSCRIPTION {} REFRESH PUBLICATION WITH (copy_data = false);",
                        self.names.subscription
                    )
                    .into(),
                    sync("copy it again"),
                ]))
            }
            TableTrouble::LostIdentity(why) => {
                let message =
                    format!("published table {table} {why}: UPDATE and DELETE fail on the source");
                let code = Code::LostReplicaIdentity;
                problem(Verdict::Broken, code, Side::Source, message)
                    .remedy("give it a primary key or another replica identity on the source")
            }
            TableTrouble::NotPublished => {
                let message = format!("table {table} is selected and not published");
                let code = Code::TableNotPublished;
                problem(Verdict::Lagging, code, Side::Source, message)
                    .remedy(sync("add it, once it exists on the target"))
            }
            TableTrouble::NotPublishable(why) => {
                let message = format!("table {table} {why}, and is not published");
                let code = Code::TableNotPublishable;
                problem(Verdict::Lagging, code, Side::Source, message)
                    .remedy(sync("add it, once it has a replica identity"))
            }
        };
        let mut found = found.about(table);
        if found.finding.side == Some(Side::Target) && self.target_database != self.database {
            found.finding = found.finding.in_database(self.target_database);
        }
        found
    }
}
