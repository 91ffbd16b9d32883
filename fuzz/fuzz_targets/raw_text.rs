//! Messages of a session without an encoding, from both ends: the pieces that they arrive in change nothing, and a
//! text of the server goes back to it as the same bytes.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use seren_replicator::wire::RawTextCodec;

/// Whether the client sends a message; its tag; its body.
type Message = (bool, u8, Vec<u8>);

fn framed((_, tag, body): &Message) -> Vec<u8> {
    let length = u32::try_from(4 + body.len()).unwrap();
    [&[*tag], &length.to_be_bytes()[..], body].concat()
}

/// What both ends get, and whether all of it was well-formed.
fn translated(messages: &[Message], piece: usize) -> ([BytesMut; 2], bool) {
    let mut codec = RawTextCodec::default();
    let mut out = [BytesMut::new(), BytesMut::new()];
    for message in messages {
        for bytes in framed(message).chunks(piece) {
            let done = match message.0 {
                true => codec.send(bytes, &mut out[0]),
                false => codec.receive(bytes, &mut out[1]),
            };
            if done.is_err() {
                return (out, false);
            }
        }
    }
    (out, true)
}

fuzz_target!(|input: (u8, Vec<Message>)| {
    let (piece, messages) = input;
    let whole = translated(&messages, usize::MAX);
    assert_eq!(whole, translated(&messages, usize::from(piece).max(1)));
    for (_, _, body) in messages {
        let ([_, notice], _) = translated(&[(false, b'N', body.clone())], usize::MAX);
        let ([query, _], _) = translated(&[(true, b'Q', notice[5..].to_vec())], usize::MAX);
        assert_eq!(&query[5..], body);
    }
});
