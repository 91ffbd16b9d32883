//! The settings of a session by its purpose, in one place. They override the settings of role and database,
//! because they come after.

use super::Purpose;
use crate::pg::{ServerVersion, Sql};

/// For every session: nothing times out, nothing is hidden.
const COMMON: &str = "\
    SET statement_timeout = 0; \
    SET lock_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0; \
    SET row_security = off; \
    SET default_transaction_isolation = 'read committed'; \
    SET default_transaction_deferrable = off";

/// For every session: names are written in full, and values have one form regardless of the server's configuration.
const VALUES: &str = "\
    SET search_path = ''; \
    SET DateStyle = 'ISO, YMD'; \
    SET IntervalStyle = 'postgres'; \
    SET TimeZone = 'UTC'; \
    SET extra_float_digits = 3; \
    SET bytea_output = 'hex'; \
    SET xmloption = 'content'; \
    SET xmlbinary = 'base64'; \
    SET lc_monetary = 'C'; \
    SET lc_numeric = 'C'; \
    SET array_nulls = on; \
    SET transform_null_equals = off; \
    SET standard_conforming_strings = on; \
    SET quote_all_identifiers = off";

/// The statements that give values and names their one form again, after other settings.
pub fn pinned_values() -> Sql {
    Sql::fixed(VALUES)
}

/// For reading: writes are refused, a view may not replace a table that was swapped under us
/// (CVE-2024-7348). No time goes into preparing plans that run once.
const READING: &str = "\
    SET default_transaction_read_only = on; \
    SET synchronize_seqscans = off; \
    SET jit = off; \
    SELECT pg_catalog.set_config(name, 'view, foreign-table', false) \
      FROM pg_catalog.pg_settings WHERE name = 'restrict_nonsystem_relation_kind'";

/// For statements that may write.
const WRITING: &str = "SET default_transaction_read_only = off";

/// For writing what only counts once its commit is flushed, which is waited for at the end.
const BULK: &str = "SET synchronous_commit = off";

/// How large values are compressed that are written to columns without a method of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToastCompression {
    /// By LZ4, where the target has it: several times as fast as the server's own method, both ways,
    /// and the values are hardly larger.
    #[default]
    Lz4,
    /// By the server's own method.
    Pglz,
    /// As the target's settings say.
    Keep,
}

impl ToastCompression {
    /// Where a server was built without a method, its setting does not list it, and stays as it is.
    const fn setting(self) -> Option<&'static str> {
        match self {
            Self::Pglz => Some(
                "SELECT pg_catalog.set_config(name, 'pglz', false) FROM pg_catalog.pg_settings \
                  WHERE name = 'default_toast_compression'",
            ),
            Self::Lz4 => Some(
                "SELECT pg_catalog.set_config(name, 'lz4', false) FROM pg_catalog.pg_settings \
                  WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)",
            ),
            Self::Keep => None,
        }
    }
}

/// For definitions: what a function body names may come later, and
/// what says nothing of its place is in the usual one.
const BUILDING: &str = "\
    SET check_function_bodies = off; \
    SET default_tablespace = ''; \
    SET default_table_access_method = 'heap'";

/// The role that creates a role gets no membership beside what the server always gives.
const MAKING_ROLES: &str = "SET createrole_self_grant = ''";

/// For a connection that waits, in a transaction, for as long as others use the snapshot that its
/// slot has exported. Timeouts that the version does not know are not among its settings.
const REPLICATION: &str = "\
    SELECT pg_catalog.set_config(name, '0', false) \
      FROM pg_catalog.pg_settings \
     WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', \
                    'idle_session_timeout', 'transaction_timeout')";

/// For sessions on a server in use, where one of ours may queue behind a session that waits for another one
/// of ours. The limit is a quarter of the time after which the server looks for deadlocks. So its
/// detector rarely finds a wait of ours, and rarely chooses the application as the victim.
const SHORT_LOCK_WAITS: &str = "; \
    SELECT pg_catalog.set_config('lock_timeout', GREATEST(1, LEAST(setting::int8 / 4, 250))::text, false) \
      FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'";

/// What is added to the settings of a session whose waits for locks are short.
pub(super) fn short_lock_waits() -> Sql {
    Sql::fixed(SHORT_LOCK_WAITS)
}

/// The statement that prepares a connection for replication commands.
pub(super) fn replication_settings() -> Sql {
    Sql::fixed(REPLICATION)
}

/// The statements that prepare a session.
pub(super) fn purpose_settings(
    purpose: Purpose,
    version: ServerVersion,
    toast: ToastCompression,
) -> Sql {
    let mut parts = common_settings(version);
    match purpose {
        Purpose::Introspect | Purpose::CopyOut => parts.push(READING),
        Purpose::Control => parts.push(WRITING),
        Purpose::CopyIn => parts.extend([WRITING, BULK]),
        Purpose::Build => {
            parts.push(BULK);
            parts.extend(building_settings(version));
        }
    }
    if matches!(purpose, Purpose::CopyIn | Purpose::Build) {
        parts.extend(toast.setting());
    }
    join_settings(parts)
}

/// What gives definitions in a script the meaning that they have in our own sessions.
pub fn script_settings(version: ServerVersion) -> Sql {
    let mut parts = common_settings(version);
    parts.extend(building_settings(version));
    join_settings(parts)
}

fn common_settings(version: ServerVersion) -> Vec<&'static str> {
    let mut parts = vec![VALUES, COMMON];
    if version.has_idle_session_timeout() {
        parts.push("SET idle_session_timeout = 0");
    }
    if version.has_transaction_timeout() {
        parts.push("SET transaction_timeout = 0");
    }
    parts
}

fn building_settings(version: ServerVersion) -> Vec<&'static str> {
    let mut parts = vec![WRITING, BUILDING];
    if version.has_membership_options() {
        parts.push(MAKING_ROLES);
    }
    parts
}

fn join_settings(parts: Vec<&'static str>) -> Sql {
    Sql::join(parts.into_iter().map(Sql::fixed), "; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_version_knows_is_set() {
        let sets = |version, name: &str| {
            let sql = purpose_settings(
                Purpose::Introspect,
                ServerVersion::new(version),
                ToastCompression::Lz4,
            );
            sql.as_str().contains(&format!("SET {name} = 0"))
        };
        assert!(!sets(130_000, "idle_session_timeout") && sets(140_000, "idle_session_timeout"));
        assert!(!sets(160_000, "transaction_timeout") && sets(170_000, "transaction_timeout"));
        assert!(sets(120_000, "statement_timeout"));
    }

    #[test]
    fn only_what_writes_rows_chooses_how_they_are_compressed() {
        let chosen = |purpose, toast| {
            let sql = purpose_settings(purpose, ServerVersion::new(180_000), toast);
            let text = sql.as_str().to_owned();
            ["'lz4'", "'pglz'"].map(|method| text.contains(method))
        };
        for purpose in [Purpose::CopyIn, Purpose::Build] {
            assert_eq!(chosen(purpose, ToastCompression::Lz4), [true, false]);
            assert_eq!(chosen(purpose, ToastCompression::Pglz), [false, true]);
            assert_eq!(chosen(purpose, ToastCompression::Keep), [false, false]);
        }
        let reads = chosen(Purpose::CopyOut, ToastCompression::Lz4);
        assert_eq!(reads, [false, false]);
    }

    #[test]
    fn reading_never_writes() {
        for purpose in [Purpose::Introspect, Purpose::CopyOut] {
            let sql = purpose_settings(purpose, ServerVersion::new(180_000), ToastCompression::Lz4);
            assert!(
                sql.as_str()
                    .contains("SET default_transaction_read_only = on")
            );
        }
    }
}
