//! Frames of a copy in any state: both ways to hand them on count the same.

#![no_main]

use seren_replicator::wire::pack;

libfuzzer_sys::fuzz_target!(|input: (u16, &[u8])| {
    let (remaining, data) = (usize::from(input.0), input.1);
    let [through, repacked] = [false, true].map(|repack| {
        let mut buffer = [&[0; 5], data].concat();
        let filled = 5..buffer.len();
        pack(&mut buffer, filled, remaining, repack)
    });
    let key = |packed: &seren_replicator::wire::Packed| {
        (
            packed.end,
            packed.frames,
            packed.bytes,
            packed.remaining,
            packed.last_frame,
        )
    };
    assert_eq!(through.as_ref().map(key), repacked.as_ref().map(key));
});
