//! Text of databases without an encoding (`SQL_ASCII`), which may hold any bytes. Valid UTF-8 stays as it is;
//! each other byte becomes a character of Unicode's last private plane, and that character a byte again.
//! The way there and back is exact: a stored character of that range is taken apart into bytes, too.

use std::borrow::Cow;

/// The character of byte 0. Only bytes from 0x80 on need one: U+10FF80 to U+10FFFF.
const BASE: u32 = 0x0010_FF00;

/// What all of these characters begin with in UTF-8.
const LEAD: [u8; 2] = [0xF4, 0x8F];

/// Whether a character represents a byte.
const fn is_byte(character: char) -> bool {
    character as u32 >= BASE + 0x80
}

/// Whether a text holds bytes that are not UTF-8.
pub fn has_raw_bytes(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), &LEAD).is_some() && text.chars().any(is_byte)
}

/// Any bytes as text.
pub fn text_from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !has_raw_bytes(text) => return Cow::Borrowed(text),
        _ => {}
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    let byte = |byte: &u8| char::from_u32(BASE + u32::from(*byte)).expect("it is below U+110000");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_byte(character) {
                let mut buffer = [0; 4];
                let encoded = character.encode_utf8(&mut buffer);
                text.extend(encoded.as_bytes().iter().map(byte));
            } else {
                text.push(character);
            }
        }
        text.extend(chunk.invalid().iter().map(byte));
    }
    Cow::Owned(text)
}

/// The bytes that a text represents.
pub fn bytes_from_text(text: &str) -> Cow<'_, [u8]> {
    if !has_raw_bytes(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from((character as u32).wrapping_sub(BASE)) {
            Ok(byte) if is_byte(character) => bytes.push(byte),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_text_is_not_touched() {
        for text in ["", "plain", "größe 表 🦀", "\u{10FEFF}"] {
            assert!(
                matches!(text_from_bytes(text.as_bytes()), Cow::Borrowed(same) if same == text)
            );
            assert!(matches!(bytes_from_text(text), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn other_bytes_survive_between_valid_text() {
        let bytes = b"Caf\xe9 \xc3\xa9 \x81";
        let text = text_from_bytes(bytes);
        assert_eq!(text, "Caf\u{10FFE9} é \u{10FF81}");
        assert!(has_raw_bytes(&text));
        assert_eq!(*bytes_from_text(&text), *bytes);
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let text = text_from_bytes(&bytes).into_owned();
            prop_assert_eq!(&*bytes_from_text(&text), &*bytes);
        }

        #[test]
        fn characters_of_the_private_range_survive(text in "[\u{10FF00}-\u{10FFFF}a]{0,8}") {
            let read = text_from_bytes(text.as_bytes()).into_owned();
            prop_assert_eq!(&*bytes_from_text(&read), text.as_bytes());
        }
    }
}
