//! The one place that knows the flag of each setting.

use crate::remedy::Setting;

/// The flag of a setting.
pub(super) const fn flag_of(setting: Setting) -> &'static str {
    match setting {
        Setting::Adopt => "--adopt",
        Setting::AllowOlderTarget => "--allow-older-target",
        Setting::AllowOrphans => "--allow-orphans",
        Setting::AllowSameCluster => "--allow-same-cluster",
        Setting::AsOf => "--as-of",
        Setting::CopyData => "--copy-data",
        Setting::DefinitionsOnly => "--definitions-only",
        Setting::DropExisting => "--drop-existing",
        Setting::ExcludeObjects => "--exclude-objects",
        Setting::ExcludeTables => "--exclude-tables",
        Setting::FailoverSlot => "--failover-slot",
        Setting::IncludeDatabases => "--include-databases",
        Setting::InsertOnlyTables => "--insert-only-tables",
        Setting::Jobs => "--jobs",
        Setting::KeepLocks => "--keep-locks",
        Setting::MapDatabase => "--map-database",
        Setting::MaxLockWait => "--max-lock-wait",
        Setting::MaxRetainedWal => "--max-retained-wal",
        Setting::NoOwner => "--no-owner",
        Setting::NoPrivileges => "--no-privileges",
        Setting::NoResume => "--no-resume",
        Setting::NoSync => "--no-sync",
        Setting::Output => "--output",
        Setting::Provider => "--provider",
        Setting::Publication => "--publication",
        Setting::ReplicaIdentityFull => "--replica-identity-full",
        Setting::RoleMap => "--role-map",
        Setting::Run => "--run",
        Setting::SchemaOnlyTables => "--schema-only-tables",
        Setting::SkipExtensions => "--skip-extensions",
        Setting::SkipFailedObjects => "--skip-failed-objects",
        Setting::Slot => "--slot",
        Setting::SnapshotOnlyTables => "--snapshot-only-tables",
        Setting::Source => "--source",
        Setting::StateDir => "--state-dir",
        Setting::Subscription => "--subscription",
        Setting::SubscriptionSource => "--subscription-source",
        Setting::TableFilter => "--table-filter",
        Setting::Timeout => "--timeout",
        Setting::Verbose => "--verbose",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn every_setting_is_a_flag_of_some_command() {
        let program = Arguments::command();
        let commands = std::iter::once(&program).chain(program.get_subcommands());
        let arguments = commands.flat_map(clap::Command::get_arguments);
        let flags: BTreeSet<String> = arguments
            .filter_map(|argument| argument.get_long())
            .map(|long| format!("--{long}"))
            .collect();
        for setting in Setting::ALL {
            assert!(flags.contains(flag_of(*setting)), "{setting:?}");
        }
    }
}
