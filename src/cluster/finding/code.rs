//! The kinds of findings, and the names by which programs recognize them.

/// Defines [`Code`]: one line a kind, with its name.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident => $name:literal,)*) => {
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
        }
    };
}

codes! {
    // The two servers.
    /// The server's version, which is supported.
    ServerVersion => "server-version",
    /// The server is older than the oldest supported version.
    VersionTooOld => "version-too-old",
    /// The server is newer than the newest known version.
    VersionTooNew => "version-too-new",
    /// The target's major version is older than the source's.
    OlderTarget => "older-target",
    /// The system identifier of a server cannot be read.
    SystemIdentifier => "system-identifier",
    /// The source is a standby of the target's cluster.
    StandbyOfTarget => "standby-of-target",
    /// The target is a clone of the source's cluster.
    ClonedCluster => "cloned-cluster",
    /// Source and target are the same cluster.
    SameCluster => "same-cluster",
    /// The server is a standby.
    Standby => "standby",
    /// A server, role or database allows too few connections.
    TooFewConnections => "too-few-connections",

    // What the source must provide for replication.
    /// `wal_level` is not `logical`.
    WalLevel => "wal-level",
    /// The connecting role may not use replication.
    NoReplicationPrivilege => "no-replication-privilege",
    /// Too few replication slots are free.
    TooFewSlots => "too-few-slots",
    /// No WAL sender is free.
    NoWalSender => "no-wal-sender",
    /// `idle_replication_slot_timeout` would invalidate the slot.
    IdleSlotTimeout => "idle-slot-timeout",
    /// `max_slot_wal_keep_size` is less than the size of the database.
    WalKeepSize => "wal-keep-size",
    /// Prepared transactions delay the creation of the slot.
    PreparedTransaction => "prepared-transaction",
    /// Long transactions delay the creation of the slot.
    LongTransaction => "long-transaction",
    /// The server refuses a connection for replication.
    ReplicationRefused => "replication-refused",
    /// The connecting role may not create a publication in the database.
    NoPublicationPrivilege => "no-publication-privilege",

    // Published tables.
    /// The table has neither a primary key nor another replica identity.
    NoReplicaIdentity => "no-replica-identity",
    /// The index of the replica identity does not exist or cannot be used.
    LostReplicaIdentity => "lost-replica-identity",
    /// The replica identity is `NOTHING`.
    ReplicaIdentityNothing => "replica-identity-nothing",
    /// The replica identity is `FULL`, and columns have types without equality.
    NoEquality => "no-equality",
    /// The replica identity contains generated columns.
    GeneratedReplicaIdentity => "generated-replica-identity",
    /// A partition has another replica identity than its partitioned table.
    PartitionReplicaIdentity => "partition-replica-identity",
    /// The table is a hypertable, which cannot be published.
    HypertablePublished => "hypertable-published",
    /// Another role owns the table, so it cannot be published.
    TableNotOwned => "table-not-owned",
    /// Unlogged or foreign tables are never published.
    NeverPublished => "never-published",

    // Publications and slots that exist.
    /// A publication of this name exists and is used.
    PublicationUsed => "publication-used",
    /// A publication of this name exists and differs from what is required.
    PublicationDiffers => "publication-differs",
    /// The publication of an earlier run is created again.
    PublicationReplaced => "publication-replaced",
    /// The publication belongs to a run that the state directory does not record.
    PublicationNotRecorded => "publication-not-recorded",
    /// The publication belongs to a run into another target.
    PublicationOfOtherTarget => "publication-of-other-target",
    /// The replication slot is in use.
    SlotActive => "slot-active",
    /// The replication slot of an earlier run is created again.
    SlotReplaced => "slot-replaced",
    /// The replication slot belongs to a run that the state directory does not record.
    SlotNotRecorded => "slot-not-recorded",
    /// A replication slot that this run does not use retains WAL.
    SlotRetainsWal => "slot-retains-wal",
    /// A subscription in the target database reads from another slot.
    OtherSubscription => "other-subscription",
    /// No publication belongs to the run that is to be adopted.
    NothingToAdopt => "nothing-to-adopt",

    // Selection and names.
    /// A filter can be read in another way.
    AmbiguousFilter => "ambiguous-filter",
    /// A rule of a table has no effect.
    RuleWithoutEffect => "rule-without-effect",
    /// A database cannot be copied and is skipped.
    DatabaseSkipped => "database-skipped",
    /// The maintenance database contains tables and is not selected.
    MaintenanceNotSelected => "maintenance-not-selected",
    /// A database that is to get another name is not selected.
    MappedDatabaseNotSelected => "mapped-database-not-selected",
    /// Two databases would get the same name on the target.
    DatabaseNameConflict => "database-name-conflict",
    /// A role that is to get another name does not exist.
    MappedRoleMissing => "mapped-role-missing",
    /// The server reserves the new name of a role.
    ReservedRoleName => "reserved-role-name",
    /// An extension that is to be skipped exists in no selected database.
    SkippedExtensionMissing => "skipped-extension-missing",

    // The target's databases.
    /// The connecting role may not create databases.
    NoCreateDatabase => "no-create-database",
    /// The database on the target is not empty.
    NotEmpty => "not-empty",
    /// Another run uses the database that is to be replaced.
    DatabaseInUse => "database-in-use",
    /// The database is invalid: its `DROP DATABASE` was interrupted.
    InvalidDatabase => "invalid-database",
    /// The database refuses connections.
    NoConnections => "no-connections",
    /// The connecting role may not create schemas in the database.
    NoCreateInDatabase => "no-create-in-database",
    /// The connecting role may not create objects in the schema.
    NoCreateInSchema => "no-create-in-schema",
    /// The existing database has another encoding.
    Encoding => "encoding",
    /// The existing database has another locale.
    Locale => "locale",

    // Earlier and other runs.
    /// Another run is active on the database.
    RunActive => "run-active",
    /// The recorded copy no longer applies.
    CopyOutdated => "copy-outdated",
    /// The interrupted run has finished the database, which is kept.
    CopyKept => "copy-kept",
    /// The incomplete copy of the interrupted run is replaced.
    CopyReplaced => "copy-replaced",
    /// The incomplete copy contains objects of others.
    CopyHasOtherObjects => "copy-has-other-objects",
    /// The interrupted run was to copy a database that this run does not copy.
    CopyDiscontinued => "copy-discontinued",
    /// An incomplete copy of the database exists under another name.
    CopyElsewhere => "copy-elsewhere",
    /// The database was the target of an interrupted run, whose journal still exists.
    JournalSchema => "journal-schema",

    // What the source lets us read.
    /// The table cannot be read.
    TableNotReadable => "table-not-readable",
    /// The sequence cannot be read.
    SequenceNotReadable => "sequence-not-readable",
    /// The schema of the relation cannot be used.
    SchemaNotUsable => "schema-not-usable",
    /// Row-level security hides rows of the table.
    RowSecurity => "row-security",
    /// Large objects cannot be read.
    LargeObjectNotReadable => "large-object-not-readable",
    /// Locks of other sessions delayed the reading of definitions.
    LockWait => "lock-wait",
    /// Other sessions prevented the reading of definitions.
    DefinitionsNotReadable => "definitions-not-readable",

    // Extensions.
    /// The extension is not available on the target.
    ExtensionNotAvailable => "extension-not-available",
    /// The extension must be preloaded and is not.
    ExtensionNotLoaded => "extension-not-loaded",
    /// Only a superuser can create the extension.
    ExtensionRequiresSuperuser => "extension-requires-superuser",
    /// The extension is in another schema on the target.
    ExtensionSchema => "extension-schema",
    /// The extension has another version on the target.
    ExtensionVersion => "extension-version",
    /// Rows of the configuration tables of an existing extension are replaced.
    ExtensionConfiguration => "extension-configuration",

    // Roles and privileges on the target.
    /// The connecting role may not create roles.
    NoCreateRole => "no-create-role",
    /// The connecting role does not inherit the privileges of its roles.
    NoInherit => "no-inherit",
    /// A role that owns objects, or to which a policy applies, does not exist on the target.
    MissingRole => "missing-role",
    /// The connecting role cannot `SET ROLE` to a role that owns objects.
    RoleOutOfReach => "role-out-of-reach",
    /// The object, or a privilege or setting of it, is for a role that does not exist on the target.
    ForMissingRole => "for-missing-role",
    /// A privilege on the object is skipped: the connecting role cannot `SET ROLE` to its grantor.
    GrantorOutOfReach => "grantor-out-of-reach",
    /// An existing role keeps its own attribute.
    RoleDiffers => "role-differs",
    /// A role is not created.
    RoleNotCreated => "role-not-created",
    /// A role is created without an attribute.
    RoleAttribute => "role-attribute",
    /// A role is created without a password.
    RolePassword => "role-password",
    /// A role is created without a setting.
    RoleSetting => "role-setting",
    /// A membership is skipped or differs.
    Membership => "membership",
    /// Memberships of roles that do not exist are skipped.
    OrphanMemberships => "orphan-memberships",
    /// The privilege to set a parameter is skipped.
    ParameterPrivilege => "parameter-privilege",
    /// A setting of all roles is skipped or differs.
    CommonSetting => "common-setting",
    /// Another role that gets the same name has the object already.
    MappedRoleConflict => "mapped-role-conflict",
    /// The target has no such privilege.
    NoSuchPrivilege => "no-such-privilege",
    /// The object keeps its owner.
    OwnerKept => "owner-kept",

    // Objects that the target does not get, or gets in another form.
    /// Objects of this kind are not copied.
    NotCovered => "not-covered",
    /// The target's version does not support the object.
    UnsupportedOnTarget => "unsupported-on-target",
    /// The target's version no longer accepts the object.
    RemovedOnTarget => "removed-on-target",
    /// The object is created in another form for an older target.
    Downgraded => "downgraded",
    /// Objects depend on each other in a cycle.
    CircularDependency => "circular-dependency",
    /// The object requires superuser.
    RequiresSuperuser => "requires-superuser",
    /// Another role owns the object on the target.
    NotOwnedOnTarget => "not-owned-on-target",
    /// The object belongs to the managed service.
    ProviderObject => "provider-object",
    /// The script of an extension creates the object.
    CreatedByExtension => "created-by-extension",
    /// The object belongs to a skipped extension.
    ExtensionSkipped => "extension-skipped",
    /// The object depends on a skipped object.
    DependsOnSkipped => "depends-on-skipped",
    /// The object depends on a table that is not selected.
    DependsOnUnselected => "depends-on-unselected",
    /// A selected table depends on a table that is not selected.
    TableDependsOnUnselected => "table-depends-on-unselected",
    /// Copied rows refer to rows that are not copied.
    OrphanedRows => "orphaned-rows",
    /// Counting the references to rows that are not copied took too long.
    OrphansNotCounted => "orphans-not-counted",
    /// The foreign key of a partitioned table cannot stay `NOT VALID` on the target.
    PartitionedKey => "partitioned-key",
    /// The foreign key stays `NOT VALID`, since it refers to rows that are not copied.
    KeyNotValid => "key-not-valid",
    /// The object that it is about is not created.
    ObjectNotCreated => "object-not-created",
    /// The object must be created by hand.
    CreatedByHand => "created-by-hand",
    /// The subscription is not created.
    Subscription => "subscription",
    /// The object is created without its options, which cannot be read.
    HiddenOptions => "hidden-options",
    /// The index is invalid on the source.
    InvalidIndex => "invalid-index",
    /// No server accepts a rule of this name.
    RuleName => "rule-name",
    /// The tablespace is replaced by the default.
    Tablespace => "tablespace",
    /// The domain's constraint is not validated.
    NotValidated => "not-validated",
    /// The object uses the names of roles that are renamed.
    UsesRoleNames => "uses-role-names",
    /// The target does not accept the parameter.
    UnknownParameter => "unknown-parameter",
    /// The hypertable becomes a plain table.
    PlainTable => "plain-table",
    /// The module of the security label is not loaded.
    LabelProvider => "label-provider",
    /// The body of a function depends on `search_path`.
    SearchPath => "search-path",
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
