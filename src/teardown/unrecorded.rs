use crate::remedy::{ObjectRemedy, Remedy};

/// What teardown finds and leaves alone: of another run, or of one that no local state records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnrecordedObject {
    /// What it is, and where.
    pub what: String,
    /// What removes it, where that is known.
    pub remedy: Option<Remedy>,
}

impl UnrecordedObject {
    /// Something without a known way to remove it.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: None,
        }
    }

    /// Returns what removes it, with its name.
    pub(crate) fn remedy_of_object(&self) -> Option<ObjectRemedy> {
        Some(ObjectRemedy {
            object: self.what.clone(),
            remedy: self.remedy.clone()?,
        })
    }

    /// Adds what removes it.
    #[must_use]
    pub(crate) fn removed_by(self, remedy: Remedy) -> Self {
        Self {
            remedy: Some(remedy),
            ..self
        }
    }
}
