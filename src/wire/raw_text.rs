//! The messages of a session of a database without an encoding (`SQL_ASCII`), for a client that takes
//! every text for UTF-8. Texts of the server go through [`text_from_bytes`], those of the client through
//! [`bytes_from_text`]; all other bytes pass unchanged.
//!
//! # Protocol
//! Rows of the extended protocol are binary, and only their description says which columns are
//! texts. So each answer is matched with what was asked, in its order.

use std::collections::{HashMap, VecDeque};

use bytes::{Buf as _, BufMut as _, BytesMut};

use super::reader::DecodeError;
use crate::pg::{bytes_from_text, text_from_bytes};

/// `"char"`, `name`, `text`, `json`, `xml`, `unknown`, `bpchar`, `varchar`, `jsonb`: by their oids.
const TEXTS: [u32; 9] = [18, 19, 25, 114, 142, 705, 1042, 1043, 3802];

/// The arrays of those that have one.
const ARRAYS: [u32; 8] = [1002, 1003, 1009, 199, 143, 1014, 1015, 3807];

/// The length field of a message.
const LENGTH: usize = 4;

/// Translates both directions of one session after its start.
#[derive(Debug, Default)]
pub struct RawTextCodec {
    sent: BytesMut,
    received: BytesMut,
    statements: HashMap<Vec<u8>, Statement>,
    portals: HashMap<Vec<u8>, Vec<u8>>,
    asked: VecDeque<Asked>,
}

/// Types of a prepared statement, by oid.
#[derive(Debug, Default)]
struct Statement {
    parameters: Vec<u32>,
    results: Vec<u32>,
}

/// What the server has yet to answer.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Simple,
    Describe(Vec<u8>),
    Execute(Vec<u8>),
    Sync,
}

/// How a value is translated.
#[derive(Clone, Copy)]
enum Value {
    Text,
    Array,
    Other,
}

impl Value {
    fn of(oid: Option<&u32>) -> Self {
        match oid {
            Some(oid) if TEXTS.contains(oid) => Self::Text,
            Some(oid) if ARRAYS.contains(oid) => Self::Array,
            _ => Self::Other,
        }
    }
}

/// A direction of translation.
type Translate = fn(&[u8]) -> Vec<u8>;

fn to_client(bytes: &[u8]) -> Vec<u8> {
    text_from_bytes(bytes).into_owned().into_bytes()
}

fn to_server(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => bytes_from_text(text).into_owned(),
        Err(_) => bytes.to_vec(),
    }
}

impl RawTextCodec {
    /// Takes bytes of the client and appends those for the server.
    ///
    /// # Errors
    /// A message is malformed.
    pub fn send(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), DecodeError> {
        self.sent.put_slice(bytes);
        while let Some((tag, body)) = next_message(&mut self.sent)? {
            let body = self.transcode_request(tag, &body).ok_or(MALFORMED)?;
            put_message(tag, &body, out);
        }
        Ok(())
    }

    /// Takes bytes of the server and appends those for the client.
    ///
    /// # Errors
    /// A message is malformed.
    pub fn receive(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), DecodeError> {
        self.received.put_slice(bytes);
        while let Some((tag, body)) = next_message(&mut self.received)? {
            let body = self.transcode_answer(tag, &body).ok_or(MALFORMED)?;
            put_message(tag, &body, out);
        }
        Ok(())
    }

    fn transcode_request(&mut self, tag: u8, body: &[u8]) -> Option<Vec<u8>> {
        match tag {
            b'Q' => {
                self.asked.push_back(Asked::Simple);
                return Some(to_server(body));
            }
            b'S' => self.asked.push_back(Asked::Sync),
            b'D' => {
                let name = body.get(1..)?.strip_suffix(b"\0")?.to_vec();
                let is_portal = body.first() == Some(&b'P');
                let portal =
                    is_portal.then(|| self.portals.get(&name).cloned().unwrap_or_default());
                self.asked
                    .push_back(Asked::Describe(portal.unwrap_or(name)));
            }
            b'E' => {
                let name = Fields(body).text()?;
                let statement = self.portals.get(name).cloned().unwrap_or_default();
                self.asked.push_back(Asked::Execute(statement));
            }
            b'P' => return self.transcode_parse(body),
            b'B' => return self.transcode_bind(body),
            _ => {}
        }
        Some(body.to_vec())
    }

    fn transcode_parse(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let mut fields = Fields(body);
        let name = fields.text()?;
        let query = fields.text()?;
        let oids = fields.0;
        let mut count = Fields(oids);
        let parameters = (0..count.u16()?)
            .map(|_| count.u32())
            .collect::<Option<_>>()?;
        self.statements.entry(name.to_vec()).or_default().parameters = parameters;
        Some([name, b"\0", &to_server(query), b"\0", oids].concat())
    }

    fn transcode_bind(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let mut fields = Fields(body);
        let portal = fields.text()?;
        let name = fields.text()?;
        self.portals.insert(portal.to_vec(), name.to_vec());
        let formats = fields.0;
        let count = fields.u16()?;
        fields.take(usize::from(count) * 2)?;
        let formats = &formats[..2 + usize::from(count) * 2];
        let types = self.statements.get(name).map(|known| &known.parameters);
        let mut out = [portal, b"\0", name, b"\0", formats].concat();
        transcode_values(&mut fields, &mut out, to_server, |at| {
            Value::of(types.and_then(|types| types.get(at)))
        })?;
        out.extend_from_slice(fields.0);
        Some(out)
    }

    fn transcode_answer(&mut self, tag: u8, body: &[u8]) -> Option<Vec<u8>> {
        match tag {
            b'D' => return self.transcode_row(body),
            b'T' => return self.transcode_description(body),
            b't' => {
                let mut fields = Fields(body);
                let types = (0..fields.u16()?)
                    .map(|_| fields.u32())
                    .collect::<Option<_>>()?;
                if let Some(Asked::Describe(name)) = self.asked.front() {
                    self.statements.entry(name.clone()).or_default().parameters = types;
                }
            }
            b'n' => self.end(|asked| matches!(asked, Asked::Describe(_))),
            b'C' | b'I' | b's' => self.end(|asked| matches!(asked, Asked::Execute(_))),
            b'Z' => self.end(|asked| matches!(asked, Asked::Simple | Asked::Sync)),
            b'E' => {
                while matches!(
                    self.asked.front(),
                    Some(Asked::Describe(_) | Asked::Execute(_))
                ) {
                    self.asked.pop_front();
                }
                return Some(to_client(body));
            }
            b'N' | b'S' => return Some(to_client(body)),
            _ => {}
        }
        Some(body.to_vec())
    }

    /// What was asked first is answered.
    fn end(&mut self, is_meant: impl Fn(&Asked) -> bool) {
        if self.asked.front().is_some_and(is_meant) {
            self.asked.pop_front();
        }
    }

    fn transcode_row(&self, body: &[u8]) -> Option<Vec<u8>> {
        let types = match self.asked.front() {
            Some(Asked::Execute(name)) => self.statements.get(name).map(|known| &known.results),
            _ => None,
        };
        let is_simple = self.asked.front() == Some(&Asked::Simple);
        let mut out = Vec::with_capacity(body.len());
        let mut fields = Fields(body);
        transcode_values(&mut fields, &mut out, to_client, |at| match is_simple {
            true => Value::Text,
            false => Value::of(types.and_then(|types| types.get(at))),
        })?;
        Some(out)
    }

    fn transcode_description(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let mut fields = Fields(body);
        let count = fields.u16()?;
        let mut out = count.to_be_bytes().to_vec();
        let mut types = Vec::new();
        for _ in 0..count {
            out.extend(to_client(fields.text()?));
            out.push(0);
            // Table and attribute come before the type, length, modifier and format behind it.
            let rest = fields.take(18)?;
            types.push(Fields(&rest[6..]).u32()?);
            out.extend_from_slice(rest);
        }
        if let Some(Asked::Describe(name)) = self.asked.front() {
            self.statements.entry(name.clone()).or_default().results = types;
            self.asked.pop_front();
        }
        Some(out)
    }
}

/// Translates a counted list of values.
fn transcode_values(
    fields: &mut Fields<'_>,
    out: &mut Vec<u8>,
    translate: Translate,
    of: impl Fn(usize) -> Value,
) -> Option<()> {
    let count = fields.u16()?;
    out.extend(count.to_be_bytes());
    for at in 0..usize::from(count) {
        let Some(value) = fields.value()? else {
            out.extend((-1_i32).to_be_bytes());
            continue;
        };
        let translated = match of(at) {
            Value::Text => translate(value),
            Value::Array => transcode_array(value, translate)?,
            Value::Other => value.to_vec(),
        };
        out.extend(u32::try_from(translated.len()).ok()?.to_be_bytes());
        out.extend(translated);
    }
    Some(())
}

/// Translates the elements of a binary array.
fn transcode_array(value: &[u8], translate: Translate) -> Option<Vec<u8>> {
    let mut fields = Fields(value);
    let dimensions = Fields(value).u32()? as usize;
    let header = fields.take(dimensions.checked_mul(8)?.checked_add(12)?)?;
    let mut out = header.to_vec();
    while !fields.0.is_empty() {
        match fields.value()? {
            None => out.extend((-1_i32).to_be_bytes()),
            Some(element) => {
                let element = translate(element);
                out.extend(u32::try_from(element.len()).ok()?.to_be_bytes());
                out.extend(element);
            }
        }
    }
    Some(out)
}

/// What is left of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A text without the zero behind it.
    fn text(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(0, self.0)?;
        let text = self.take(end)?;
        self.take(1)?;
        Some(text)
    }

    /// A value with its length in front; None inside for NULL.
    #[expect(clippy::option_option, reason = "malformed, NULL, or a value")]
    fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match self.u32()? {
            u32::MAX => Some(None),
            length => self.take(usize::try_from(length).ok()?).map(Some),
        }
    }
}

/// The next whole message: its tag and its body.
fn next_message(buffer: &mut BytesMut) -> Result<Option<(u8, BytesMut)>, DecodeError> {
    let Some(mut header) = buffer.get(..1 + LENGTH) else {
        return Ok(None);
    };
    let (tag, length) = (header.get_u8(), header.get_u32() as usize);
    let body = length.checked_sub(LENGTH).ok_or(MALFORMED)?;
    if buffer.len() < 1 + length {
        return Ok(None);
    }
    buffer.advance(1 + LENGTH);
    Ok(Some((tag, buffer.split_to(body))))
}

fn put_message(tag: u8, body: &[u8], out: &mut BytesMut) {
    out.put_u8(tag);
    let length =
        u32::try_from(LENGTH + body.len()).expect("a message was shorter than this before");
    out.put_u32(length);
    out.put_slice(body);
}

/// A message ends too early.
const MALFORMED: DecodeError = DecodeError {
    offset: 0,
    expected: "a whole message",
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_message(tag, &parts.concat(), &mut out);
        out.to_vec()
    }

    /// A value with its length.
    fn value(bytes: &[u8]) -> Vec<u8> {
        [
            &u32::try_from(bytes.len()).unwrap().to_be_bytes()[..],
            bytes,
        ]
        .concat()
    }

    fn described(oids: &[u32]) -> Vec<u8> {
        let column = |oid: &u32| [&b"c\0"[..], &[0; 6], &oid.to_be_bytes(), &[0; 8]].concat();
        let columns: Vec<Vec<u8>> = oids.iter().map(column).collect();
        let count = u16::try_from(oids.len()).unwrap();
        message(b'T', &[&count.to_be_bytes(), &columns.concat()])
    }

    fn row(values: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(values.len()).unwrap();
        message(b'D', &[&count.to_be_bytes(), &values.concat()])
    }

    fn asked(codec: &mut RawTextCodec, messages: &[Vec<u8>]) -> Vec<u8> {
        let mut out = BytesMut::new();
        codec.send(&messages.concat(), &mut out).unwrap();
        out.to_vec()
    }

    fn answered(codec: &mut RawTextCodec, messages: &[Vec<u8>]) -> Vec<u8> {
        let (bytes, mut out) = (messages.concat(), BytesMut::new());
        // However the stream is cut.
        bytes
            .chunks(3)
            .for_each(|piece| codec.receive(piece, &mut out).unwrap());
        out.to_vec()
    }

    #[test]
    fn of_a_binary_row_only_texts_are_translated() {
        let mut codec = RawTextCodec::default();
        let parse = message(b'P', &[b"\0SELECT '\xf4\x8f\xbf\xa9'\0", &[0, 0]]);
        let bind = message(b'B', &[b"\0\0", &[0, 0], &[0, 0], &[0, 1, 0, 1]]);
        let describe = message(b'D', &[b"S\0"]);
        let execute = message(b'E', &[b"\0", &[0; 4]]);
        let sent = asked(
            &mut codec,
            &[parse, bind, describe, execute, message(b'S', &[])],
        );
        assert!(
            sent.windows(10).any(|text| text == b"SELECT '\xe9'"),
            "{sent:?}"
        );
        let array = [
            &1_u32.to_be_bytes()[..],
            &[0; 4],
            &25_u32.to_be_bytes(),
            &[0, 0, 0, 1, 0, 0, 0, 1],
        ];
        let elements = |text: &[u8]| [&array.concat(), &value(text)[..]].concat();
        let columns = [25, 17, 1009];
        let answer = [
            described(&columns),
            row(&[value(b"\xe9"), value(b"\xe9"), value(&elements(b"\xe9"))]),
        ];
        let text = "\u{10FFE9}".as_bytes();
        let expected = [
            described(&columns),
            row(&[value(text), value(b"\xe9"), value(&elements(text))]),
        ];
        assert_eq!(answered(&mut codec, &answer), expected.concat());
    }

    #[test]
    fn rows_of_a_simple_query_are_texts_and_errors_end_what_was_asked() {
        let mut codec = RawTextCodec::default();
        let describe = message(b'D', &[b"Ss1\0"]);
        let simple = message(b'Q', &[b"SELECT 1\0"]);
        asked(&mut codec, &[describe, message(b'S', &[]), simple]);
        let ready = message(b'Z', &[b"I"]);
        let error = message(b'E', &[b"M\xe9\0\0"]);
        let got = answered(&mut codec, &[error, ready, row(&[value(b"\xe9")])]);
        let text = "\u{10FFE9}".as_bytes();
        assert!(got.ends_with(&row(&[value(text)])), "{got:?}");
    }

    #[test]
    fn parameters_are_translated_by_their_types() {
        let mut codec = RawTextCodec::default();
        let oids = [
            &2_u16.to_be_bytes()[..],
            &25_u32.to_be_bytes(),
            &17_u32.to_be_bytes(),
        ];
        let parse = message(b'P', &[b"\0\0", &oids.concat()]);
        let text = "\u{10FFE9}".as_bytes();
        let bind = |one: &[u8]| {
            let values = [value(one), value(text)].concat();
            message(
                b'B',
                &[b"\0\0", &[0, 1, 0, 1], &[0, 2], &values, &[0, 1, 0, 1]],
            )
        };
        let sent = asked(&mut codec, &[parse.clone(), bind(text)]);
        assert_eq!(sent, [parse, bind(b"\xe9")].concat());
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_server_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut codec = RawTextCodec::default();
            codec.asked.push_back(Asked::Simple);
            let _outcome = codec.receive(&bytes, &mut BytesMut::new());
            let mut message = BytesMut::new();
            put_message(b'D', &bytes, &mut message);
            let _outcome = codec.receive(&message, &mut BytesMut::new());
        }
    }
}
