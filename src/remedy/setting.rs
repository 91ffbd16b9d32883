/// Declares the settings, and the list of all of them.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What a user may set. A place that shows one to the user gives it its name there: a flag of the
        /// command line, a key of a file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Setting {
            $($(#[$doc])* $name,)+
        }

        impl Setting {
            /// All settings.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

settings! {
    /// The run whose objects on the source this one takes over.
    Adopt,
    /// Whether the target's major version may be older.
    AllowOlderTarget,
    /// Whether foreign keys to rows that are not copied may stay NOT VALID.
    AllowOrphans,
    /// Whether source and target may be one cluster.
    AllowSameCluster,
    /// The time that filters use as the current time.
    AsOf,
    /// Whether the target's server copies all rows where no slot exists.
    CopyData,
    /// Whether only objects are created that an earlier run has not created.
    DefinitionsOnly,
    /// Whether existing databases are dropped and recreated.
    DropExisting,
    /// Views, functions, triggers, indexes and constraints that are not created.
    ExcludeObjects,
    /// Tables that are not copied.
    ExcludeTables,
    /// Whether the slots are failover slots.
    FailoverSlot,
    /// The only databases that are copied.
    IncludeDatabases,
    /// Tables of whose later changes only INSERT and TRUNCATE are replicated.
    InsertOnlyTables,
    /// The number of parallel workers.
    Jobs,
    /// Whether DDL waits until the rows are copied.
    KeepLocks,
    /// Databases with another name on the target.
    MapDatabase,
    /// How long to wait for locks of other sessions.
    MaxLockWait,
    /// How much WAL a slot may retain.
    MaxRetainedWal,
    /// Without owners.
    NoOwner,
    /// Without grants and default privileges.
    NoPrivileges,
    /// Without what an interrupted run has recorded.
    NoResume,
    /// Without publication and slot.
    NoSync,
    /// The form of the report.
    Output,
    /// How objects of a managed service are recognized.
    Provider,
    /// The publication's name.
    Publication,
    /// Whether tables without a replica identity get REPLICA IDENTITY FULL.
    ReplicaIdentityFull,
    /// Roles with another name on the target.
    RoleMap,
    /// The run whose objects are removed.
    Run,
    /// Tables of which only the definition is created.
    SchemaOnlyTables,
    /// Extensions that are not copied.
    SkipExtensions,
    /// Whether the copy completes without objects that the target refuses.
    SkipFailedObjects,
    /// The slot that is removed.
    Slot,
    /// Tables that are copied and not replicated.
    SnapshotOnlyTables,
    /// The source server.
    Source,
    /// The folder of the state of all runs.
    StateDir,
    /// The subscription's name.
    Subscription,
    /// The source as the target's server sees it.
    SubscriptionSource,
    /// Tables of which only rows that meet a predicate are copied.
    TableFilter,
    /// How long to wait.
    Timeout,
    /// Whether every finding is listed.
    Verbose,
}
