//! The kinds of findings, and the names by which programs recognize them.

/// Defines [`Code`]: one line a kind, with its name, and the predicate of several objects where people see them as one
/// line. It has none where the messages contain statements, or where one server cannot have several.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident => $name:literal $(, $plural:literal)?;)*) => {
        /// The kind of a finding. `docs/json.md` lists the names. A name never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// Returns what is true of several objects, such as `tables are not readable`.
            pub fn plural(self) -> Option<&'static str> {
                let mut plurals = Self::PLURALS.iter();
                plurals.find(|(code, _)| *code == self).map(|(_, plural)| *plural)
            }

            const PLURALS: &'static [(Self, &'static str)] = &[$($((Self::$code, $plural),)?)*];
        }
    };
}

codes! {
    // The two servers.
    /// The server's version, which is supported.
    ServerVersion => "server-version";
    /// The server is older than the oldest supported version.
    VersionTooOld => "version-too-old";
    /// The server is newer than the newest known version.
    VersionTooNew => "version-too-new";
    /// The target's major version is older than the source's.
    OlderTarget => "older-target";
    /// The system identifier of a server cannot be read.
    SystemIdentifier => "system-identifier";
    /// The source is a standby of the target's cluster.
    StandbyOfTarget => "standby-of-target";
    /// The target is a clone of the source's cluster.
    ClonedCluster => "cloned-cluster";
    /// Source and target are the same cluster.
    SameCluster => "same-cluster";
    /// The server is a standby.
    Standby => "standby";
    /// A server, role or database allows too few connections.
    TooFewConnections => "too-few-connections";

    // What the source must provide for replication.
    /// `wal_level` is not `logical`.
    WalLevel => "wal-level";
    /// The connecting role may not use replication.
    NoReplicationPrivilege => "no-replication-privilege";
    /// Too few replication slots are free.
    TooFewSlots => "too-few-slots";
    /// No WAL sender is free.
    NoWalSender => "no-wal-sender";
    /// `idle_replication_slot_timeout` would invalidate the slot.
    IdleSlotTimeout => "idle-slot-timeout";
    /// `max_slot_wal_keep_size` is less than the size of the database.
    WalKeepSize => "wal-keep-size";
    /// Prepared transactions delay the creation of the slot.
    PreparedTransaction => "prepared-transaction", "prepared transactions hold up the slot";
    /// Long transactions delay the creation of the slot.
    LongTransaction => "long-transaction";
    /// `output_plugin_libraries` does not allow `pgoutput`.
    OutputPluginNotAllowed => "output-plugin-not-allowed";
    /// The server refuses a connection for replication.
    ReplicationRefused => "replication-refused";
    /// The connecting role may not create a publication in the database.
    NoPublicationPrivilege => "no-publication-privilege";

    // Failover slots, and subscriptions of the target.
    /// The source has no failover slots.
    NoFailoverSlots => "no-failover-slots";
    /// The source has standbys, and the slot is not a failover slot.
    SlotLostAtFailover => "slot-lost-at-failover";
    /// What a standby requires to synchronize a failover slot.
    StandbyRequirements => "standby-requirements";
    /// `synchronized_standby_slots` is empty.
    NoStandbySlots => "no-standby-slots";
    /// A slot in `synchronized_standby_slots` is not in use, so replication waits.
    StandbySlotUnused => "standby-slot-unused", "slots in synchronized_standby_slots are not in use: replication from failover slots waits for them";
    /// The replication slot of a finished database becomes a failover slot.
    SlotBecomesFailover => "slot-becomes-failover";
    /// The target can run too few logical replication workers.
    TooFewReplicationWorkers => "too-few-replication-workers";
    /// The target can have too few replication origins.
    TooFewReplicationOrigins => "too-few-replication-origins";

    // Published tables.
    /// The table has neither a primary key nor another replica identity.
    NoReplicaIdentity => "no-replica-identity", "tables have no primary key and no other replica identity";
    /// The index of the replica identity does not exist or cannot be used.
    LostReplicaIdentity => "lost-replica-identity", "tables have lost the index of their replica identity";
    /// The replica identity is `NOTHING`.
    ReplicaIdentityNothing => "replica-identity-nothing", "tables have replica identity NOTHING";
    /// The replica identity is `FULL`, and columns have types without equality.
    NoEquality => "no-equality", "tables have replica identity FULL, and types without equality";
    /// The replica identity contains generated columns.
    GeneratedReplicaIdentity => "generated-replica-identity", "tables have generated columns in their replica identity";
    /// A partition has another replica identity than its partitioned table.
    PartitionReplicaIdentity => "partition-replica-identity", "partitions have another replica identity than their partitioned table";
    /// The table is a hypertable, which cannot be published.
    HypertablePublished => "hypertable-published", "tables are hypertables, whose changes cannot be published";
    /// Another role owns the table, so it cannot be published.
    TableNotOwned => "table-not-owned", "tables belong to other roles and cannot be published";
    /// Unlogged or foreign tables are never published.
    NeverPublished => "never-published";

    // Publications and slots that exist.
    /// A publication of this name exists and is used.
    PublicationUsed => "publication-used";
    /// A publication of this name exists and differs from what is required.
    PublicationDiffers => "publication-differs";
    /// The publication of an earlier run is created again.
    PublicationReplaced => "publication-replaced";
    /// The publication belongs to a run that the state directory does not record.
    PublicationNotRecorded => "publication-not-recorded";
    /// The publication belongs to a run into another target.
    PublicationOfOtherTarget => "publication-of-other-target";
    /// The replication slot is in use.
    SlotActive => "slot-active";
    /// The replication slot of an earlier run is created again.
    SlotReplaced => "slot-replaced";
    /// The replication slot belongs to a run that the state directory does not record.
    SlotNotRecorded => "slot-not-recorded";
    /// A replication slot that this run does not use retains WAL.
    SlotRetainsWal => "slot-retains-wal";
    /// A subscription in the target database reads from another slot.
    OtherSubscription => "other-subscription";
    /// No publication belongs to the run that is to be adopted.
    NothingToAdopt => "nothing-to-adopt";

    // The state of a replication.
    /// The replication slot does not exist.
    SlotMissing => "slot-missing";
    /// The replication slot is lost: the server has removed WAL that it requires.
    SlotLost => "slot-lost";
    /// The next checkpoint may remove WAL that the replication slot requires.
    SlotAtRisk => "slot-at-risk";
    /// The replication slot decodes another database.
    SlotOfOtherDatabase => "slot-of-other-database";
    /// Nobody reads from the replication slot.
    SlotNotRead => "slot-not-read";
    /// The replication slot has moved, and no subscription of the target reads from it.
    SlotMoved => "slot-moved";
    /// The publication does not exist.
    PublicationMissing => "publication-missing";
    /// The publication was changed by somebody else.
    PublicationChanged => "publication-changed";
    /// The copy that the publication belongs to is not complete.
    CopyIncomplete => "copy-incomplete";
    /// No subscription of the target reads from the replication slot.
    SubscriptionMissing => "subscription-missing";
    /// The subscription is disabled.
    SubscriptionDisabled => "subscription-disabled";
    /// The subscription is detached from its replication slot.
    SubscriptionDetached => "subscription-detached";
    /// The subscription does not ask for a publication.
    SubscriptionPublications => "subscription-publications";
    /// The apply worker of the subscription does not run.
    WorkerNotRunning => "worker-not-running";
    /// The target has no free logical replication worker.
    WorkersExhausted => "workers-exhausted";
    /// The apply worker fails.
    ApplyFails => "apply-fails";
    /// The initial copy of a table fails.
    TableCopyFails => "table-copy-fails";
    /// The apply worker waits for locks of other sessions of the target.
    ApplyBlocked => "apply-blocked";
    /// The server has counted conflicts.
    Conflicts => "conflicts";
    /// The initial copy of the table is not complete.
    TableNotReady => "table-not-ready", "tables are not ready";
    /// The selection is another one than that of the replication that exists.
    SelectionChanged => "selection-changed", "tables are selected otherwise than they are replicated";
    /// The connection string of the subscription contains a password, which the target stores.
    PasswordStored => "password-stored";
    /// The target's server log may contain the statement with the password.
    PasswordLogged => "password-logged";
    /// The connecting role may not create subscriptions on the target.
    NoSubscriptionPrivilege => "no-subscription-privilege";
    /// The connecting role cannot `SET ROLE` to the owner of a table, which the apply worker requires.
    TableOwnerOutOfReach => "table-owner-out-of-reach", "roles, which own tables, are not ones that the connecting role can SET ROLE to";
    /// The table is published and missing on the target.
    TableMissingOnTarget => "table-missing-on-target", "published tables are missing";
    /// The table is published, and the subscription does not replicate it yet.
    TableNotSubscribed => "table-not-subscribed", "published tables are not replicated yet";
    /// The table is selected and not published.
    TableNotPublished => "table-not-published", "selected tables are not published";
    /// The table is selected and cannot be published as it is.
    TableNotPublishable => "table-not-publishable", "selected tables cannot be published as they are";
    /// A published column is missing on the target.
    ColumnMissingOnTarget => "column-missing-on-target", "published columns are missing";
    /// The target requires a value for a column that the source does not have.
    ColumnOnlyOnTarget => "column-only-on-target", "columns require a value and do not exist on the source";
    /// The owner of the subscription may not change the table.
    NoApplyPrivilege => "no-apply-privilege", "tables may not be changed by the subscription's owner";

    // Selection and names.
    /// A filter can be read in another way.
    AmbiguousFilter => "ambiguous-filter";
    /// A rule of a table has no effect.
    RuleWithoutEffect => "rule-without-effect";
    /// A database cannot be copied and is skipped.
    DatabaseSkipped => "database-skipped", "databases are skipped";
    /// The maintenance database contains tables and is not selected.
    MaintenanceNotSelected => "maintenance-not-selected";
    /// A database that is to get another name is not selected.
    MappedDatabaseNotSelected => "mapped-database-not-selected", "databases, which are to get other names, are not selected";
    /// Two databases would get the same name on the target.
    DatabaseNameConflict => "database-name-conflict", "databases would get the names of others";
    /// A role that is to get another name does not exist.
    MappedRoleMissing => "mapped-role-missing", "roles, which are to get other names, do not exist";
    /// The server reserves the new name of a role.
    ReservedRoleName => "reserved-role-name", "role names, which roles are to get, are reserved by the server";
    /// An extension that is to be skipped exists in no selected database.
    SkippedExtensionMissing => "skipped-extension-missing", "extensions, which are to be skipped, are in none of the databases";

    // The target's databases.
    /// The connecting role may not create databases.
    NoCreateDatabase => "no-create-database";
    /// The database on the target is not empty.
    NotEmpty => "not-empty";
    /// Another run uses the database that is to be replaced.
    DatabaseInUse => "database-in-use";
    /// The database is invalid: its `DROP DATABASE` was interrupted.
    InvalidDatabase => "invalid-database";
    /// The database refuses connections.
    NoConnections => "no-connections";
    /// The connecting role may not create schemas in the database.
    NoCreateInDatabase => "no-create-in-database";
    /// The connecting role may not create objects in the schema.
    NoCreateInSchema => "no-create-in-schema", "schemas exist, and the connecting role may not create in them";
    /// The existing database has another encoding.
    Encoding => "encoding";
    /// The existing database has another locale.
    Locale => "locale";

    // Earlier and other runs.
    /// Another run is active on the database.
    RunActive => "run-active";
    /// The recorded copy no longer applies.
    CopyOutdated => "copy-outdated";
    /// The interrupted run has finished the database, which is kept.
    CopyKept => "copy-kept";
    /// The incomplete copy of the interrupted run is replaced.
    CopyReplaced => "copy-replaced";
    /// The incomplete copy contains objects of others.
    CopyHasOtherObjects => "copy-has-other-objects";
    /// The interrupted run was to copy a database that this run does not copy.
    CopyDiscontinued => "copy-discontinued";
    /// No complete copy of the database is recorded, whose missing objects could be created.
    NothingToComplete => "nothing-to-complete";
    /// An incomplete copy of the database exists under another name.
    CopyElsewhere => "copy-elsewhere";
    /// The database was the target of an interrupted run, whose journal still exists.
    JournalSchema => "journal-schema";

    // What the source lets us read.
    /// The table cannot be read.
    TableNotReadable => "table-not-readable", "tables are not readable";
    /// The sequence cannot be read.
    SequenceNotReadable => "sequence-not-readable", "sequences are not readable";
    /// The schema of the relation cannot be used.
    SchemaNotUsable => "schema-not-usable", "tables and sequences are in schemas that are not usable";
    /// Row-level security hides rows of the table.
    RowSecurity => "row-security", "tables have rows that row security hides";
    /// Large objects cannot be read.
    LargeObjectNotReadable => "large-object-not-readable";
    /// Locks of other sessions delayed the reading of definitions.
    LockWait => "lock-wait";
    /// Other sessions prevented the reading of definitions.
    DefinitionsNotReadable => "definitions-not-readable";

    // Extensions.
    /// The extension is not available on the target.
    ExtensionNotAvailable => "extension-not-available", "extensions are not available";
    /// The extension must be preloaded and is not.
    ExtensionNotLoaded => "extension-not-loaded", "extensions are not loaded";
    /// Only a superuser can create the extension.
    ExtensionRequiresSuperuser => "extension-requires-superuser", "extensions require superuser to be created";
    /// The extension is in another schema on the target.
    ExtensionSchema => "extension-schema", "extensions are in another schema than on the source";
    /// The extension has another version on the target.
    ExtensionVersion => "extension-version", "extensions have another version than on the source";
    /// Rows of the configuration tables of an existing extension are replaced.
    ExtensionConfiguration => "extension-configuration", "extensions exist: rows of their configuration tables are replaced by the source's";

    // Roles and privileges on the target.
    /// The connecting role may not create roles.
    NoCreateRole => "no-create-role";
    /// The connecting role does not inherit the privileges of its roles.
    NoInherit => "no-inherit";
    /// A role that owns objects, or to which a policy applies, does not exist on the target.
    MissingRole => "missing-role", "roles, which own objects or to which policies apply, do not exist";
    /// The connecting role cannot `SET ROLE` to a role that owns objects.
    RoleOutOfReach => "role-out-of-reach", "roles, which own objects, are not ones that the connecting role can SET ROLE to";
    /// The object, or a privilege or setting of it, is for a role that does not exist on the target.
    ForMissingRole => "for-missing-role", "objects have privileges or settings for roles that do not exist on the target";
    /// A privilege on the object is skipped: the connecting role cannot `SET ROLE` to its grantor.
    GrantorOutOfReach => "grantor-out-of-reach", "objects have privileges of grantors that the connecting role cannot SET ROLE to";
    /// An existing role keeps its own attribute.
    RoleDiffers => "role-differs", "roles exist on the target and keep their own attributes";
    /// A role is not created.
    RoleNotCreated => "role-not-created", "roles are not created: the target's connecting role may not create roles";
    /// A role is created without an attribute.
    RoleAttribute => "role-attribute", "roles are created without an attribute";
    /// A role is created without a password.
    RolePassword => "role-password", "roles are created without a password";
    /// A role is created without a setting.
    RoleSetting => "role-setting", "roles are created without a setting";
    /// A membership is skipped or differs.
    Membership => "membership", "roles have memberships that are skipped or differ";
    /// Memberships of roles that do not exist are skipped.
    OrphanMemberships => "orphan-memberships";
    /// The privilege to set a parameter is skipped.
    ParameterPrivilege => "parameter-privilege";
    /// A setting of all roles is skipped or differs.
    CommonSetting => "common-setting", "settings of every role are skipped or differ";
    /// Another role that gets the same name has the object already.
    MappedRoleConflict => "mapped-role-conflict", "objects are skipped: another role that is mapped to the same one has them";
    /// The target has no such privilege.
    NoSuchPrivilege => "no-such-privilege", "objects have privileges that the target does not know";
    /// The object keeps its owner.
    OwnerKept => "owner-kept", "objects keep their owner on the target";

    // Objects that the target does not get, or gets in another form.
    /// Objects of this kind are not copied.
    NotCovered => "not-covered", "objects are not copied";
    /// The target's version does not support the object.
    UnsupportedOnTarget => "unsupported-on-target", "objects are not supported by the target";
    /// The target's version no longer accepts the object.
    RemovedOnTarget => "removed-on-target";
    /// The object is created in another form for an older target.
    Downgraded => "downgraded", "objects are changed for an older target";
    /// Objects depend on each other in a cycle.
    CircularDependency => "circular-dependency";
    /// The object requires superuser.
    RequiresSuperuser => "requires-superuser", "objects require superuser";
    /// Another role owns the object on the target.
    NotOwnedOnTarget => "not-owned-on-target", "objects are skipped, another role owns them on the target";
    /// The object belongs to the managed service.
    ProviderObject => "provider-object", "objects belong to the source's managed service";
    /// The script of an extension creates the object.
    CreatedByExtension => "created-by-extension", "objects are kept as the script of an extension creates them on the target";
    /// The object belongs to a skipped extension.
    ExtensionSkipped => "extension-skipped", "objects belong to skipped extensions";
    /// The object depends on a skipped object.
    DependsOnSkipped => "depends-on-skipped", "objects depend on skipped objects";
    /// The object depends on a table that is not selected.
    DependsOnUnselected => "depends-on-unselected", "objects are skipped, they depend on tables that are not selected";
    /// The object is excluded by name.
    ObjectExcluded => "object-excluded", "objects are excluded";
    /// An object that is always copied depends on an excluded object.
    DependsOnExcluded => "depends-on-excluded", "objects, which are always copied, depend on excluded objects";
    /// The index of the table's replica identity is excluded, although its changes are to be replicated.
    ReplicaIdentityExcluded => "replica-identity-excluded", "tables would lose the index of their replica identity";
    /// A selected table depends on a table that is not selected.
    TableDependsOnUnselected => "table-depends-on-unselected", "selected tables depend on tables that are not selected";
    /// The source does not accept the filter of a table.
    FilterRefused => "filter-refused";
    /// A filter reads columns that are not in the replica identity.
    FilterColumns => "filter-columns", "tables have filters on columns that are not in their replica identity";
    /// A publication cannot have the filter.
    FilterNotPublishable => "filter-not-publishable";
    /// The source is too old to publish filters.
    FilterVersion => "filter-version";
    /// A column is written by names, which a filter's search path would change.
    FilterNames => "filter-names";
    /// Copied rows refer to rows that are not copied.
    OrphanedRows => "orphaned-rows", "foreign keys refer to rows that are not copied";
    /// Counting the references to rows that are not copied took too long.
    OrphansNotCounted => "orphans-not-counted", "foreign keys may refer to rows that are not copied";
    /// The foreign key of a partitioned table cannot stay `NOT VALID` on the target.
    PartitionedKey => "partitioned-key", "foreign keys of partitioned tables cannot stay NOT VALID on the target";
    /// The foreign key stays `NOT VALID`, since it refers to rows that are not copied.
    KeyNotValid => "key-not-valid", "foreign keys are NOT VALID: they refer to rows that are not copied";
    /// The object that it is about is not created.
    ObjectNotCreated => "object-not-created", "objects are skipped: what they are about is not created";
    /// The object must be created by hand.
    CreatedByHand => "created-by-hand";
    /// The subscription is not created.
    Subscription => "subscription";
    /// The object is created without its options, which cannot be read.
    HiddenOptions => "hidden-options", "objects are created without their options, which the source's role may not read";
    /// The index is invalid on the source.
    InvalidIndex => "invalid-index", "indexes are invalid on the source";
    /// No server accepts a rule of this name.
    RuleName => "rule-name", "rules have names that no server accepts";
    /// The tablespace is replaced by the default.
    Tablespace => "tablespace", "objects get the default tablespace instead of their own";
    /// The domain's constraint is not validated.
    NotValidated => "not-validated", "constraints of domains are NOT VALID on the target";
    /// The object uses the names of roles that are renamed.
    UsesRoleNames => "uses-role-names", "objects use current_user or session_user, and roles are renamed on the target";
    /// The target does not accept the parameter.
    UnknownParameter => "unknown-parameter", "objects have settings that the target does not accept";
    /// The hypertable becomes a plain table.
    PlainTable => "plain-table", "hypertables are created as plain tables";
    /// The module of the security label is not loaded.
    LabelProvider => "label-provider", "objects have security labels whose modules the target has not loaded";
    /// The body of a function depends on `search_path`.
    SearchPath => "search-path", "functions rely on search_path; the target runs them without the database's path";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            let is_word =
                |word: &str| !word.is_empty() && word.chars().all(|part| part.is_ascii_lowercase());
            assert!(name.split('-').all(is_word), "{name}");
        }
    }
}
