//! The state of a running section, and the steps that one worker runs: transactions are sent one after the other,
//! without waiting for the answers to those before.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::message::{begin_message, commit_message, render_messages};
use super::schedule::state::Schedule;
use super::section::Section;
use super::target::BuildTarget;
use super::transaction::{FailedStatement, Outcome, SentTransaction, read_answers};
use super::verdict::{Verdict, judge_refusal, names_what_is_missing};
use crate::catalog;
use crate::connect::{Purpose, Session, Tuning};
use crate::ddl::{Necessity, Statement};
use crate::event::{Event, Warning};
use crate::pg::{Oid, Sql, readable};
use crate::snapshot::error::Error;
use crate::snapshot::evaluation::{Around, Evaluation};
use crate::snapshot::refusal::{Reason, Refusal, Refused};
use crate::task::Scope;
use crate::transfer::{Fact, Ledger};

/// Transactions under way at once: enough that the server never waits for the network.
const FLIGHT: usize = 6;

/// Returns the critical path below which a worker takes no further steps.
type LeastPath<'l> = &'l (dyn Fn() -> u64 + Sync);

/// The state that the workers of a section share.
pub(crate) struct SectionRun {
    pub(super) target: BuildTarget,
    pub(super) section: Section,
    schedule: Mutex<Schedule>,
    refusals: Mutex<Vec<RefusedStatement>>,
    changed: Notify,
    done: AtomicUsize,
    /// Bytes of the tables that the ended steps have read, and those of all steps.
    read_bytes: AtomicU64,
    total_bytes: u64,
    tuning: Tuning,
    ledger: Ledger,
    /// The messages by which steps were refused that are run again with the database's search path.
    with_path: Mutex<HashMap<usize, String>>,
}

/// A refused statement of the section.
pub(super) struct RefusedStatement {
    pub(super) number: usize,
    pub(super) reason: Reason,
}

impl SectionRun {
    pub(super) fn new(
        target: BuildTarget,
        section: Section,
        schedule: Schedule,
        tuning: Tuning,
        ledger: Ledger,
    ) -> Self {
        Self {
            tuning,
            ledger,
            with_path: Mutex::default(),
            target,
            section,
            total_bytes: schedule.total_weight(),
            schedule: Mutex::new(schedule),
            refusals: Mutex::default(),
            changed: Notify::new(),
            done: AtomicUsize::new(0),
            read_bytes: AtomicU64::new(0),
        }
    }

    /// Opens a session that builds, with its share of the target's memory.
    pub(crate) async fn open_session(&self) -> Result<Session, Error> {
        let opened = self.target.target.session(Purpose::Build).await;
        let session = opened.map_err(Error::Connect)?;
        self.tuning.apply(&session).await.map_err(Error::Connect)?;
        Ok(session)
    }

    /// Returns the settings of the source's database that the target accepts.
    pub(crate) fn evaluation(&self) -> &Evaluation {
        &self.target.evaluation
    }

    /// Wakes when a task may have become ready, or everything has ended.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Records that all rows of these tables have arrived, and wakes all workers.
    pub(crate) fn rows_loaded(&self, tables: &[Oid]) {
        self.schedule().rows_loaded(tables);
        self.changed.notify_waiters();
    }

    /// Returns the critical path of the step that a worker would take now; None if there is none.
    pub(crate) fn next_critical_path(&self, worker: usize) -> Option<u64> {
        self.schedule().next_critical_path(worker)
    }

    /// Returns the longest work that waits for each table's rows.
    pub(crate) fn critical_paths(&self) -> HashMap<Oid, u64> {
        self.schedule().critical_paths_of_tables()
    }

    /// Whether every step has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.schedule().is_finished()
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        let schedule = self.schedule.lock();
        schedule.expect("no worker panics while it uses the schedule")
    }

    /// Returns the refused statements in their order, once.
    pub(super) fn take_refusals(&self) -> Vec<RefusedStatement> {
        let mut refusals = std::mem::take(&mut *self.refusals());
        refusals.sort_by_key(|refused| refused.number);
        refusals
    }

    /// Returns the steps that were not attempted, each with the refused one that it depends on.
    pub(super) fn skipped_steps(&self) -> Vec<(usize, usize)> {
        self.schedule().skipped_steps().collect()
    }

    /// Runs steps until all have ended. Call it in `run_stoppable`, which cancels on the server.
    pub(super) async fn run_all_steps(
        &self,
        worker: usize,
        session: &Session,
        scope: &Scope,
    ) -> Result<(), Error> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            self.run_ready_steps(worker, session, &|| 0, scope).await?;
            if self.schedule().is_finished() {
                return Ok(());
            }
            tokio::select! {
                () = changed => {}
                () = scope.stop.cancelled() => return Err(Error::Stopped),
            }
        }
    }

    /// Runs steps until none is ready for this worker, or until the ready ones have shorter critical paths than
    /// `least_path`. Call it in `run_stoppable`, which cancels on the server.
    pub(crate) async fn run_ready_steps(
        &self,
        worker: usize,
        session: &Session,
        least_path: LeastPath<'_>,
        scope: &Scope,
    ) -> Result<(), Error> {
        let mut flight = VecDeque::new();
        loop {
            if scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            self.send_ready_steps(worker, session, least_path, &mut flight)
                .await?;
            let Some(sent) = flight.pop_front() else {
                return Ok(());
            };
            let steps = sent.steps.clone();
            let compared = self.run_compared(session, &steps).await;
            let outcome = match compared {
                Some(outcome) => outcome,
                None => read_answers(sent).await,
            };
            match outcome {
                Outcome::Committed => {
                    self.end_steps(|schedule| schedule.commit_steps(worker, &steps));
                    self.report_created(&steps, scope).await;
                    self.warn_of_path(&steps, scope).await;
                }
                Outcome::Refused(_) if scope.stop.is_cancelled() => return Err(Error::Stopped),
                Outcome::Refused(failed) => {
                    // They are in the same session, whose transactions are rolled back.
                    flight.clear();
                    self.roll_back(worker, session, &steps, failed).await?;
                }
            }
            self.changed.notify_waiters();
        }
    }

    /// Sends transactions while the session can take more.
    async fn send_ready_steps(
        &self,
        worker: usize,
        session: &Session,
        least_path: LeastPath<'_>,
        flight: &mut VecDeque<SentTransaction>,
    ) -> Result<(), Error> {
        while flight.len() < FLIGHT {
            let may_queue = |sent: &SentTransaction| self.schedule().may_queue(&sent.steps);
            if !flight.iter().all(may_queue) {
                return Ok(());
            }
            // Called before the schedule is locked: it locks the queues.
            let least_path = least_path();
            let steps = self.schedule().take_steps(worker, least_path);
            if steps.is_empty() {
                return Ok(());
            }
            flight.push_back(self.send_steps(session, steps).await?);
        }
        Ok(())
    }

    /// Sends a transaction. A step that is compared is not sent ahead, but run when its turn comes.
    async fn send_steps(
        &self,
        session: &Session,
        steps: Vec<usize>,
    ) -> Result<SentTransaction, Error> {
        if steps
            .iter()
            .any(|step| self.section.paths.contains_key(step))
        {
            let answers = Vec::new();
            return Ok(SentTransaction { steps, answers });
        }
        let ranges: Vec<_> = steps
            .iter()
            .map(|step| self.section.ranges[*step].clone())
            .collect();
        let statements = &self.section.statements;
        let around = |number| self.around(number);
        let messages = render_messages(statements, &ranges, &around);
        let mut numbers = ranges.iter().cloned().flatten();
        let messages = if numbers.any(|number| statements[number].needs_no_transaction) {
            messages
        } else {
            let begin = [begin_message()].into_iter();
            let commit = [commit_message(&session.commit())];
            begin.chain(messages).chain(commit).collect()
        };
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let answer = session.send(&message.sql).await;
            let answer =
                answer.map_err(|error| self.session_error(&steps, Reason::Answer(error)))?;
            answers.push((message, answer));
        }
        Ok(SentTransaction { steps, answers })
    }

    /// Returns the statements around a statement: the settings of the source's database if it evaluates something,
    /// and the database's search path if the step runs with that.
    pub(super) fn around(&self, number: usize) -> Option<Around> {
        let statement = &self.section.statements[number];
        if statement.needs_no_transaction {
            return None;
        }
        let step = self.section.step_of(number);
        let is_analysis = self.section.analyzed_table(step).is_some();
        let evaluation = &self.target.evaluation;
        let around = evaluation.around(statement.kind, is_analysis);
        let has_path = self.schedule().has_search_path(step);
        let path = has_path.then(|| evaluation.function_path()).flatten();
        match (path, around) {
            (Some(path), Some(around)) => Some(path.outside(&around)),
            (path, around) => path.or(around),
        }
    }

    /// Rolls back the session's transactions, and decides what happens to their steps.
    async fn roll_back(
        &self,
        worker: usize,
        session: &Session,
        steps: &[usize],
        failed: FailedStatement,
    ) -> Result<(), Error> {
        let FailedStatement { statement, reason } = failed;
        let verdict = judge_refusal(&reason);
        let culprit = statement.or_else(|| {
            let last = steps.iter().rev().map(|step| &self.section.ranges[*step]);
            last.filter_map(|range| range.clone().last()).next()
        });
        let Some(culprit) = culprit.filter(|_| verdict != Verdict::End) else {
            return Err(self.session_error(steps, reason));
        };
        let rollback = session.batch(&Sql::fixed("ROLLBACK")).await;
        rollback.map_err(|error| self.session_error(steps, Reason::Answer(error)))?;
        let mut schedule = self.schedule();
        schedule.return_steps(worker);
        let is_single = steps.len() == 1 && schedule.is_single(steps[0]);
        if !is_single && (verdict == Verdict::Crowded || statement.is_none()) {
            // The culprit is found by running its steps one by one.
            schedule.run_alone(steps);
            return Ok(());
        }
        drop(schedule);
        let may_succeed_later = reason
            .answer()
            .is_some_and(|answer| names_what_is_missing(answer.code));
        let number = culprit;
        self.refusals().push(RefusedStatement { number, reason });
        let step = self.section.step_of(culprit);
        self.end_steps(|schedule| schedule.refuse_step(step, may_succeed_later));
        Ok(())
    }

    /// Records that steps have ended, and makes steps ready again that may succeed now. Under one
    /// lock: no worker may see a finished schedule between the two.
    fn end_steps(&self, end: impl FnOnce(&mut Schedule)) {
        let mut schedule = self.schedule();
        end(&mut schedule);
        let retried = schedule.retry_steps();
        if retried.is_empty() {
            return;
        }
        let mut with_path = self.with_path();
        self.refusals().retain(|refused| {
            let step = self.section.step_of(refused.number);
            if schedule.has_search_path(step) {
                let answer = refused.reason.answer();
                let message = answer.map(|answer| readable(&answer.message));
                with_path.entry(step).or_insert(message.unwrap_or_default());
            }
            !retried.contains(&step)
        });
    }

    fn with_path(&self) -> MutexGuard<'_, HashMap<usize, String>> {
        let with_path = self.with_path.lock();
        with_path.expect("no worker panics while it adds one")
    }

    /// Warns of steps that were created only with the database's search path.
    async fn warn_of_path(&self, steps: &[usize], scope: &Scope) {
        for step in steps {
            let error = self.with_path().remove(step);
            if let Some(cause) = error {
                let object = self.section.label(*step);
                let warning = Warning::ReliesOnPath { object, cause };
                scope.events.emit(Event::Warning(warning)).await;
            }
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<RefusedStatement>> {
        let refusals = self.refusals.lock();
        refusals.expect("no worker panics while it adds one")
    }

    /// Returns the error of a session that cannot continue.
    fn session_error(&self, steps: &[usize], reason: Reason) -> Error {
        let first = steps.iter().find_map(|step| {
            let range = self.section.ranges[*step].clone();
            self.section.statements[range].first()
        });
        match first {
            None => Error::Interrupted,
            Some(first) => statement_error(first, reason),
        }
    }

    async fn report_created(&self, steps: &[usize], scope: &Scope) {
        for step in steps {
            if self.section.analyzed_table(*step).is_none() {
                let object = self.section.label(*step);
                self.ledger.note(Fact::Definition { object }).await;
            }
        }
        let count: usize = steps
            .iter()
            .map(|step| self.section.ranges[*step].len())
            .sum();
        self.done.fetch_add(count, Ordering::Relaxed);
        let read = self.schedule().weight_of(steps);
        self.read_bytes.fetch_add(read, Ordering::Relaxed);
        self.report_progress(scope);
    }

    /// Reports how many statements are done, and how many bytes their steps have read.
    pub(crate) fn report_progress(&self, scope: &Scope) {
        scope.events.tick(Event::StatementsProgress {
            database: self.target.database.clone(),
            phase: self.target.phase,
            done: self.done.load(Ordering::Relaxed),
            total: self.section.statements.len(),
            bytes: self.read_bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes,
        });
    }
}

/// Returns the error of a statement that ends its session.
fn statement_error(first: &Statement, reason: Reason) -> Error {
    let (object, statement) = (first.object.to_string(), None);
    match reason {
        Reason::Answer(source) | Reason::Catalog(catalog::Error::Query { source, .. }) => {
            Error::Statement {
                object,
                statement,
                source,
            }
        }
        source @ (Reason::Catalog(_) | Reason::Mismatch(_)) => {
            let refusals = vec![Refusal {
                object,
                kind: first.kind,
                // Its session ended: what else is missing is not known.
                necessity: Necessity::Required,
                statement,
                source,
            }];
            let skipped = Vec::new();
            Error::Refused(Box::new(Refused { refusals, skipped }))
        }
    }
}
