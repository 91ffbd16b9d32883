//! `CREATE DATABASE`.

use super::options::{DatabaseOptions, uses_tablespace};
use crate::catalog::cluster::{Database, LocaleProvider};
use crate::pg::{Ident, Literal, ServerVersion, Sql};
use crate::sql;

/// Why a database cannot be created on a target of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// ICU is a provider since 15.
    #[error(
        "database {database} sorts by ICU locale {locale:?}, which is unsupported on PostgreSQL {version}"
    )]
    IcuProvider {
        /// The database.
        database: Ident,
        /// Its locale.
        locale: String,
        /// The target's version.
        version: ServerVersion,
    },
    /// Tailoring rules exist since 16.
    #[error("database {database} has ICU rules, which are unsupported on PostgreSQL {version}")]
    IcuRules {
        /// The database.
        database: Ident,
        /// The target's version.
        version: ServerVersion,
    },
    /// The builtin provider exists since 17.
    #[error(
        "database {database} sorts by the builtin locale {locale:?}, which is unsupported on PostgreSQL {version}"
    )]
    BuiltinProvider {
        /// The database.
        database: Ident,
        /// Its locale.
        locale: String,
        /// The target's version.
        version: ServerVersion,
    },
}

/// Renders `CREATE DATABASE` from `template0`, in the source's encoding and locale.
///
/// # Errors
/// The target's version knows no such locale, and no other was asked for.
pub fn render_create(database: &Database, options: DatabaseOptions<'_>) -> Result<Sql, Error> {
    let mut sql = sql!("CREATE DATABASE {} WITH TEMPLATE = template0", options.name);
    let version = options.script.target.version;
    if options.script.include.owners {
        sql.push(&sql!(" OWNER = {}", database.owner));
    }
    sql.push(&sql!(" ENCODING = {}", Literal(&database.encoding)));
    match options.locale {
        Some(locale) => {
            push_provider(&mut sql, "libc", version);
            push_libc(&mut sql, locale, locale);
        }
        None => push_locale(&mut sql, database, version)?,
    }
    if uses_tablespace(database, options.script) {
        sql.push(&sql!(" TABLESPACE = {}", database.tablespace));
    }
    Ok(sql)
}

/// `LOCALE`, which sets both, is younger than the oldest server we write to.
fn push_libc(sql: &mut Sql, collate: &str, ctype: &str) {
    let (collate, ctype) = (Literal(collate), Literal(ctype));
    sql.push(&sql!(" LC_COLLATE = {} LC_CTYPE = {}", collate, ctype));
}

/// The word exists since 15; before, libc is the only provider.
fn push_provider(sql: &mut Sql, name: &'static str, version: ServerVersion) {
    if version.has_locale_provider() {
        sql.push(&sql!(" LOCALE_PROVIDER = {}", Sql::fixed(name)));
    }
}

fn push_locale(sql: &mut Sql, database: &Database, version: ServerVersion) -> Result<(), Error> {
    let locale = &database.locale;
    let name = match &locale.provider {
        LocaleProvider::Libc => "libc",
        LocaleProvider::Icu { .. } => "icu",
        LocaleProvider::Builtin { .. } => "builtin",
    };
    check_provider(database, version)?;
    push_provider(sql, name, version);
    push_libc(sql, &locale.collate, &locale.ctype);
    match &locale.provider {
        LocaleProvider::Libc => {}
        LocaleProvider::Icu { locale, rules } => {
            sql.push(&sql!(" ICU_LOCALE = {}", Literal(locale)));
            if let Some(rules) = rules {
                sql.push(&sql!(" ICU_RULES = {}", Literal(rules)));
            }
        }
        LocaleProvider::Builtin { locale } => {
            sql.push(&sql!(" BUILTIN_LOCALE = {}", Literal(locale)));
        }
    }
    Ok(())
}

fn check_provider(database: &Database, version: ServerVersion) -> Result<(), Error> {
    let name = || database.name.clone();
    match &database.locale.provider {
        LocaleProvider::Icu { locale, .. } if !version.has_locale_provider() => {
            Err(Error::IcuProvider {
                database: name(),
                locale: locale.clone(),
                version,
            })
        }
        LocaleProvider::Icu { rules: Some(_), .. } if !version.has_icu_rules() => {
            Err(Error::IcuRules {
                database: name(),
                version,
            })
        }
        LocaleProvider::Builtin { locale } if !version.has_builtin_locale_provider() => {
            Err(Error::BuiltinProvider {
                database: name(),
                locale: locale.clone(),
                version,
            })
        }
        LocaleProvider::Libc | LocaleProvider::Icu { .. } | LocaleProvider::Builtin { .. } => {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::acl::Acl;
    use crate::catalog::cluster::Setting;
    use crate::catalog::cluster::{Locale, Settable};
    use crate::ddl::cluster::database::{Omission, render_finish};
    use crate::ddl::options::Options;
    use crate::pg::Oid;
    use std::collections::BTreeSet;

    fn database(provider: LocaleProvider) -> Database {
        Database {
            oid: Oid(1),
            name: Ident::from_catalog("my-app"),
            owner: Ident::from_catalog("o"),
            encoding: "UTF8".to_owned(),
            locale: Locale {
                collate: "C".to_owned(),
                ctype: "de_DE.utf8".to_owned(),
                provider,
            },
            connection_limit: 5,
            is_template: false,
            allows_connections: true,
            is_valid: true,
            tablespace: Ident::from_catalog("pg_default"),
            acl: None,
            acl_default: Acl::default(),
            comment: None,
            settings: vec![Setting::parse("work_mem=1MB"), Setting::parse("gone=1")],
            role_settings: Vec::new(),
        }
    }

    fn created(
        provider: LocaleProvider,
        major: u32,
        locale: Option<&str>,
    ) -> Result<String, Error> {
        let database = database(provider);
        let script = Options::everything(ServerVersion::new(major * 10_000), BTreeSet::new());
        let options = DatabaseOptions {
            name: &database.name,
            locale,
            existing: None,
            script: &script,
        };
        let sql = render_create(&database, options)?;
        let text = sql.as_str().split_once("'UTF8' ").unwrap().1;
        Ok(text.to_owned())
    }

    fn icu(rules: Option<&str>) -> LocaleProvider {
        LocaleProvider::Icu {
            locale: "de".to_owned(),
            rules: rules.map(str::to_owned),
        }
    }

    fn builtin() -> LocaleProvider {
        LocaleProvider::Builtin {
            locale: "C.UTF-8".to_owned(),
        }
    }

    #[test]
    fn a_locale_is_written_in_the_words_of_the_targets_version() {
        const LIBC: &str = "LC_COLLATE = 'C' LC_CTYPE = 'de_DE.utf8'";
        assert_eq!(created(LocaleProvider::Libc, 12, None).unwrap(), LIBC);
        assert_eq!(
            created(LocaleProvider::Libc, 15, None).unwrap(),
            format!("LOCALE_PROVIDER = libc {LIBC}")
        );
        assert_eq!(
            created(icu(None), 15, None).unwrap(),
            format!("LOCALE_PROVIDER = icu {LIBC} ICU_LOCALE = 'de'")
        );
        assert_eq!(
            created(icu(Some("&a < b")), 16, None).unwrap(),
            format!("LOCALE_PROVIDER = icu {LIBC} ICU_LOCALE = 'de' ICU_RULES = '&a < b'")
        );
        assert_eq!(
            created(builtin(), 17, None).unwrap(),
            format!("LOCALE_PROVIDER = builtin {LIBC} BUILTIN_LOCALE = 'C.UTF-8'")
        );
    }

    #[test]
    fn a_provider_that_the_target_lacks_is_an_error_unless_another_locale_is_asked_for() {
        assert!(matches!(
            created(icu(None), 14, None),
            Err(Error::IcuProvider { .. })
        ));
        assert!(matches!(
            created(icu(Some("x")), 15, None),
            Err(Error::IcuRules { .. })
        ));
        assert!(matches!(
            created(builtin(), 16, None),
            Err(Error::BuiltinProvider { .. })
        ));
        assert_eq!(
            created(builtin(), 12, Some("C")).unwrap(),
            "LC_COLLATE = 'C' LC_CTYPE = 'C'"
        );
    }

    #[test]
    fn what_may_lock_us_out_comes_last_and_unknown_parameters_are_told() {
        let database = database(LocaleProvider::Libc);
        let mut settable = Settable::default();
        settable.add("work_mem");
        let mut script = Options::everything(ServerVersion::new(180_000), BTreeSet::new());
        script.target.settable = settable;
        let options = DatabaseOptions {
            name: &database.name,
            locale: None,
            existing: None,
            script: &script,
        };
        let finish = render_finish(&database, options);
        let texts: Vec<_> = finish.statements.iter().map(|s| s.sql.as_str()).collect();
        assert_eq!(
            texts,
            [
                r#"ALTER DATABASE "my-app" SET "work_mem" TO '1MB'"#,
                r#"ALTER DATABASE "my-app" WITH CONNECTION LIMIT = 5"#,
            ]
        );
        assert_eq!(
            finish.omissions,
            [Omission::NotSettable {
                role: None,
                parameter: "gone".to_owned()
            }]
        );
    }
}
