//! Whatever bytes a configuration file holds: it is read, or refused with a message on one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seren_replicator::config::File;

fuzz_target!(|bytes: &[u8]| {
    if let Err(fault) = File::parse(bytes) {
        assert!(!fault.to_string().contains('\n'));
    }
});
