//! Whatever a service file holds: a section is found, or the file is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seren_replicator::connect::parse_service;

fuzz_target!(|text: &str| drop(parse_service("service", text)));
