//! Whether a transaction pooler is between us and the server. It hands a server's session to a client for
//! one transaction only. Locks, snapshots and settings would be lost, and our settings would stay in
//! sessions that other clients get next. So the proof comes before any setting.
//!
//! ```text
//! first   who am I?; leave a mark ──────────────── who am I, where is my mark? ─────
//! second  ───────────────────────── who am I, whose mark? ───────────────────── who am I?
//! ```
//!
//! The steps are sequential and none is in a transaction, so that a pool of one connection suffices.
//! A process number that differs from the one given at the start proves nothing: session poolers and
//! proxies give numbers of their own.

use std::hash::BuildHasher as _;

use super::{Endpoint, Error};
use crate::pg::{Literal, Sql, SqlState};
use crate::sql;
use crate::wire::{self, Connection, Idle};

/// Who serves: a process number is used again later, never with the same start.
const WHO: &str = "SELECT a.pid::text || ' ' || extract(epoch FROM a.backend_start)::text AS who, \
     pg_catalog.current_setting('seren.connection', true) AS mark \
     FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a";

/// What one connection saw in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sight {
    who: String,
    mark: Option<String>,
}

/// What both connections saw, in the order of the steps. The first has left a mark after its first look.
#[derive(Debug)]
struct Sights {
    first: [Sight; 2],
    second: [Sight; 2],
}

impl Sights {
    /// The proof that sessions are shared, if there is one.
    fn find_proof(&self, mark: &str) -> Option<&'static str> {
        let is_mark = |sight: &Sight| sight.mark.as_deref() == Some(mark);
        let ([first, first_again], [second, second_again]) = (&self.first, &self.second);
        if [first, first_again, second, second_again]
            .iter()
            .any(|sight| sight.who.is_empty())
        {
            return None;
        }
        let firsts = [&first.who, &first_again.who];
        if [second, second_again]
            .iter()
            .any(|sight| firsts.contains(&&sight.who))
        {
            return Some("two open connections are served by the same server process");
        }
        if first.who != first_again.who || second.who != second_again.who {
            return Some("the server process changes between two transactions of a connection");
        }
        if is_mark(second) || is_mark(second_again) || !is_mark(first_again) {
            return Some("the settings of a session are lost between two transactions");
        }
        None
    }
}

impl Endpoint {
    /// Makes sure that no transaction pooler is between us and the server, once for all clones. It
    /// needs two connections for a moment; where the server has only one left, nothing is proved.
    ///
    /// # Errors
    /// [`Error::Pooler`], or the server cannot be reached.
    pub async fn refuse_pooler(&self) -> Result<(), Error> {
        let proving = self
            .proved
            .get_or_try_init(|| Box::pin(self.prove_no_pooler()));
        proving.await.copied()
    }

    async fn prove_no_pooler(&self) -> Result<(), Error> {
        let mut first = self.open_bare().await?;
        let mut second = match self.open_bare().await {
            Err(error) if error.sqlstate() == Some(SqlState::TOO_MANY_CONNECTIONS) => return Ok(()),
            other => other?,
        };
        let mark = random_mark();
        let looking = async {
            let begun = load_sight(&mut first).await?;
            let leave = sql!(
                "SELECT pg_catalog.set_config('seren.connection', {}, false)",
                Literal(&mark)
            );
            first.query(&leave).await?;
            let seen = load_sight(&mut second).await?;
            let again = load_sight(&mut first).await?;
            Ok(Sights {
                first: [begun, again],
                second: [seen, load_sight(&mut second).await?],
            })
        };
        let sights = self.supervised(|_| async move {
            let sights = looking.await;
            sights.map_err(|source| self.settings_error(source))
        });
        match sights.await?.find_proof(&mark) {
            Some(proof) => Err(Error::Pooler {
                place: self.to_string(),
                proof,
            }),
            None => Ok(()),
        }
    }

    /// A connection without any settings of ours.
    async fn open_bare(&self) -> Result<Connection<Idle>, Error> {
        self.supervised(|attempts| self.dial(&[], attempts)).await
    }
}

async fn load_sight(connection: &mut Connection<Idle>) -> Result<Sight, wire::Error> {
    let answers = connection.query(&Sql::fixed(WHO)).await?;
    let value = |column| answers.first().and_then(|answer| answer.single(column));
    Ok(Sight {
        who: value("who").unwrap_or_default().to_owned(),
        mark: value("mark").map(str::to_owned),
    })
}

/// A text that no other run has left. A hasher's keys are random for each process.
fn random_mark() -> String {
    let state = std::hash::RandomState::new();
    format!("{:016x}", state.hash_one(std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(who: &str, mark: Option<&str>) -> Sight {
        Sight {
            who: who.to_owned(),
            mark: mark.map(str::to_owned),
        }
    }

    #[test]
    fn shared_sessions_are_proved_however_they_are_shared() {
        let old = Some("of another run");
        for (first, second, is_proof) in [
            // Two sessions; a pool's session may have an old mark.
            (
                [("1", None), ("1", Some("m"))],
                [("2", None), ("2", None)],
                false,
            ),
            (
                [("1", old), ("1", Some("m"))],
                [("2", old), ("2", old)],
                false,
            ),
            // One server process for both.
            (
                [("1", None), ("1", Some("m"))],
                [("1", Some("m")), ("1", Some("m"))],
                true,
            ),
            // By turns.
            ([("1", None), ("3", None)], [("2", None), ("4", None)], true),
            (
                [("1", None), ("2", None)],
                [("2", Some("m")), ("1", None)],
                true,
            ),
            // Each keeps its process, which is reset after every transaction.
            ([("1", None), ("1", None)], [("2", None), ("2", None)], true),
        ] {
            let sights = Sights {
                first: first.map(|(who, mark)| sight(who, mark)),
                second: second.map(|(who, mark)| sight(who, mark)),
            };
            assert_eq!(sights.find_proof("m").is_some(), is_proof, "{sights:?}");
        }
    }
}
