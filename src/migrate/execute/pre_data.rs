//! The definitions that rows need. Extensions come first: the script of one may create objects that
//! do not become its members, such as a function that must outlive it. On the source these look like
//! objects of users; on the target they exist once the extension does.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::connect::Endpoint;
use crate::ddl::{self, Kind, Script, Statement};
use crate::event::Phase;
use crate::migrate::execute::extensions;
use crate::migrate::execute::failure::Failure;
use crate::pg::Sides;
use crate::snapshot::{self, BuildTarget, Evaluation, Refused, Section, Skipped, Tables};
use crate::task::Scope;

const PHASE: Phase = Phase::PreData;

/// The creation of the definitions that rows need.
pub(crate) struct PreData<'m> {
    /// The databases.
    pub(crate) endpoints: &'m Sides<Endpoint>,
    /// What is wanted, fitted to the target.
    pub(crate) catalog: &'m Catalog,
    /// How many sessions may work.
    pub(crate) jobs: usize,
    /// The settings under which the source evaluates what belongs to the database.
    pub(crate) evaluation: &'m Evaluation,
}

impl PreData<'_> {
    /// Creates the first half of a script; returns the script, as it fits what extensions have created.
    ///
    /// # Errors
    /// The target refused statements, after everything else was created; or a phase failed.
    pub(crate) async fn create_definitions(
        &self,
        options: &mut ddl::Options,
        script: Script,
        scope: &Scope,
    ) -> Result<Script, Failure> {
        let ddl::PreData {
            extensions: first,
            rest,
        } = script.split_extensions();
        if first.is_empty() {
            self.run_statements(&script, rest, scope).await?;
            return Ok(script);
        }
        let refused = match self.run_statements(&script, first.clone(), scope).await {
            Ok(()) => None,
            Err(failure) if failure.is_refusal() => failure.into_refused(),
            Err(failure) => return Err(failure),
        };
        let (script, rest) = match self.fit_to_extensions(options, &first).await? {
            None => (script, rest),
            Some(fitted) => {
                let is_done = |one: &&Statement| first.iter().any(|done| done.sql == one.sql);
                let rest = fitted.pre_data.iter().filter(|one| !is_done(one));
                let rest = rest.cloned().collect();
                (fitted, rest)
            }
        };
        match refused {
            None => self.run_statements(&script, rest, scope).await?,
            Some(refused) => {
                let all = self.run_others(&script, rest, refused, scope).await?;
                return Err(Failure::in_phase(PHASE)(snapshot::Error::Refused(all)));
            }
        }
        Ok(script)
    }

    /// Creates what does not depend on anything refused; returns all that was refused in the end.
    async fn run_others(
        &self,
        script: &Script,
        statements: Vec<Statement>,
        mut refused: Box<Refused>,
        scope: &Scope,
    ) -> Result<Box<Refused>, Failure> {
        let others = without_dependants(script, statements, &mut refused);
        match self.run_statements(script, others, scope).await {
            Ok(()) => {}
            Err(failure) if failure.is_refusal() => {
                if let Some(further) = failure.into_refused() {
                    refused.refusals.extend(further.refusals);
                    refused.skipped.extend(further.skipped);
                }
            }
            Err(failure) => return Err(failure),
        }
        Ok(refused)
    }

    async fn run_statements(
        &self,
        script: &Script,
        statements: Vec<Statement>,
        scope: &Scope,
    ) -> Result<(), Failure> {
        let section = Section::new(statements, &script.steps, &Tables::default());
        let target = BuildTarget {
            target: self.endpoints.target.clone(),
            database: self.endpoints.source.database().to_owned(),
            phase: Phase::PreData,
            evaluation: self.evaluation.clone(),
        };
        let running = snapshot::run_section(&target, section, self.jobs, scope);
        running.await.map_err(Failure::in_phase(PHASE))
    }

    /// Builds the script once more, if extensions have created anything that it would create as well.
    async fn fit_to_extensions(
        &self,
        options: &mut ddl::Options,
        first: &[Statement],
    ) -> Result<Option<Script>, Failure> {
        let Sides { source, target } = self.endpoints;
        let unowned = extensions::load_unowned(source, target).await;
        let unowned = unowned.map_err(Failure::connect(PHASE))?;
        let mut schemas = extensions::load_schemas(target)
            .await
            .map_err(Failure::connect(PHASE))?;
        schemas.retain(|name, _| {
            let label = ddl::Label::plain("schema", name);
            let is_ours = first
                .iter()
                .any(|one| one.kind == Kind::Schema && one.object == label);
            let is_wanted = self.catalog.schemas.iter().any(|own| own.name == *name);
            is_wanted && !is_ours && !options.target.existing_schemas.contains_key(name)
        });
        if unowned.is_empty() && schemas.is_empty() {
            return Ok(None);
        }
        options.target.existing_objects = unowned;
        options.target.existing_schemas.extend(schemas);
        let script = ddl::render_script(self.catalog, options);
        script.map(Some).map_err(Failure::Ddl)
    }
}

/// The statements that depend on nothing that was refused; the others are reported.
fn without_dependants(
    script: &Script,
    statements: Vec<Statement>,
    refused: &mut Refused,
) -> Vec<Statement> {
    let failed = refused.refusals.iter().map(|one| &one.object);
    let failed = failed.chain(refused.skipped.iter().map(|one| &one.object));
    let failed: BTreeSet<&String> = failed.collect();
    let mut causes: BTreeMap<usize, String> = script
        .pre_data
        .iter()
        .map(|one| (one.step, one.object.to_string()))
        .filter(|(_, label)| failed.contains(label))
        .collect();
    let (mut kept, mut skipped): (Vec<Statement>, Vec<Skipped>) = (Vec::new(), Vec::new());
    for statement in statements {
        let needs = &script.steps[statement.step].needs;
        let cause = needs.iter().find_map(|needed| causes.get(needed)).cloned();
        let Some(cause) = cause else {
            kept.push(statement);
            continue;
        };
        let object = statement.object.to_string();
        if causes.insert(statement.step, cause.clone()).is_none() {
            skipped.push(Skipped { object, cause });
        }
    }
    refused.skipped.extend(skipped);
    kept
}
