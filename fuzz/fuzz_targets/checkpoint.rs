//! Whatever a state file holds: it is read as it was written, or refused.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use seren_replicator::checkpoint::{decode, encode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(run) = decode(bytes, Path::new("state.json")) {
        assert_eq!(decode(&encode(&run), Path::new("state.json")).unwrap(), run);
    }
});
