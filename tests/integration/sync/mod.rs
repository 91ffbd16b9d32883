//! `sync` and `status`: the target follows the source by native logical replication.

mod follows;
