//! One session's part of a section: transactions sent one behind the other, without waiting for the
//! answers to those before.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::message;
use super::message::Message;
use super::refusal::{Reason, Refusal, Refused};
use super::schedule::Schedule;
use super::section::{Section, Site};
use crate::catalog;
use crate::connect::{Answer, Purpose, Session, Tuning};
use crate::event::Event;
use crate::pg::{Oid, Sql, SqlState, readable};
use crate::snapshot::error::Error;
use crate::snapshot::evaluation::{Around, Evaluation};
use crate::snapshot::ledger::{Fact, Ledger};
use crate::task::Scope;

/// Transactions under way at once: enough that the server never waits for the network.
const FLIGHT: usize = 6;

/// What the lanes of a section share.
pub(in crate::snapshot) struct Work {
    pub(in crate::snapshot::definitions) site: Site,
    pub(in crate::snapshot::definitions) section: Section,
    schedule: Mutex<Schedule>,
    refusals: Mutex<Vec<(usize, Reason)>>,
    changed: Notify,
    done: AtomicUsize,
    tuning: Tuning,
    ledger: Ledger,
    /// Why steps were refused that then were lent the database's path.
    lent: Mutex<HashMap<usize, String>>,
}

/// A transaction under way.
struct Batch {
    steps: Vec<usize>,
    answers: Vec<(Message, Answer)>,
}

/// What became of a transaction.
pub(in crate::snapshot::definitions) enum Outcome {
    Committed,
    /// The target refused this statement; None for the commit itself.
    Refused(Option<usize>, Reason),
}

/// What an error says about the statement that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The statement is refused.
    Refusal,
    /// Others stood in the way, or the lock table is full: alone it may succeed.
    Crowded,
    /// Nothing more can be run.
    End,
}

fn verdict(reason: &Reason) -> Verdict {
    let answer = match reason {
        Reason::Answer(error) => error.answer(),
        Reason::Catalog(catalog::Error::Query { source, .. }) => source.answer(),
        Reason::Catalog(_) | Reason::Mismatch(_) => return Verdict::Refusal,
    };
    let Some(answer) = answer else {
        return Verdict::End;
    };
    let code = answer.code;
    if answer.ends_session() || code.as_str().starts_with("57P0") || code == SqlState::DISK_FULL {
        Verdict::End
    } else if matches!(
        code,
        SqlState::OUT_OF_MEMORY | SqlState::DEADLOCK_DETECTED | SqlState::SERIALIZATION_FAILURE
    ) {
        Verdict::Crowded
    } else {
        Verdict::Refusal
    }
}

/// Whether a refusal names something that does not exist, as when a function's body names a table
/// that is created later.
fn names_what_is_missing(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_FUNCTION
            | SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_OBJECT
            | SqlState::UNDEFINED_COLUMN
            | SqlState::INVALID_SCHEMA_NAME
    )
}

fn relies_on_path(object: &str, error: &str) -> String {
    format!(
        "{object}: a function that it calls relies on search_path ({error}); it was created with the \
         database's. From PostgreSQL 17 on, CREATE INDEX, REFRESH MATERIALIZED VIEW and ANALYZE run under \
         a search_path of the server and fail. Run: ALTER FUNCTION ... SET search_path = ..."
    )
}

impl Work {
    pub(in crate::snapshot::definitions) fn new(
        site: Site,
        section: Section,
        schedule: Schedule,
        (tuning, ledger): (Tuning, Ledger),
    ) -> Self {
        let mut schedule = schedule;
        if site.evaluation.has_path() {
            schedule.lend_path();
        }
        Self {
            tuning,
            ledger,
            lent: Mutex::default(),
            site,
            section,
            schedule: Mutex::new(schedule),
            refusals: Mutex::default(),
            changed: Notify::new(),
            done: AtomicUsize::new(0),
        }
    }

    /// A session that builds, with its share of the target's memory.
    pub(in crate::snapshot) async fn session(&self) -> Result<Session, Error> {
        let session = self.site.target.session(Purpose::Build).await;
        let session = session.map_err(Error::Connect)?;
        self.tuning.apply(&session).await.map_err(Error::Connect)?;
        Ok(session)
    }

    /// The settings of the source's database that the target takes.
    pub(in crate::snapshot) fn evaluation(&self) -> &Evaluation {
        &self.site.evaluation
    }

    /// Wakes when something has become ready, or all has ended.
    pub(in crate::snapshot) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// All rows of these tables have arrived.
    pub(in crate::snapshot) fn landed(&self, tables: &[Oid]) {
        self.schedule().landed(tables);
        self.changed.notify_waiters();
    }

    /// The longest chain of a step that a lane could take now; None if there is none.
    pub(in crate::snapshot) fn next_chain(&self, lane: usize) -> Option<u64> {
        self.schedule().next_chain(lane)
    }

    /// The longest work that waits for each table's rows.
    pub(in crate::snapshot) fn chains_behind(&self) -> HashMap<Oid, u64> {
        self.schedule().chains_behind()
    }

    /// Whether every step has ended.
    pub(in crate::snapshot) fn is_finished(&self) -> bool {
        self.schedule().is_finished()
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        let schedule = self.schedule.lock();
        schedule.expect("no lane panics while it looks at the schedule")
    }

    /// The refused statements in their order. Once.
    pub(in crate::snapshot::definitions) fn take_refusals(&self) -> Vec<(usize, Reason)> {
        let mut refusals = std::mem::take(&mut *self.refusals());
        refusals.sort_by_key(|(statement, _)| *statement);
        refusals
    }

    /// The steps that were not attempted, with the refused ones that they need.
    pub(in crate::snapshot::definitions) fn skipped(&self) -> Vec<(usize, usize)> {
        self.schedule().skipped().collect()
    }

    /// Runs steps until all have ended. To be run under `stoppable`, which cancels on the server.
    pub(in crate::snapshot::definitions) async fn run_lane(
        &self,
        lane: usize,
        session: &Session,
        scope: &Scope,
    ) -> Result<(), Error> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            self.run_ready(lane, session, &|| 0, scope).await?;
            if self.schedule().is_finished() {
                return Ok(());
            }
            tokio::select! {
                () = changed => {}
                () = scope.stop.cancelled() => return Err(Error::Stopped),
            }
        }
    }

    /// Runs steps until none is at hand for this lane, or something with a longer chain than
    /// theirs waits elsewhere. To be run under `stoppable`, which cancels on the server.
    pub(in crate::snapshot) async fn run_ready(
        &self,
        lane: usize,
        session: &Session,
        longer: &(dyn Fn() -> u64 + Sync),
        scope: &Scope,
    ) -> Result<(), Error> {
        let mut flight = VecDeque::new();
        loop {
            if scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            self.fill(lane, session, longer, &mut flight).await?;
            let Some(batch) = flight.pop_front() else {
                return Ok(());
            };
            let steps = batch.steps.clone();
            let compared = self.run_compared(session, &steps).await;
            let outcome = match compared {
                Some(outcome) => outcome,
                None => finish(batch).await,
            };
            match outcome {
                Outcome::Committed => {
                    self.end_steps(|schedule| schedule.done(lane, &steps));
                    self.tell(&steps, scope).await;
                    self.warn_of_path(&steps, scope).await;
                }
                Outcome::Refused(_, _) if scope.stop.is_cancelled() => return Err(Error::Stopped),
                Outcome::Refused(statement, error) => {
                    flight.clear();
                    self.refused(lane, session, (&steps, statement, error))
                        .await?;
                }
            }
            self.changed.notify_waiters();
        }
    }

    /// Sends transactions while the session can take more.
    async fn fill(
        &self,
        lane: usize,
        session: &Session,
        longer: &(dyn Fn() -> u64 + Sync),
        flight: &mut VecDeque<Batch>,
    ) -> Result<(), Error> {
        while flight.len() < FLIGHT {
            let may_queue = |batch: &Batch| self.schedule().may_queue(&batch.steps);
            if !flight.iter().all(may_queue) {
                return Ok(());
            }
            // Asked before the schedule is locked: whoever answers may have a lock of its own.
            let longer = longer();
            let steps = self.schedule().take(lane, longer);
            if steps.is_empty() {
                return Ok(());
            }
            flight.push_back(self.send(session, steps).await?);
        }
        Ok(())
    }

    /// What is compared is not sent ahead, but run when its turn comes.
    async fn send(&self, session: &Session, steps: Vec<usize>) -> Result<Batch, Error> {
        if steps
            .iter()
            .any(|step| self.section.paths.contains_key(step))
        {
            let answers = Vec::new();
            return Ok(Batch { steps, answers });
        }
        let ranges: Vec<_> = steps
            .iter()
            .map(|step| self.section.ranges[*step].clone())
            .collect();
        let statements = &self.section.statements;
        let around = |number| self.around(number);
        let messages = message::messages(statements, &ranges, &around);
        let mut numbers = ranges.iter().cloned().flatten();
        let messages = if numbers.any(|number| statements[number].needs_no_transaction) {
            messages
        } else {
            let begin = [message::begin()].into_iter();
            let commit = [message::commit(&session.commit())];
            begin.chain(messages).chain(commit).collect()
        };
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let answer = session.send(&message.sql).await;
            let answer = answer.map_err(|error| self.ended(&steps, Reason::Answer(error)))?;
            answers.push((message, answer));
        }
        Ok(Batch { steps, answers })
    }

    /// What goes around a statement: the settings of the source's database if it evaluates something,
    /// and the database's path if its functions are lent that.
    pub(in crate::snapshot::definitions) fn around(&self, number: usize) -> Option<Around> {
        let statement = &self.section.statements[number];
        if statement.needs_no_transaction {
            return None;
        }
        let step = self.section.step_of(number);
        let is_analysis = self.section.analysis(step).is_some();
        let evaluation = &self.site.evaluation;
        let around = evaluation.around(statement.kind, is_analysis);
        let is_lent = self.schedule().is_lent(step);
        let lent = is_lent.then(|| evaluation.lend_path()).flatten();
        match (lent, around) {
            (Some(lent), Some(around)) => Some(lent.outside(&around)),
            (lent, around) => lent.or(around),
        }
    }

    /// Rolls back what the session has under way, and decides what happens to it.
    async fn refused(
        &self,
        lane: usize,
        session: &Session,
        (steps, statement, reason): (&[usize], Option<usize>, Reason),
    ) -> Result<(), Error> {
        let verdict = verdict(&reason);
        let culprit = statement.or_else(|| {
            let last = steps.iter().rev().map(|step| &self.section.ranges[*step]);
            last.filter_map(|range| range.clone().last()).next()
        });
        let Some(culprit) = culprit.filter(|_| verdict != Verdict::End) else {
            return Err(self.ended(steps, reason));
        };
        let rollback = session.batch(&Sql::fixed("ROLLBACK")).await;
        rollback.map_err(|error| self.ended(steps, Reason::Answer(error)))?;
        let mut schedule = self.schedule();
        schedule.give_back(lane);
        let is_single = steps.len() == 1 && schedule.is_single(steps[0]);
        if !is_single && (verdict == Verdict::Crowded || statement.is_none()) {
            schedule.single(steps);
            return Ok(());
        }
        drop(schedule);
        let may_succeed_later = reason
            .answer()
            .is_some_and(|answer| names_what_is_missing(answer.code));
        self.refusals().push((culprit, reason));
        let step = self.section.step_of(culprit);
        self.end_steps(|schedule| schedule.refuse(step, may_succeed_later));
        Ok(())
    }

    /// Notes that steps have ended, and lets those be tried again that may succeed now. Under one
    /// lock: no lane may see a finished schedule between the two.
    fn end_steps(&self, end: impl FnOnce(&mut Schedule)) {
        let mut schedule = self.schedule();
        end(&mut schedule);
        let retried = schedule.retry();
        if retried.is_empty() {
            return;
        }
        let mut lent = self.lent();
        self.refusals().retain(|(statement, reason)| {
            let step = self.section.step_of(*statement);
            if schedule.is_lent(step) {
                let message = reason.answer().map(|answer| readable(&answer.message));
                lent.entry(step).or_insert(message.unwrap_or_default());
            }
            !retried.contains(&step)
        });
    }

    fn lent(&self) -> MutexGuard<'_, HashMap<usize, String>> {
        let lent = self.lent.lock();
        lent.expect("no lane panics while it adds one")
    }

    /// Reports the steps that were created only with the database's path.
    async fn warn_of_path(&self, steps: &[usize], scope: &Scope) {
        for step in steps {
            let error = self.lent().remove(step);
            if let Some(error) = error {
                let warning = Event::Warning(relies_on_path(&self.section.label(*step), &error));
                scope.events.emit(warning).await;
            }
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<(usize, Reason)>> {
        let refusals = self.refusals.lock();
        refusals.expect("no lane panics while it adds one")
    }

    /// The error of a run that cannot go on.
    fn ended(&self, steps: &[usize], reason: Reason) -> Error {
        let first = steps.iter().find_map(|step| {
            let range = self.section.ranges[*step].clone();
            self.section.statements[range].first()
        });
        let Some(first) = first else {
            return Error::Interrupted;
        };
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
                    statement,
                    source,
                }];
                let skipped = Vec::new();
                Error::Refused(Box::new(Refused { refusals, skipped }))
            }
        }
    }

    async fn tell(&self, steps: &[usize], scope: &Scope) {
        for step in steps {
            if self.section.analysis(*step).is_none() {
                let object = self.section.label(*step);
                self.ledger.note(Fact::Definition { object }).await;
            }
        }
        let count: usize = steps
            .iter()
            .map(|step| self.section.ranges[*step].len())
            .sum();
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        scope.events.tick(Event::StatementsProgress {
            database: self.site.target.database().to_owned(),
            phase: self.site.phase,
            done,
            total: self.section.statements.len(),
        });
    }
}

/// Waits for all answers. The first error is the one that counts: those behind it only say that the
/// transaction has failed.
async fn finish(batch: Batch) -> Outcome {
    for (message, answer) in batch.answers {
        if let Err((completed, mut error)) = answer.finish().await {
            let culprit = message.culprit(completed, &error);
            error.count_from(culprit.map_or(0, |statement| message.begin_of(statement)));
            return Outcome::Refused(culprit, Reason::Answer(error));
        }
    }
    Outcome::Committed
}
