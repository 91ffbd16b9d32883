//! What managed services keep for themselves in every cluster: databases, roles, extensions and schemas.
//! They exist on the target in that provider's own form, or nowhere else. So they are not copied.
//!
//! A provider is known by the administrative role that it creates. Names such as `anon` mean
//! nothing elsewhere, so its table applies only where that role exists.

use crate::pg::Ident;

/// A managed service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Amazon RDS and Aurora.
    Rds,
    /// Google Cloud SQL and AlloyDB.
    CloudSql,
    /// Azure Database for PostgreSQL.
    Azure,
    /// Neon.
    Neon,
    /// Supabase.
    Supabase,
}

/// One row of the table: how a provider is recognized, and what is its own. A trailing `*`
/// matches any ending.
struct Marks {
    provider: Provider,
    recognized_by: &'static [&'static str],
    databases: &'static [&'static str],
    roles: &'static [&'static str],
    extensions: &'static [&'static str],
    schemas: &'static [&'static str],
}

const PROVIDERS: &[Marks] = &[
    Marks {
        provider: Provider::Rds,
        recognized_by: &["rds_superuser", "rdsadmin"],
        databases: &["rdsadmin"],
        roles: &["rds*"],
        extensions: &["rds_tools"],
        schemas: &[],
    },
    Marks {
        provider: Provider::CloudSql,
        recognized_by: &["cloudsqlsuperuser", "alloydbsuperuser"],
        databases: &["cloudsqladmin", "alloydbadmin"],
        roles: &["cloudsql*", "alloydb*"],
        extensions: &["google_*"],
        schemas: &["google_*"],
    },
    Marks {
        provider: Provider::Azure,
        recognized_by: &["azure_pg_admin"],
        databases: &["azure_maintenance", "azure_sys"],
        roles: &["azure*"],
        extensions: &["azure", "pgaadauth"],
        schemas: &[],
    },
    Marks {
        provider: Provider::Neon,
        recognized_by: &["neon_superuser"],
        databases: &[],
        roles: &["neon_superuser", "cloud_admin"],
        extensions: &["neon*"],
        schemas: &[],
    },
    Marks {
        provider: Provider::Supabase,
        recognized_by: &["supabase_admin"],
        databases: &[],
        roles: &[
            "supabase*",
            "anon",
            "authenticated",
            "service_role",
            "authenticator",
            "dashboard_user",
            "pgbouncer",
        ],
        extensions: &["supabase_vault", "pgsodium*", "pg_graphql"],
        schemas: &[
            "auth",
            "storage",
            "realtime",
            "_realtime",
            "vault",
            "graphql*",
            "pgbouncer",
            "supabase_functions",
        ],
    },
];

impl Provider {
    /// The provider whose administrative role is among `roles`, if any.
    pub fn recognize<'a>(roles: impl IntoIterator<Item = &'a Ident>) -> Option<Self> {
        let names: Vec<&str> = roles.into_iter().map(Ident::as_str).collect();
        PROVIDERS
            .iter()
            .find(|marks| marks.recognized_by.iter().any(|mark| names.contains(mark)))
            .map(|marks| marks.provider)
    }

    /// Whether a database of this name belongs to the provider.
    pub fn owns_database(self, name: &Ident) -> bool {
        self.marks()
            .databases
            .iter()
            .any(|mark| matches(mark, name))
    }

    /// Whether a role of this name belongs to the provider.
    pub fn owns_role(self, name: &Ident) -> bool {
        self.marks().roles.iter().any(|mark| matches(mark, name))
    }

    /// Whether an extension of this name belongs to the provider.
    pub fn owns_extension(self, name: &Ident) -> bool {
        let mut marks = self.marks().extensions.iter();
        marks.any(|mark| matches(mark, name))
    }

    /// Whether a schema of this name belongs to the provider.
    pub fn owns_schema(self, name: &Ident) -> bool {
        let mut marks = self.marks().schemas.iter();
        marks.any(|mark| matches(mark, name))
    }

    fn marks(self) -> &'static Marks {
        PROVIDERS
            .iter()
            .find(|marks| marks.provider == self)
            .expect("a row for each provider")
    }
}

fn matches(mark: &str, name: &Ident) -> bool {
    match mark.strip_suffix('*') {
        Some(start) => name.as_str().starts_with(start),
        None => name.as_str() == mark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_provider_mean_nothing_elsewhere() {
        let plain = ["anon", "app"].map(Ident::from_catalog);
        assert_eq!(Provider::recognize(&plain), None);
        let hosted = ["anon", "supabase_admin"].map(Ident::from_catalog);
        let provider = Provider::recognize(&hosted).unwrap();
        assert!(provider.owns_role(&hosted[0]));
        assert!(!provider.owns_role(&plain[1]));
    }

    #[test]
    fn every_provider_has_a_row() {
        for marks in PROVIDERS {
            assert!(
                marks
                    .provider
                    .owns_role(&Ident::from_catalog(marks.recognized_by[0]))
            );
        }
        assert!(Provider::Rds.owns_database(&Ident::from_catalog("rdsadmin")));
    }
}
