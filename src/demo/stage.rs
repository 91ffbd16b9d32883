//! What the demo shows, step by step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a step has counted or measured, by name.
pub type Numbers = BTreeMap<&'static str, u64>;

/// One thing shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub name: &'static str,
    /// What it proves.
    pub proof: Proof,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a step proves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The result in words; or what is wrong.
    pub shown: String,
    /// Whether it is proved.
    pub proved: bool,
    /// What was counted or measured.
    pub numbers: Numbers,
}

impl Proof {
    /// Creates a proof with the numbers that it is about.
    pub(super) fn new<const COUNT: usize>(
        proved: bool,
        shown: String,
        numbers: [(&'static str, u64); COUNT],
    ) -> Self {
        Self {
            shown,
            proved,
            numbers: Numbers::from(numbers),
        }
    }
}

/// What the demo showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In order.
    pub steps: Vec<Step>,
    /// Folders that stay.
    pub kept: Vec<PathBuf>,
    /// The whole demo.
    pub elapsed: Duration,
}

impl Report {
    /// Whether every step proved what it should.
    pub fn is_proved(&self) -> bool {
        self.steps.iter().all(|step| step.proof.proved)
    }
}

/// What receives each step as it ends.
pub type ShowStep<'a> = &'a (dyn Fn(&Step) + Sync);

/// What has been shown so far.
pub(super) struct Stage<'a> {
    pub(super) report: Report,
    show: ShowStep<'a>,
    since: Instant,
}

impl<'a> Stage<'a> {
    /// Begins the first step.
    pub(super) fn new(show: ShowStep<'a>) -> Self {
        Self {
            report: Report::default(),
            show,
            since: Instant::now(),
        }
    }

    /// Ends a step and begins the next one.
    pub(super) fn show_step(&mut self, name: &'static str, proof: Proof) {
        let step = Step {
            name,
            proof,
            elapsed: self.since.elapsed(),
        };
        (self.show)(&step);
        self.report.steps.push(step);
        self.since = Instant::now();
    }
}
