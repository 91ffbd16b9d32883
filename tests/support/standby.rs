//! A standby that streams from a primary through a physical slot.

use std::fs;
use std::process::Command;

use seren_replicator::sandbox::Cluster;

use super::{database, run, wait_for};

/// The physical slot of the standby.
pub(crate) const STANDBY_SLOT: &str = "standby_1";

/// Starts a standby of a primary, which is restarted for the copy of its files. It has everything that the
/// synchronization of slots requires.
pub(crate) async fn start_standby(primary: &mut Cluster) -> Cluster {
    let create = format!("SELECT pg_create_physical_replication_slot('{STANDBY_SLOT}', true)");
    run(&primary.url("postgres"), &create).await;
    primary.stop().unwrap();
    let mut standby = Cluster::start(primary.major()).unwrap();
    standby.stop().unwrap();
    let data = standby.data_dir();
    let own = fs::read_to_string(data.join("postgresql.auto.conf")).unwrap();
    fs::remove_dir_all(&data).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .args([&primary.data_dir(), &data])
        .status();
    assert!(copied.unwrap().success());
    // The copy would have the primary's slots, under other rules.
    fs::remove_dir_all(data.join("pg_replslot").join(STANDBY_SLOT)).unwrap();
    let settings = format!(
        "{own}primary_conninfo = 'host={} port={} user=postgres dbname=postgres'\n\
         primary_slot_name = '{STANDBY_SLOT}'\nhot_standby_feedback = on\nsync_replication_slots = on\n",
        primary.socket_dir().display(),
        primary.port()
    );
    standby
        .write_file("postgresql.auto.conf", settings.as_bytes())
        .unwrap();
    standby.write_file("standby.signal", b"").unwrap();
    primary.restart().unwrap();
    standby.restart().unwrap();
    let session = database(&primary.url("postgres")).await;
    let streams = "SELECT count(*) > 0 FROM pg_stat_replication WHERE replay_lsn IS NOT NULL";
    wait_for(&session, streams).await;
    standby
}
