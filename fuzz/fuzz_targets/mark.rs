//! Whatever a publication's comment holds: a mark is read, and written again as the same, or it is none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seren_replicator::logical::Mark;

fuzz_target!(|text: &str| {
    if let Some(mark) = Mark::parse(text) {
        assert_eq!(Mark::parse(&mark.text()), Some(mark));
    }
});
