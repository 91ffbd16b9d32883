//! The settings under which the target evaluates what belongs to the database: checks, generated
//! columns, domains, indexes, and the queries of materialized views.
//!
//! Our sessions pin every setting that gives definitions and values another form. An expression that
//! casts a `timestamptz` to a date, or searches text, depends on such settings as well, and it must
//! give on the target what it gave on the source: so it is evaluated under the source database's own
//! settings. Three kinds of statements differ in what they take from them:
//!
//! - `COPY … FROM`: the form of the rows is that of our pinned sessions, which every server reads
//!   under any `DateStyle`, `IntervalStyle` and `TimeZone`. Settings that decide how text is read
//!   ([`STORED_ONLY`]) stay pinned. `search_path` is set for binary rows only: as text, names of
//!   objects are looked up by it.
//! - Statements that run stored expressions only, as `REFRESH`, `VALIDATE CONSTRAINT` and `ANALYZE`:
//!   everything.
//! - Statements that parse an expression and evaluate it, as `CREATE INDEX`: as with rows, and the
//!   empty `search_path`, under which the expression was printed. A function whose body relies on
//!   the path fails then; such a step is tried again with [`Evaluation::function_path`].
//!
//! From 17 on the server runs `REFRESH`, `CREATE INDEX` and `ANALYZE` under a `search_path` of its own.

use std::sync::Arc;

use super::error::Error;
use crate::catalog::cluster::Setting;
use crate::connect::{self, Session, pinned_values};
use crate::ddl::{Kind, render_setting};
use crate::pg::{Literal, Sql};
use crate::snapshot::point::consistent_point::ConsistentPoint;
use crate::sql;

/// Parameters that values depend on, in lower case.
const VALUES: &[&str] = &[
    "bytea_output",
    "datestyle",
    "default_text_search_config",
    "extra_float_digits",
    "intervalstyle",
    "lc_numeric",
    "lc_time",
    "timezone",
    "timezone_abbreviations",
];

/// Parameters that also decide how values or texts of SQL are read.
const STORED_ONLY: &[&str] = &[
    "array_nulls",
    "lc_monetary",
    "standard_conforming_strings",
    "transform_null_equals",
    "xmlbinary",
    "xmloption",
];

/// The parameter by which functions find objects.
const PATH: &str = "search_path";

/// The settings of a source's database that its target accepts.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    settings: Arc<[Setting]>,
}

/// Statements before and after one that evaluates something.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) before: Sql,
    pub(super) after: Sql,
}

impl Around {
    /// Returns the statements around both.
    pub(super) fn outside(&self, inner: &Self) -> Self {
        Self {
            before: sql!("{}; {}", self.before, inner.before),
            after: sql!("{}; {}", inner.after, self.after),
        }
    }
}

impl Evaluation {
    /// Loads the settings of the database that is copied.
    ///
    /// # Errors
    /// The source cannot be asked.
    pub async fn load_for(point: &ConsistentPoint) -> Result<Self, Error> {
        let loaded = Self::load(&point.hold.lease.open_session().await?).await;
        loaded.map_err(Error::Connect)
    }

    /// Loads the settings of the database that a session is connected to.
    ///
    /// # Errors
    /// The source cannot be asked.
    pub async fn load(source: &Session) -> Result<Self, connect::Error> {
        let sql = Sql::fixed(include_str!("sql/evaluation.sql"));
        let names: Vec<&str> = [VALUES, STORED_ONLY, &[PATH]].concat();
        let rows = source.query(&sql, &[&names]).await;
        let setting = |row: &tokio_postgres::Row| Setting {
            name: row.get(0),
            value: row.get(1),
        };
        Ok(Self {
            settings: rows?.iter().map(setting).collect(),
        })
    }

    /// Keeps the settings that a target accepts. Returns the refused ones in words.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn settle(self, target: &Session) -> Result<(Self, Option<String>), Error> {
        if self.settings.is_empty() || target.batch(&render_probe(&self.settings)).await.is_ok() {
            return Ok((self, None));
        }
        roll_back(target).await?;
        let (mut taken, mut names): (Vec<Setting>, Vec<&str>) = (Vec::new(), Vec::new());
        for setting in self.settings.iter() {
            let one = std::slice::from_ref(setting);
            match target.batch(&render_probe(one)).await {
                Ok(()) => taken.push(setting.clone()),
                Err(error) if error.answer().is_none() => return Err(Error::Connect(error)),
                Err(error) => {
                    roll_back(target).await?;
                    tracing::debug!(setting = setting.name, %error, "the target refuses a setting");
                    names.push(&setting.name);
                }
            }
        }
        let refused = (!names.is_empty()).then(|| render_refusal(&names));
        let settings = taken.into();
        Ok((Self { settings }, refused))
    }

    /// Returns the statements that prepare a connection for rows.
    pub(super) fn for_rows(&self) -> Option<Sql> {
        let settings = self.settings.iter();
        let sets: Vec<Sql> = settings
            .filter(|one| is_of_values(one))
            .map(render_set)
            .collect();
        (!sets.is_empty()).then(|| Sql::join(sets, "; "))
    }

    /// Renders the statement that sets the search path for a transaction.
    pub fn render_local_path(&self) -> Option<Sql> {
        let path = self.search_path()?;
        Some(sql!("SET LOCAL {}", render_setting(path)))
    }

    /// Returns the statements around a statement of a kind, if it evaluates anything. An analysis counts as a kind of its own.
    pub(super) fn around(&self, kind: Kind, is_analysis: bool) -> Option<Around> {
        let evaluates_stored = is_analysis || matches!(kind, Kind::Refresh | Kind::Validation);
        let evaluates = evaluates_stored || matches!(kind, Kind::Index | Kind::Constraint);
        let taken = |setting: &&Setting| evaluates_stored || is_of_values(setting);
        let mut before: Vec<Sql> = self.settings.iter().filter(taken).map(render_set).collect();
        let mut after = pinned_values();
        if kind == Kind::Refresh {
            // It runs as the view's owner, who sees what policies show.
            before.push(Sql::fixed("SET row_security = on"));
            after = sql!("{}; SET row_security = off", after);
        }
        (evaluates && !before.is_empty()).then(|| Around {
            before: Sql::join(before, "; "),
            after,
        })
    }

    /// Whether the database has a search path.
    pub(super) fn has_path(&self) -> bool {
        self.search_path().is_some()
    }

    /// Returns statements that set the database's search path on the functions without one, for a transaction, and
    /// reset it. So bodies find the objects that they name, also if the server sets a path of its own. The statement
    /// in between is parsed as it was printed.
    pub(super) fn function_path(&self) -> Option<Around> {
        let path = render_setting(self.search_path()?);
        let set = sql!(
            "DECLARE f pg_catalog.text; altered pg_catalog.text := ''; \
             BEGIN FOR f IN {} LOOP \
               EXECUTE pg_catalog.concat('ALTER FUNCTION ', f, {}); \
               altered := pg_catalog.concat(altered, 'ALTER FUNCTION ', f, ' RESET search_path; '); \
             END LOOP; \
             PERFORM pg_catalog.set_config('seren.altered', altered, true); END",
            Sql::fixed(WITHOUT_PATH),
            Literal(sql!(" SET {}", path).as_str())
        );
        let reset =
            Sql::fixed("DO 'BEGIN EXECUTE pg_catalog.current_setting(''seren.altered''); END'");
        Some(Around {
            before: sql!("DO {}", Literal(set.as_str())),
            after: reset,
        })
    }

    fn search_path(&self) -> Option<&Setting> {
        self.settings.iter().find(|one| is_path(one))
    }
}

/// The functions with a body of text and without a path of their own that our role may alter.
const WITHOUT_PATH: &str = "\
    SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text FROM pg_catalog.pg_proc p \
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
     WHERE p.prokind IN ('f', 'w') AND l.lanname NOT IN ('c', 'internal') \
       AND p.pronamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace) \
       AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) c WHERE pg_catalog.starts_with(c, 'search_path=')) \
       AND pg_catalog.pg_has_role(p.proowner, 'USAGE')";

fn is_path(setting: &Setting) -> bool {
    setting.name.eq_ignore_ascii_case(PATH)
}

/// Whether a setting changes nothing about how values and texts are read.
fn is_of_values(setting: &Setting) -> bool {
    let is_stored_only = STORED_ONLY
        .iter()
        .any(|name| setting.name.eq_ignore_ascii_case(name));
    !is_stored_only && !is_path(setting)
}

/// Renders a transaction that only tries settings.
fn render_probe(settings: &[Setting]) -> Sql {
    let sets = settings.iter().map(render_set);
    sql!("BEGIN; {}; ROLLBACK", Sql::join(sets, "; "))
}

fn render_set(setting: &Setting) -> Sql {
    sql!("SET {}", render_setting(setting))
}

async fn roll_back(target: &Session) -> Result<(), Error> {
    let rolled_back = target.batch(&Sql::fixed("ROLLBACK")).await;
    rolled_back.map_err(Error::Connect)
}

fn render_refusal(names: &[&str]) -> String {
    format!(
        "settings of the source that the target does not accept: {}; checks, generated columns, indexes and \
         materialized views were evaluated without them",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(entries: &[&str]) -> Evaluation {
        let settings = entries.iter().map(|entry| Setting::parse(entry)).collect();
        Evaluation { settings }
    }

    #[test]
    fn rows_take_what_does_not_change_how_they_are_read() {
        let all = evaluation(&[
            "TimeZone=Asia/Tokyo",
            "lc_monetary=de_DE",
            "search_path=a, b",
        ]);
        assert_eq!(
            all.for_rows().unwrap().as_str(),
            r#"SET "TimeZone" TO 'Asia/Tokyo'"#
        );
        assert_eq!(
            all.render_local_path().unwrap().as_str(),
            r#"SET LOCAL "search_path" TO 'a', 'b'"#
        );
        assert!(evaluation(&[]).for_rows().is_none());
    }

    #[test]
    fn only_stored_expressions_take_everything() {
        let all = evaluation(&[
            "TimeZone=Asia/Tokyo",
            "lc_monetary=de_DE",
            "search_path=a, b",
        ]);
        let sets = |kind, is_analysis| {
            let around = all.around(kind, is_analysis);
            around.map(|around| around.before.as_str().matches("SET").count())
        };
        assert_eq!(sets(Kind::Refresh, false), Some(4));
        assert_eq!(sets(Kind::Validation, false), Some(3));
        assert_eq!(sets(Kind::Statistics, true), Some(3));
        assert_eq!(sets(Kind::Index, false), Some(1));
        assert_eq!(sets(Kind::Statistics, false), None);
        assert_eq!(sets(Kind::Table, false), None);
    }
}
