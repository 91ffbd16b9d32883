//! Reads subscriptions: by name, and as a superuser in full.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Subscription, SubscriptionDetails};
use crate::connect::{Session, masked_conninfo};
use crate::pg::Ident;

const WHAT: &str = "subscriptions";

pub(super) async fn load_subscriptions(session: &Session) -> Result<Vec<Subscription>, Error> {
    let text = include_str!("../sql/subscription_names.sql");
    let mut rows = query(session, WHAT, text, &[]).await?;
    let is_superuser = match rows.first() {
        Some(row) => Columns::new(WHAT, row).value("is_superuser")?,
        None => false,
    };
    if is_superuser {
        rows = query(session, WHAT, include_str!("../sql/subscriptions.sql"), &[]).await?;
    }
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let details = if is_superuser {
                Some(read_details(&row)?)
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

fn read_details(row: &Columns<'_>) -> Result<SubscriptionDetails, Error> {
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
