//! Whatever a server sends: messages are found and decoded, or refused.

#![no_main]

use seren_replicator::wire::{Asynchronous, Backend, Scan, Scanner};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (mut scanner, mut rest) = (Scanner::default(), data);
    loop {
        let end = match scanner.scan(rest, 1 << 20) {
            Ok(Scan::Message { tag, body }) => {
                let _ = Backend::decode(tag, &rest[body.clone()]);
                let _ = Asynchronous::decode(tag, &rest[body.clone()]);
                body.end
            }
            Ok(Scan::Copy { body, .. }) => body.end,
            Ok(Scan::Incomplete { .. }) | Err(_) => break,
        };
        rest = &rest[end..];
    }
});
