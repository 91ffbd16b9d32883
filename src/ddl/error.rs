//! Why there is no script.

use std::fmt;

use super::label::Label;

/// Why there is no script.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Objects depend on each other in a way that no known repair takes apart.
    #[error("circular dependency: {}", list(objects))]
    CircularDependency {
        /// The objects of the cycle.
        objects: Vec<Label>,
    },
    /// The target's version is older, and has nothing to replace these objects with.
    #[error("unsupported on the target: {}", list(objects))]
    UnsupportedOnTarget {
        /// The objects, and the features that the target lacks.
        objects: Vec<RefusedObject>,
    },
    /// The target's version is newer, and no longer accepts these objects as they are.
    #[error("the target cannot create {}", list(objects))]
    RemovedOnTarget {
        /// The objects, and why the target refuses them.
        objects: Vec<RefusedObject>,
    },
    /// The target has no postfix operators.
    #[error("postfix operators are unsupported on the target: {}", list(operators))]
    PostfixOperators {
        /// The operators.
        operators: Vec<Label>,
    },
}

/// An object that the target's version does not accept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusedObject {
    /// The object.
    pub object: Label,
    /// The feature that the target lacks, or why it refuses the object.
    pub reason: &'static str,
}

impl RefusedObject {
    pub(super) const fn new(object: Label, reason: &'static str) -> Self {
        Self { object, reason }
    }
}

impl fmt::Display for RefusedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.object, self.reason)
    }
}

fn list(objects: &[impl fmt::Display]) -> String {
    let names: Vec<String> = objects.iter().map(ToString::to_string).collect();
    names.join(", ")
}
