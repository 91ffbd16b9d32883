//! Brings the steps of a script into order.
//!
//! Edges are those of `pg_depend`, which speaks of rows of system catalogs, and those that steps
//! add. A row belongs to the step that creates it. So an inline default belongs to its table, a view's rule to
//! its view, and an array type to its element type. A row that no step creates passes on what it
//! depends on itself, or counts as its extension. Functions of a type need its name only.
//!
//! Between the sections is a boundary, which needs every step before the rows and is needed
//! by every step after them. So a cycle through it is a step before the rows that needs one behind
//! them. An example is a view whose `GROUP BY` depends on a primary key.

use std::collections::{HashMap, HashSet};

use super::context::Context;
use super::graph::Graph;
use super::kind::Kind;
use super::label::Label;
use super::lookup::find_view_rules;
use super::object::{self, NodeId, Object, Part};
use super::placement::Placement;
use crate::catalog::Class;
use crate::catalog::model::{Dependency, ObjectId};

/// A step with its name, which is asked for often.
pub(super) struct Step<'a> {
    /// Its name, which decides the order within its kind.
    pub(super) label: Label,
    /// Its place among the steps of its kind, before their names decide.
    rank: u8,
    /// What it is.
    pub(super) object: Box<dyn Object + 'a>,
}

/// Steps and what they need. Numbers count the steps before the rows, then the boundary, then
/// those after them.
pub(super) struct Plan<'a> {
    /// The steps before the rows.
    pre_data: Vec<Step<'a>>,
    /// The steps after the rows.
    post_data: Vec<Step<'a>>,
    /// What needs what.
    pub(super) graph: Graph,
    /// The steps that a row of a catalog needs, for each row that a step creates.
    pub(super) needs_of_row: HashMap<ObjectId, Vec<usize>>,
}

impl<'a> Plan<'a> {
    /// Collects the steps and their edges.
    pub(super) fn new(context: &Context<'a>) -> Self {
        let steps = object::collect_steps(context)
            .into_iter()
            .map(|object| Step {
                label: object.build_label(context),
                rank: object.sort_rank(context),
                object,
            });
        let (mut post_data, mut pre_data): (Vec<_>, Vec<_>) =
            steps.partition(|step| is_post_data(context, &*step.object));
        for section in [&mut pre_data, &mut post_data] {
            section.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        }
        let mut plan = Self {
            graph: Graph::new(pre_data.len() + 1 + post_data.len()),
            pre_data,
            post_data,
            needs_of_row: HashMap::new(),
        };
        plan.add_edges(context);
        plan
    }

    /// The number of the boundary between the sections.
    pub(super) fn boundary(&self) -> usize {
        self.pre_data.len()
    }

    /// A step by its number; None for the boundary.
    pub(super) fn step(&self, number: usize) -> Option<&Step<'a>> {
        match number.checked_sub(self.boundary() + 1) {
            Some(post) => self.post_data.get(post),
            None => self.pre_data.get(number),
        }
    }

    /// The steps with their numbers.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, &Step<'a>)> {
        let post = self.boundary() + 1;
        let behind = self.post_data.iter().enumerate();
        self.pre_data
            .iter()
            .enumerate()
            .chain(behind.map(move |(number, step)| (post + number, step)))
    }

    /// The rows of catalogs that steps create, and the step of each.
    pub(super) fn find_creators(&self, context: &Context<'a>) -> HashMap<ObjectId, usize> {
        let mut numbers = HashMap::new();
        let mut creators = HashMap::new();
        for (number, step) in self.steps() {
            numbers.insert(step.object.node_id(), number);
            let rows = step.object.created_rows(context);
            creators.extend(rows.into_iter().map(|row| (row, number)));
        }
        for (rule, relation) in find_view_rules(context.catalog) {
            let view = ObjectId::new(Class::Relation, relation);
            let creator = [Part::Query, Part::Definition]
                .into_iter()
                .find_map(|part| numbers.get(&part.of(view)));
            creators.extend(creator.map(|number| (rule, *number)));
        }
        creators
    }

    fn add_edges(&mut self, context: &Context<'a>) {
        let creators = self.find_creators(context);
        let resolver = Resolver::new(context, &creators);
        let numbers: HashMap<NodeId, usize> = self
            .steps()
            .map(|(number, step)| (step.object.node_id(), number))
            .collect();
        let apart = Apart::new(context, &numbers);
        for edge in &context.catalog.dependencies {
            if let Some(creator) = creators.get(&edge.from) {
                let needed = match apart.shell(edge) {
                    Some(shell) => vec![shell],
                    None => resolver.steps(edge.to),
                };
                let creator = apart.default(edge).unwrap_or(*creator);
                for step in [creator].into_iter().chain(apart.stub(edge)) {
                    needed
                        .iter()
                        .for_each(|number| self.graph.add(step, *number));
                }
                self.needs_of_row
                    .entry(edge.from)
                    .or_default()
                    .extend(needed);
            }
        }
        self.add_needs(context, &numbers);
        self.graph.finish();
    }

    /// Adds what steps need although no catalog says so, and the boundary.
    fn add_needs(&mut self, context: &Context<'a>, numbers: &HashMap<NodeId, usize>) {
        let boundary = self.boundary();
        let mut edges = Vec::new();
        for (number, step) in self.steps() {
            let needs = step.object.extra_needs(context);
            let needs = needs.iter().filter_map(|node| numbers.get(node));
            edges.extend(needs.map(|needed| (number, *needed)));
            edges.push(if number < boundary {
                (boundary, number)
            } else {
                (number, boundary)
            });
        }
        for (number, needed) in edges {
            self.graph.add(number, needed);
        }
    }
}

fn sort_key<'s>(step: &'s Step<'_>) -> (Kind, u8, &'s Label, NodeId) {
    let object = &step.object;
    (object.kind(), step.rank, &step.label, object.node_id())
}

/// The steps that create a part of what a row of a catalog describes.
struct Apart<'p> {
    numbers: &'p HashMap<NodeId, usize>,
    /// For each function and its type, where these depend on each other: the step that creates the type's
    /// name. That is all that the function needs.
    shells: HashMap<(ObjectId, ObjectId), usize>,
}

impl<'p> Apart<'p> {
    fn new(context: &Context<'_>, numbers: &'p HashMap<NodeId, usize>) -> Self {
        let edges = context.catalog.dependencies.iter();
        let functions = edges.filter(|edge| edge.to.class == Class::Routine);
        let shells = functions
            .filter(|edge| edge.from.class == Class::Type)
            .filter_map(|edge| {
                let shell = numbers.get(&Part::Shell.of(edge.from))?;
                Some(((edge.to, edge.from), *shell))
            })
            .collect();
        Self { numbers, shells }
    }

    fn number(&self, part: Part, object: ObjectId) -> Option<usize> {
        self.numbers.get(&part.of(object)).copied()
    }

    /// What a dependant needs only the name of: a type of its functions, a routine of others.
    fn shell(&self, edge: &Dependency) -> Option<usize> {
        let of_type = self.shells.get(&(edge.from, edge.to)).copied();
        let are_routines = [edge.from, edge.to]
            .iter()
            .all(|id| id.class == Class::Routine);
        of_type.or_else(|| {
            are_routines
                .then(|| self.number(Part::Shell, edge.to))
                .flatten()
        })
    }

    /// A routine without its body has its arguments' types already.
    fn stub(&self, edge: &Dependency) -> Option<usize> {
        let is_of_signature = matches!(
            edge.to.class,
            Class::Type | Class::Schema | Class::Language | Class::Extension
        );
        (edge.from.class == Class::Routine && is_of_signature)
            .then(|| self.number(Part::Shell, edge.from))
            .flatten()
    }

    /// A domain's default that is created separately needs what it names, which the domain does not.
    fn default(&self, edge: &Dependency) -> Option<usize> {
        let is_of_domain = matches!(
            edge.to.class,
            Class::Type | Class::Schema | Class::Collation | Class::Extension
        );
        (edge.from.class == Class::Type && !is_of_domain)
            .then(|| self.number(Part::Default, edge.from))
            .flatten()
    }
}

fn is_post_data(context: &Context<'_>, object: &dyn Object) -> bool {
    let node = object.node_id();
    let is_postponed = match context.placement(node.object) {
        Some(Placement::Postponed) => node.part == Part::Definition,
        Some(Placement::LateBody) => node.part == Part::Body,
        Some(Placement::Separate) => node.part == Part::Default,
        Some(Placement::Dummy) | None => false,
    };
    is_postponed || object.kind().is_post_data()
}

/// Finds the steps behind a row, also behind one that no step creates.
struct Resolver<'r> {
    creators: &'r HashMap<ObjectId, usize>,
    context: &'r Context<'r>,
    /// What the rows depend on that no step creates.
    waiting_for: HashMap<ObjectId, Vec<ObjectId>>,
}

impl<'r> Resolver<'r> {
    fn new(context: &'r Context<'r>, creators: &'r HashMap<ObjectId, usize>) -> Self {
        let mut waiting_for: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        for edge in &context.catalog.dependencies {
            if !creators.contains_key(&edge.from) {
                waiting_for.entry(edge.from).or_default().push(edge.to);
            }
        }
        Self {
            creators,
            context,
            waiting_for,
        }
    }

    fn steps(&self, row: ObjectId) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut left = vec![row];
        while let Some(row) = left.pop() {
            if let Some(creator) = self.creators.get(&row) {
                found.push(*creator);
            } else if let Some(extension) = self.context.catalog.members.get(&row) {
                let extension = ObjectId::new(Class::Extension, *extension);
                found.extend(self.creators.get(&extension));
            } else if seen.insert(row) {
                left.extend(self.waiting_for.get(&row).into_iter().flatten());
            }
        }
        found
    }
}
