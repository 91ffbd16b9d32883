//! Whatever a user writes as a connection string: it is parsed, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seren_replicator::connect::{Endpoint, Environment};

fuzz_target!(|text: &str| drop(Endpoint::parse(text, &Environment::default())));
