//! Brings the steps of a script into order.
//!
//! Edges are those of `pg_depend`, which speaks of rows of system catalogs, and those that steps
//! add. A row belongs to the step that makes it: an inline default to its table, a view's rule to
//! its view, an array type to its element type. A row that no step makes hands on what it
//! depends on itself, or stands for its extension. Functions of a type need its name only.
//!
//! Between the sections stands a boundary, which needs every step before the rows and is needed
//! by every step after them. So a loop through it is a step before the rows that needs one behind
//! them, such as a view whose `GROUP BY` rests on a primary key.

use std::collections::{HashMap, HashSet};

use super::context::{Context, Placement, view_rules};
use super::graph::Graph;
use super::object::{self, NodeId, Object, Part};
use super::statement::{Kind, Label};
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
    /// The steps that a row of a catalog needs, for each row that a step makes.
    pub(super) needs_of_row: HashMap<ObjectId, Vec<usize>>,
}

impl<'a> Plan<'a> {
    /// Collects the steps and their edges.
    pub(super) fn new(context: &Context<'a>) -> Self {
        let steps = object::nodes(context).into_iter().map(|object| Step {
            label: object.label(context),
            rank: object.rank(context),
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

    fn steps(&self) -> impl Iterator<Item = (usize, &Step<'a>)> {
        let post = self.boundary() + 1;
        let behind = self.post_data.iter().enumerate();
        self.pre_data
            .iter()
            .enumerate()
            .chain(behind.map(move |(number, step)| (post + number, step)))
    }

    /// The rows of catalogs that steps make, and the step of each.
    pub(super) fn makers(&self, context: &Context<'a>) -> HashMap<ObjectId, usize> {
        let mut numbers = HashMap::new();
        let mut makers = HashMap::new();
        for (number, step) in self.steps() {
            numbers.insert(step.object.node(), number);
            let rows = step.object.rows(context);
            makers.extend(rows.into_iter().map(|row| (row, number)));
        }
        for (rule, relation) in view_rules(context.catalog) {
            let view = ObjectId::new(Class::Relation, relation);
            let maker = [Part::Query, Part::Definition]
                .into_iter()
                .find_map(|part| numbers.get(&part.of(view)));
            makers.extend(maker.map(|number| (rule, *number)));
        }
        makers
    }

    fn add_edges(&mut self, context: &Context<'a>) {
        let makers = self.makers(context);
        let resolver = Resolver::new(context, &makers);
        let numbers: HashMap<NodeId, usize> = self
            .steps()
            .map(|(number, step)| (step.object.node(), number))
            .collect();
        let apart = Apart::new(context, &numbers);
        for edge in &context.catalog.dependencies {
            if let Some(maker) = makers.get(&edge.from) {
                let needed = match apart.shell(edge) {
                    Some(shell) => vec![shell],
                    None => resolver.steps(edge.to),
                };
                let maker = apart.default(edge).unwrap_or(*maker);
                for step in [maker].into_iter().chain(apart.stub(edge)) {
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
            let needs = step.object.needs(context);
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
    (object.kind(), step.rank, &step.label, object.node())
}

/// The steps that make a part of what a row of a catalog stands for.
struct Apart<'p> {
    numbers: &'p HashMap<NodeId, usize>,
    /// For each function and the type that it belongs to, where these need each other: the step
    /// that makes the type's name, which is all that the function needs.
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

    /// A domain's default that is made apart needs what it names, which the domain does not.
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
    let node = object.node();
    let is_postponed = match context.placement(node.object) {
        Some(Placement::Postponed) => node.part == Part::Definition,
        Some(Placement::LateBody) => node.part == Part::Body,
        Some(Placement::Separate) => node.part == Part::Default,
        Some(Placement::Dummy) | None => false,
    };
    is_postponed || object.kind().is_post_data()
}

/// Finds the steps behind a row, also behind one that no step makes.
struct Resolver<'r> {
    makers: &'r HashMap<ObjectId, usize>,
    context: &'r Context<'r>,
    /// What the rows depend on that no step makes.
    unmade: HashMap<ObjectId, Vec<ObjectId>>,
}

impl<'r> Resolver<'r> {
    fn new(context: &'r Context<'r>, makers: &'r HashMap<ObjectId, usize>) -> Self {
        let mut unmade: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        for edge in &context.catalog.dependencies {
            if !makers.contains_key(&edge.from) {
                unmade.entry(edge.from).or_default().push(edge.to);
            }
        }
        Self {
            makers,
            context,
            unmade,
        }
    }

    fn steps(&self, row: ObjectId) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut left = vec![row];
        while let Some(row) = left.pop() {
            if let Some(maker) = self.makers.get(&row) {
                found.push(*maker);
            } else if let Some(extension) = self.context.catalog.members.get(&row) {
                let extension = ObjectId::new(Class::Extension, *extension);
                found.extend(self.makers.get(&extension));
            } else if seen.insert(row) {
                left.extend(self.unmade.get(&row).into_iter().flatten());
            }
        }
        found
    }
}
