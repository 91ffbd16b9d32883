//! Whatever a password file holds: lines are used, or skipped.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seren_replicator::connect::Passfile;

fuzz_target!(|text: &str| drop(Passfile::parse(text).password("host", 5432, "database", "user")));
