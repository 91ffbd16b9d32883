//! The digest of a table's rows: pure, incremental, and the same for every order of the rows.
//!
//! # Encoding of a row
//! A row is the line that `COPY … TO STDOUT` writes in its text format, without the line end. It holds
//! the values in text form, separated by tabs. The server escapes tab, line end and backslash in
//! values and writes NULL as `\N` (a value `\N` is written `\\N`). So two different rows never
//! share a line. A line end in the stream is always the end of a row.
//!
//! # Sum over rows
//! Each line is hashed to 128 bits by XXH3, and the hashes are added modulo 2^128. Addition does
//! not know an order, so neither side has to sort; and unlike XOR it counts: a row that occurs twice adds
//! twice. The number of rows is compared beside the sum.
//!
//! For hashes that behave like random numbers, two different collections of rows have the same
//! sum with a probability of 2^-128. A difference in which one row replaces another `m` times
//! cancels with 2^-128 times the largest power of two that divides `m`, at worst 2^-64. XXH3 is
//! no cryptographic hash: the digest finds errors of software, disks and networks, not the work
//! of someone who chooses rows so that sums agree.
//!
//! Sums of several tables can be added, too. So rows that are in other partitions of the same table are
//! recognized without reading them again.
//!
//! # Memory
//! A row within one piece of the stream is hashed in place. One that crosses a border goes
//! through a state of a few hundred bytes. No row is ever held.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The sum over the hashes of a table's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest(u128);

impl Digest {
    /// All 32 hexadecimal digits.
    pub fn full(self) -> String {
        format!("{:032x}", self.0)
    }
}

/// The first 8 hexadecimal digits: every bit of every row's hash may carry into them.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 96)
    }
}

/// What is compared of a table on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Contents {
    /// How many rows.
    pub rows: u64,
    /// The sum over them.
    pub digest: Digest,
}

impl Contents {
    /// The contents of two tables taken together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            digest: Digest(self.digest.0.wrapping_add(other.digest.0)),
        }
    }
}

/// The stream ended within a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows end within row {row}")]
pub struct CutOff {
    /// The row, from 1.
    pub row: u64,
}

/// Digests COPY text as it comes, in pieces with arbitrary borders.
#[derive(Clone)]
pub struct Digester {
    sum: u128,
    rows: u64,
    /// The row that crosses a border; meaningful while `within_row`.
    crossing: Box<Xxh3>,
    within_row: bool,
}

impl Digester {
    /// A digest of no rows.
    pub fn new() -> Self {
        Self {
            sum: 0,
            rows: 0,
            crossing: Box::new(Xxh3::new()),
            within_row: false,
        }
    }

    /// Rows completed so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes the next piece of the stream.
    pub fn update(&mut self, piece: &[u8]) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            let line = &piece[start..end];
            if self.within_row {
                self.crossing.update(line);
                self.within_row = false;
                self.add_hash(self.crossing.digest128());
            } else {
                self.add_hash(xxh3_128(line));
            }
            start = end + 1;
        }
        if start < piece.len() {
            self.begin_crossing(&piece[start..]);
        }
    }

    fn begin_crossing(&mut self, rest: &[u8]) {
        if !self.within_row {
            self.crossing.reset();
            self.within_row = true;
        }
        self.crossing.update(rest);
    }

    fn add_hash(&mut self, hash: u128) {
        self.sum = self.sum.wrapping_add(hash);
        self.rows += 1;
    }

    /// The digest, once the stream has ended.
    ///
    /// # Errors
    /// The last row has no end.
    pub fn finish(&self) -> Result<Contents, CutOff> {
        if self.within_row {
            return Err(CutOff { row: self.rows + 1 });
        }
        Ok(Contents {
            rows: self.rows,
            digest: Digest(self.sum),
        })
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester")
            .field("rows", &self.rows)
            .field("within_row", &self.within_row)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(text: &[u8]) -> Contents {
        let mut digester = Digester::new();
        digester.update(text);
        digester.finish().unwrap()
    }

    /// The lines a server would write: values escaped as `CopyAttributeOutText` does.
    fn encode(rows: &[Vec<Option<String>>]) -> Vec<u8> {
        let value = |value: &Option<String>| match value {
            None => "\\N".to_owned(),
            Some(value) => value
                .replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r"),
        };
        let line = |row: &Vec<Option<String>>| {
            let values: Vec<_> = row.iter().map(value).collect();
            format!("{}\n", values.join("\t"))
        };
        rows.iter().map(line).collect::<String>().into_bytes()
    }

    fn row(values: &[Option<&str>]) -> Vec<Option<String>> {
        values
            .iter()
            .map(|value| value.map(str::to_owned))
            .collect()
    }

    fn assert_differ(one: &[&[Option<&str>]], other: &[&[Option<&str>]]) {
        let encoded = |rows: &[&[Option<&str>]]| {
            encode(&rows.iter().map(|values| row(values)).collect::<Vec<_>>())
        };
        assert_ne!(
            digest(&encoded(one)),
            digest(&encoded(other)),
            "{one:?} {other:?}"
        );
    }

    #[test]
    fn what_differs_differs() {
        assert_differ(&[&[None]], &[&[Some("")]]);
        assert_differ(&[&[None]], &[&[Some("\\N")]]);
        assert_differ(&[&[Some("a|b"), Some("c")]], &[&[Some("a"), Some("b|c")]]);
        assert_differ(&[&[Some("a\tb"), Some("c")]], &[&[Some("a"), Some("b\tc")]]);
        assert_differ(&[&[Some("a\nb")]], &[&[Some("a")], &[Some("b")]]);
        assert_differ(&[&[Some("\\n")]], &[&[Some("\n")]]);
        assert_differ(&[&[Some("\\.")]], &[&[Some(".")]]);
        assert_differ(&[&[Some("x")]], &[&[Some("x")], &[Some("x")]]);
        let [x, y] = [&[Some("x")][..], &[Some("y")][..]];
        assert_differ(&[x, x, y], &[x, y, y]);
        assert_differ(&[], &[&[Some("")]]);
        assert_differ(&[&[None, Some("")]], &[&[Some(""), None]]);
    }

    #[test]
    fn rows_without_columns_are_counted() {
        assert_eq!(digest(b"\n\n").rows, 2);
        assert_ne!(digest(b"\n\n"), digest(b"\n"));
        assert_eq!(digest(b""), Contents::default());
    }

    #[test]
    fn a_row_without_end_is_no_row() {
        let mut digester = Digester::new();
        digester.update(b"a\nb");
        assert_eq!(digester.finish(), Err(CutOff { row: 2 }));
        digester.update(b"\n");
        assert_eq!(digester.finish(), Ok(digest(b"b\na\n")));
    }

    #[test]
    fn the_digest_keeps_its_meaning() {
        // A change of this value makes digests of earlier reports incomparable.
        let contents = digest(b"1\tone\n2\t\\N\n");
        assert_eq!(contents.digest.full(), "66d46ba54ddb3079d301b40820c9b93f");
        assert_eq!(contents.digest.to_string(), contents.digest.full()[..8]);
    }

    fn rows() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
        let value = proptest::option::of("[a\\\\N\t\n\r.|é]{0,40}");
        proptest::collection::vec(proptest::collection::vec(value, 2), 0..20)
    }

    proptest! {
        #[test]
        fn borders_of_pieces_do_not_matter(rows in rows(), sizes in proptest::collection::vec(1usize..9, 1..50)) {
            let text = encode(&rows);
            let mut digester = Digester::new();
            let mut rest = text.as_slice();
            for size in sizes.iter().cycle() {
                let (piece, after) = rest.split_at((*size).min(rest.len()));
                digester.update(piece);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(digester.finish().unwrap(), digest(&text));
        }

        #[test]
        fn the_order_of_rows_does_not_matter(rows in rows(), seed: u64) {
            let mut shuffled = rows.clone();
            shuffled.sort_by_key(|row| xxh3_128(format!("{seed}{row:?}").as_bytes()));
            prop_assert_eq!(digest(&encode(&rows)), digest(&encode(&shuffled)));
        }

        #[test]
        fn parts_add_up_to_the_whole(one in rows(), other in rows()) {
            let whole = [one.clone(), other.clone()].concat();
            prop_assert_eq!(digest(&encode(&one)).plus(digest(&encode(&other))), digest(&encode(&whole)));
        }

        #[test]
        fn different_collections_differ(one in rows(), other in rows()) {
            let sorted = |mut rows: Vec<Vec<Option<String>>>| { rows.sort(); rows };
            prop_assert_eq!(
                digest(&encode(&one)) == digest(&encode(&other)),
                sorted(one) == sorted(other)
            );
        }
    }
}
