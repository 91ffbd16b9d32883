use std::fmt;

/// A server's version as in `server_version_num`, e.g. 150018. Call sites ask for features, so that only this
/// file contains version numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion(u32);

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident since $major:literal;)+) => {
        $($(#[$doc])* pub const fn $name(self) -> bool { self.major() >= $major })+
    };
}

impl ServerVersion {
    /// The oldest major that this program copies from or to.
    pub const OLDEST_MAJOR: u32 = 12;
    /// The newest major that this program knows.
    pub const NEWEST_MAJOR: u32 = 18;

    /// A version from `server_version_num`.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The major version, e.g. 15.
    pub const fn major(self) -> u32 {
        self.0 / 10_000
    }

    /// The number as the server gives it.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Postfix operators.
    pub const fn has_postfix_operators(self) -> bool {
        self.major() < 14
    }

    features! {
        /// `pg_trigger.tgparentid`, `publish_via_partition_root`, trusted extensions.
        has_trigger_parents since 13;
        /// `DROP DATABASE … WITH (FORCE)`.
        has_forced_drop since 13;
        /// `publish_via_partition_root`: partitioned tables in publications.
        has_publish_via_root since 13;
        /// `pg_statistic_ext.stxstattarget`.
        has_statistics_targets since 13;
        /// The role `pg_read_all_data`.
        has_read_all_data since 14;
        /// `pg_attribute.attcompression`.
        has_column_compression since 14;
        /// Conditions on ctids read only the pages that they name (TID range scans).
        has_tid_range_scan since 14;
        /// `pg_range.rngmultitypid`.
        has_multiranges since 14;
        /// `pg_type.typsubscript`.
        has_subscripting since 14;
        /// `pg_get_function_sqlbody`.
        has_sql_bodies since 14;
        /// `pg_subscription.subbinary` and `substream`.
        has_binary_subscriptions since 14;
        /// `pg_subscription.oid` for every role.
        has_readable_subscription_oids since 14;
        /// `idle_session_timeout`.
        has_idle_session_timeout since 14;
        /// Array and composite input accepts other oids of user-defined types.
        accepts_foreign_type_oids since 14;
        /// `CREATE_REPLICATION_SLOT … (SNAPSHOT 'export')` instead of keywords.
        has_slot_option_list since 15;
        /// `pg_index.indnullsnotdistinct`.
        has_nulls_not_distinct since 15;
        /// `pg_database.datlocprovider`.
        has_locale_provider since 15;
        /// Partition clones of triggers are no longer internal.
        has_visible_trigger_clones since 15;
        /// `ALTER SEQUENCE … SET {LOGGED | UNLOGGED}`.
        has_unlogged_sequences since 15;
        /// `pg_stat_subscription_stats`.
        has_subscription_counters since 15;
        /// `pg_publication_rel.prqual`, `pg_publication_namespace`.
        has_publication_filters since 15;
        /// PUBLIC may no longer create in a fresh database's schema `public`.
        has_closed_public_schema since 15;
        /// `pg_parameter_acl`.
        has_parameter_privileges since 15;
        /// `pg_auth_members.inherit_option` and `set_option`.
        has_membership_options since 16;
        /// `streaming = parallel`, `origin`, `run_as_owner` of subscriptions.
        has_parallel_apply since 16;
        /// `pg_database.daticurules`, `pg_collation.collicurules`.
        has_icu_rules since 16;
        /// `pg_database.datlocale` in place of `daticulocale`; the builtin provider.
        has_builtin_locale_provider since 17;
        /// Not-null constraints of domains in `pg_constraint`.
        has_domain_not_null_constraints since 17;
        /// Identity columns of partitioned tables, which their partitions share.
        has_partitioned_identity since 17;
        /// Generated columns of children only where the parent's are generated.
        has_strict_generation since 16;
        /// `SET EXPRESSION` of generated columns.
        has_set_expression since 17;
        /// `CREATE INDEX`, `REFRESH MATERIALIZED VIEW` and `ANALYZE` run under a `search_path` of the server.
        has_path_of_maintenance since 17;
        /// The `MAINTAIN` privilege.
        has_maintain_privilege since 17;
        /// `'infinity'::interval`.
        has_infinite_intervals since 17;
        /// `failover` of slots and subscriptions.
        has_failover_slots since 17;
        /// `transaction_timeout`.
        has_transaction_timeout since 17;
        /// Not-null constraints of tables in `pg_constraint`.
        has_not_null_constraints since 18;
        /// Views repeat the expressions that they group by in their rules.
        repeats_groups since 18;
        /// `pg_constraint.conenforced`.
        has_unenforced_constraints since 18;
        /// Changes are refused where an identity holds generated columns that are not published.
        checks_generated_identity since 18;
        /// Virtual generated columns.
        has_virtual_columns since 18;
        /// Foreign keys of partitioned tables that rows are not checked against at once.
        has_unchecked_partitioned_keys since 18;
        /// `pg_restore_relation_stats` and `pg_restore_attribute_stats`.
        has_statistics_import since 18;
        /// `pg_get_sequence_data`.
        has_sequence_data_function since 18;
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.0 % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_as_major_and_minor() {
        let version = ServerVersion::new(150_018);
        assert_eq!(version.to_string(), "15.18");
        assert!(version.has_nulls_not_distinct() && !version.has_membership_options());
    }
}
