//! The instant that filters of a run use as the current time.

use crate::cluster::error::Error;
use crate::connect::{self, Session};
use crate::pg::{Literal, Side, Sql};
use crate::selection::DateSettings;
use crate::sql;

/// An instant, as text of `timestamptz` with its offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInstant(String);

impl RunInstant {
    /// An instant that was recorded.
    pub fn recorded(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Asks the source for its clock.
    ///
    /// # Errors
    /// The source cannot be asked.
    pub(crate) async fn load_now(session: &Session) -> Result<Self, connect::Error> {
        let now = Sql::fixed("SELECT pg_catalog.now()::pg_catalog.text");
        Ok(Self(session.query_one(&now, &[]).await?.get(0)))
    }

    /// Asks the source which instant a text of the user means in the time zone of the session's database.
    ///
    /// # Errors
    /// The source cannot be asked, or the text is no finite timestamp.
    pub(crate) async fn load_given(session: &Session, text: &str) -> Result<Self, Error> {
        let examine = Error::examine(Side::Source);
        let dates = load_date_settings(session).await.map_err(examine)?;
        let style = format!("ISO, {}", dates.order);
        let begin = sql!(
            "BEGIN READ ONLY; SET LOCAL TimeZone = {}; SET LOCAL DateStyle = {}",
            Literal(&dates.time_zone),
            Literal(&style)
        );
        session.batch(&begin).await.map_err(examine)?;
        let read = sql!(
            "SELECT v::pg_catalog.text, pg_catalog.isfinite(v) \
               FROM (SELECT {}::pg_catalog.timestamptz AS v) t",
            Literal(text)
        );
        let row = session.query_one(&read, &[]).await;
        let end = session.batch(&Sql::fixed("ROLLBACK")).await;
        let wrong = |reason: String| Error::AsOf {
            text: text.to_owned(),
            reason,
        };
        let row = row.map_err(|error| match error.answer() {
            Some(answer) if answer.code.class() == "22" => wrong(answer.message.clone()),
            Some(_) | None => examine(error),
        })?;
        end.map_err(examine)?;
        if !row.get::<_, bool>(1) {
            return Err(wrong("it is not finite".to_owned()));
        }
        Ok(Self(row.get(0)))
    }

    /// The instant as a constant.
    pub(crate) fn render(&self) -> Sql {
        sql!("{}::pg_catalog.timestamptz", Literal(&self.0))
    }
}

/// Loads the settings by which the session's database reads dates and times: those before our own.
pub(super) async fn load_date_settings(session: &Session) -> Result<DateSettings, connect::Error> {
    let sql = Sql::fixed(
        "SELECT z.reset_val, d.reset_val FROM pg_catalog.pg_settings z, pg_catalog.pg_settings d \
          WHERE z.name = 'TimeZone' AND d.name = 'DateStyle'",
    );
    let row = session.query_one(&sql, &[]).await?;
    let style: String = row.get(1);
    let order = style.rsplit(", ").next().unwrap_or("MDY");
    Ok(DateSettings {
        time_zone: row.get(0),
        order: order.to_owned(),
    })
}
