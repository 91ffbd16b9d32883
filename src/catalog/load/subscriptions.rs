//! Reads subscriptions: by name, and as a superuser in full.

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Subscription, SubscriptionDetails};
use crate::connect::{Session, masked_conninfo};
use crate::pg::Ident;

const WHAT: &str = "subscriptions";

pub(super) async fn load_subscriptions(session: &Session) -> Result<Vec<Subscription>, Error> {
    let text = "SELECT pg_catalog.current_setting('is_superuser') = 'on' AS is_superuser";
    let rows = query(session, WHAT, text, &[]).await?;
    let is_superuser: bool = Columns::only(WHAT, &rows)?.value("is_superuser")?;
    let text = if is_superuser {
        include_str!("../sql/subscriptions.sql")
    } else {
        include_str!("../sql/subscription_names.sql")
    };
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let details = if is_superuser {
                Some(details(&row)?)
            } else {
                None
            };
            Ok(Subscription {
                name: row.name("name")?,
                details,
            })
        })
        .collect()
}

fn details(row: &Columns<'_>) -> Result<SubscriptionDetails, Error> {
    let publications: Vec<&str> = row.value("publications")?;
    Ok(SubscriptionDetails {
        connection: masked_conninfo(row.value("connection")?),
        publications: publications.into_iter().map(Ident::from_catalog).collect(),
        synchronous_commit: row.value("synchronous_commit")?,
        binary: row.value("binary")?,
        streaming: row.value("streaming")?,
        two_phase: row.value("two_phase")?,
        disable_on_error: row.value("disable_on_error")?,
        password_required: row.value("password_required")?,
        run_as_owner: row.value("run_as_owner")?,
        origin: row.value("origin")?,
        failover: row.value("failover")?,
    })
}
