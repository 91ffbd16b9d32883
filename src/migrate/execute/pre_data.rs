//! The definitions that rows need. Extensions come first: the script of one may create objects that
//! do not become its members, such as a function that must outlive it. On the source these look like
//! objects of users; on the target they exist once the extension does.

use crate::catalog::Catalog;
use crate::connect::Endpoint;
use crate::ddl::{self, Kind, Script, Statement};
use crate::event::Phase;
use crate::migrate::execute::extensions;
use crate::migrate::execute::failure::Failure;
use crate::migrate::execute::missing::{join_refused, skip_dependents};
use crate::pg::Sides;
use crate::snapshot::{self, BuildTarget, Evaluation, Refused, Section, Tables};
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
    /// Whether optional objects that the target refuses may be missing.
    pub(crate) skip_refused: bool,
}

/// What the creation of definitions comes to.
pub(crate) struct Created {
    /// The script, as it fits what extensions have created.
    pub(crate) script: Script,
    /// What is missing.
    pub(crate) refused: Option<Refused>,
}

impl PreData<'_> {
    /// Creates the first half of a script; returns the script, as it fits what extensions have created.
    ///
    /// # Errors
    /// The target refused statements that may not be missing, after everything else was created; or a phase
    /// failed.
    pub(crate) async fn create_definitions(
        &self,
        options: &mut ddl::Options,
        script: Script,
        scope: &Scope,
    ) -> Result<Created, Failure> {
        let ddl::PreData {
            extensions: first,
            rest,
        } = script.split_extensions();
        if first.is_empty() {
            let refused = self.attempt(&script, rest, scope).await?;
            return self.judge(script, refused);
        }
        let refused = self.attempt(&script, first.clone(), scope).await?;
        let (script, rest) = match self.fit_to_extensions(options, &first).await? {
            None => (script, rest),
            Some(fitted) => {
                let is_done = |one: &&Statement| first.iter().any(|done| done.sql == one.sql);
                let rest = fitted.pre_data.iter().filter(|one| !is_done(one));
                let rest = rest.cloned().collect();
                (fitted, rest)
            }
        };
        let refused = match refused {
            None => self.attempt(&script, rest, scope).await?,
            Some(mut refused) => {
                // What does not depend on anything refused is created in any case: all refusals are reported.
                let others = skip_dependents(&script, rest, &mut refused);
                let further = self.attempt(&script, others, scope).await?;
                join_refused(Some(refused), further)
            }
        };
        self.judge(script, refused)
    }

    /// Decides whether the run continues without what was refused.
    fn judge(&self, script: Script, refused: Option<Refused>) -> Result<Created, Failure> {
        match refused {
            Some(refused) if !(self.skip_refused && refused.is_optional()) => {
                Err(Failure::refused(PHASE, refused))
            }
            refused => Ok(Created { script, refused }),
        }
    }

    /// Runs statements; returns what the target has refused, after everything else was created.
    async fn attempt(
        &self,
        script: &Script,
        statements: Vec<Statement>,
        scope: &Scope,
    ) -> Result<Option<Refused>, Failure> {
        match self.run_statements(script, statements, scope).await {
            Ok(()) => Ok(None),
            Err(failure) => failure.into_refused().map(Some),
        }
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
