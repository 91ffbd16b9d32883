//! Reads event triggers.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, EventTrigger};
use crate::connect::Session;

const WHAT: &str = "event triggers";

pub(super) async fn load_event_triggers(session: &Session) -> Result<Vec<EventTrigger>, Error> {
    let text = include_str!("../sql/event_triggers.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(EventTrigger {
                id: row.id(Class::EventTrigger)?,
                name: row.name("name")?,
                owner: row.name("owner")?,
                event: row.name("event")?,
                tags: row.value("tags")?,
                function: row.sql("function")?,
                enabled: row.value::<&str>("enabled")?.parse()?,
            })
        })
        .collect()
}
