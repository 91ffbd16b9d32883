//! Functions, procedures and window functions.

use super::clause::{self, DollarQuoted};
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::cluster::Setting;
use crate::catalog::model::{Body, ObjectId, Parallel, Routine, RoutineKind, Volatility};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::omission::OmissionReason;
use crate::ddl::options::Options;
use crate::ddl::placement::Placement;
use crate::ddl::setting::render_setting;
use crate::ddl::target::Target;
use crate::pg::{Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for routine in &context.catalog.routines {
        if is_stub_first(context, routine) {
            nodes.push(Box::new(Stub(routine)));
            nodes.push(Box::new(WithBody(routine)));
        } else {
            nodes.push(Box::new(routine));
        }
    }
}

/// Whether a routine is created without its body at first.
fn is_stub_first(context: &Context<'_>, routine: &Routine) -> bool {
    matches!(
        context.placement(routine.id),
        Some(Placement::Dummy | Placement::LateBody)
    )
}

/// Whether the target takes a setting of a routine: it looks at it when the routine is created.
fn may_set(target: &Target, setting: &Setting) -> bool {
    target.settable.contains(&setting.name)
}

impl Routine {
    /// `FUNCTION name(arguments)`, as other statements name it.
    fn signature(&self) -> Sql {
        sql!(
            "{} {}({})",
            Sql::fixed(self.kind.word()),
            self.name,
            self.identity
        )
    }

    /// What the target does not let us say of it.
    pub(crate) fn omissions(&self, target: &Target) -> Vec<OmissionReason> {
        let mut reasons = Vec::new();
        if !target.is_superuser {
            if self.is_leakproof {
                reasons.push(OmissionReason::Superuser("LEAKPROOF".to_owned()));
            }
            if self.support.is_some() {
                let what = "a planner support function";
                reasons.push(OmissionReason::Superuser(what.to_owned()));
            }
        }
        let unknown = self.settings.iter().filter(|s| !may_set(target, s));
        reasons.extend(unknown.map(|s| OmissionReason::Setting(s.name.clone())));
        reasons
    }

    /// `CREATE` as whole; `CREATE` with a body that nothing can run, which is not looked at
    /// (`check_function_bodies`); and what brings the real body then.
    fn create(&self, options: &Options, form: Form) -> Sql {
        let or_replace = if form == Form::Replacing {
            "OR REPLACE "
        } else {
            ""
        };
        let mut create = sql!(
            "CREATE {}{} {}({})",
            Sql::fixed(or_replace),
            Sql::fixed(self.kind.word()),
            self.name,
            self.arguments
        );
        if let Some(result) = &self.result {
            create.push(&sql!(" RETURNS {}", result));
        }
        create.push(&sql!(" LANGUAGE {}", self.language));
        for part in self.attributes(options) {
            create.push(&sql!(" {}", part));
        }
        match &self.body {
            Body::Sql { .. } if form == Form::Stub => create.push(&Sql::fixed(" AS ''")),
            Body::Source(text) => create.push(&sql!(" AS {}", DollarQuoted(text))),
            Body::Library { file, symbol } => {
                create.push(&sql!(" AS {}, {}", Literal(file), Literal(symbol)));
            }
            Body::Sql { text, .. } => create.push(&sql!(" {}", text)),
        }
        create
    }

    /// The statements of these forms, and whose it is.
    fn made(&self, context: &Context<'_>, forms: &[Form]) -> Vec<Sql> {
        let signature = self.signature();
        let owner = clause::owner(context, &signature, &self.owner);
        let bound = clause::depends_on_extension(context, self.id, &signature);
        forms
            .iter()
            .map(|form| self.create(context.options, *form))
            .chain(owner)
            .chain(bound)
            .collect()
    }

    /// What differs from what `CREATE FUNCTION` assumes.
    fn attributes(&self, options: &Options) -> Vec<Sql> {
        let Options { target, include } = options;
        let mut parts = Vec::new();
        if !self.transforms.is_empty() {
            let types = self.transforms.iter().map(|name| sql!("FOR TYPE {}", name));
            parts.push(sql!("TRANSFORM {}", Sql::join(types, ", ")));
        }
        let flags = [
            (self.kind == RoutineKind::Window, "WINDOW"),
            (self.is_strict, "STRICT"),
            (self.is_security_definer, "SECURITY DEFINER"),
            (self.is_leakproof && target.is_superuser, "LEAKPROOF"),
        ];
        let words = flags
            .into_iter()
            .filter_map(|(set, word)| set.then_some(word));
        parts.extend(words.map(Sql::fixed));
        if self.volatility != Volatility::Volatile {
            parts.push(Sql::fixed(self.volatility.word()));
        }
        if self.parallel != Parallel::Unsafe {
            parts.push(sql!("PARALLEL {}", Sql::fixed(self.parallel.word())));
        }
        parts.extend(self.estimates());
        if let Some(support) = self.support.as_ref().filter(|_| target.is_superuser) {
            parts.push(sql!("SUPPORT {}", support));
        }
        parts.extend(
            self.settings
                .iter()
                .filter(|s| may_set(target, s))
                .map(|s| sql!("SET {}", render_setting(&include.role_map.setting(s)))),
        );
        parts
    }

    /// Cost and rows, where they are not the defaults of the language.
    fn estimates(&self) -> Vec<Sql> {
        let number = |value: f32| Sql::deparsed(value.to_string());
        let is_compiled = matches!(self.language.as_str(), "internal" | "c");
        let usual_cost: f32 = if is_compiled { 1.0 } else { 100.0 };
        let differs = |value: f32, usual: f32| (value - usual).abs() > f32::EPSILON;
        let mut estimates = Vec::new();
        if differs(self.cost, usual_cost) {
            estimates.push(sql!("COST {}", number(self.cost)));
        }
        if self.returns_set && self.rows > 0.0 && differs(self.rows, 1000.0) {
            estimates.push(sql!("ROWS {}", number(self.rows)));
        }
        estimates
    }
}

impl Object for &Routine {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Routine
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let word = match self.kind {
            RoutineKind::Function | RoutineKind::Window => "function",
            RoutineKind::Procedure => "procedure",
        };
        Label::qualified(word, &self.name).with_detail(&format!("({})", self.identity.as_str()))
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        let is_compiled = matches!(self.language.as_str(), "internal" | "c");
        if is_compiled {
            Some("functions in C")
        } else {
            (!self.is_trusted).then_some("functions in languages that are not trusted")
        }
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let forms: &[Form] = match self.body {
            Body::Sql {
                names_itself: true, ..
            } => &[Form::Stub, Form::Replacing],
            Body::Sql { .. } | Body::Source(_) | Body::Library { .. } => &[Form::Whole],
        };
        self.made(context, forms)
    }
}

/// How much of a routine a statement creates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// All of it.
    Whole,
    /// What others need in order to call it.
    Stub,
    /// All of it, where the stub was.
    Replacing,
}

/// A routine without its body.
struct Stub<'a>(&'a Routine);

impl Object for Stub<'_> {
    fn node_id(&self) -> NodeId {
        Part::Shell.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::Routine
    }

    fn build_label(&self, context: &Context<'_>) -> Label {
        self.0.build_label(context)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn defined_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.0.id]
    }

    fn is_stub(&self) -> bool {
        true
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        vec![self.0.create(context.options, Form::Stub)]
    }
}

/// The body of a routine that was created without it.
struct WithBody<'a>(&'a Routine);

impl Object for WithBody<'_> {
    fn node_id(&self) -> NodeId {
        Part::Body.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::Routine
    }

    fn build_label(&self, context: &Context<'_>) -> Label {
        self.0.build_label(context)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.0.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Shell.of(self.0.id)]
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        self.0.made(context, &[Form::Replacing])
    }
}
