//! Copies while other sessions change definitions or wait for locks.

mod cached;
mod ddl_races;
mod lock_queues;
mod renamed;
