//! The header of binary COPY data, in two pieces or in one: the judgement is the same.

#![no_main]

use seren_replicator::wire::CopyHeader;

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (first, second) = input.1.split_at(usize::from(input.0).min(input.1.len()));
    let (mut pieces, mut whole) = (CopyHeader::default(), CopyHeader::default());
    let in_pieces = pieces.check(first).and_then(|()| pieces.check(second));
    assert_eq!(in_pieces, whole.check(input.1));
});
