//! Whether our role may create subscriptions on a server: as a superuser, as a member of `pg_create_subscription` since
//! 16, or as a member of a role by which a provider grants that.

use tokio_postgres::Row;

use crate::connect::{self, Session};
use crate::pg::{Ident, Sql};

/// The connecting role, and whether it may create subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribePrivilege {
    /// The role.
    pub role: Ident,
    /// Whether it is a superuser.
    pub is_superuser: bool,
    /// Whether it may create subscriptions.
    pub grade: SubscribeGrade,
}

/// Whether a role may create subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscribeGrade {
    /// It may.
    Granted,
    /// It is no member of `pg_create_subscription`.
    NotMember,
    /// It is no superuser, on a server where only superusers may.
    NotSuperuser,
}

impl SubscribePrivilege {
    /// Loads the privilege of the session's role.
    ///
    /// # Errors
    /// The server refused the query.
    pub async fn load(session: &Session) -> Result<Self, connect::Error> {
        let sql = Sql::fixed(include_str!("sql/subscribe_privilege.sql"));
        let row = session.query_one(&sql, &[]).await?;
        Ok(Self::read(&row))
    }

    fn read(row: &Row) -> Self {
        let is_superuser: bool = row.get("is_superuser");
        let is_granted = is_superuser || row.get::<_, bool>("is_member");
        Self {
            role: Ident::from_catalog(row.get::<_, String>("role")),
            is_superuser,
            grade: match (is_granted, row.get("has_create_role")) {
                (true, _) => SubscribeGrade::Granted,
                (false, true) => SubscribeGrade::NotMember,
                (false, false) => SubscribeGrade::NotSuperuser,
            },
        }
    }
}
