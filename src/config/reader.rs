//! Reads values of a parsed TOML document with their places.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::fault::Fault;
use super::key::{Level, find_foreign, suggest_key};
use super::lines::Lines;
use crate::selection::Position;

/// A value, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it is; of a list, where its key is.
    pub position: Position,
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Item<'v, 't> {
    key: &'v Spanned<DeString<'t>>,
    value: &'v Spanned<DeValue<'t>>,
}

/// A table, and where it begins.
pub(super) struct Table<'v, 't> {
    table: &'v DeTable<'t>,
    pub(super) position: Position,
}

/// A document.
pub(super) struct Reader<'t> {
    text: &'t str,
    lines: Lines<'t>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            lines: Lines::new(text),
        }
    }

    /// Parses the document.
    pub(super) fn parse(&self) -> Result<DeTable<'t>, Fault> {
        let parsed = DeTable::parse(self.text);
        parsed.map(Spanned::into_inner).map_err(|error| {
            let start = error.span().map_or(self.text.len(), |span| span.start);
            Fault::Syntax {
                message: error.message().to_owned(),
                position: self.lines.locate(start),
            }
        })
    }

    /// The keys of a table, in the order of the file: so the first fault is reported.
    pub(super) fn items<'v>(&self, table: &'v DeTable<'t>) -> Vec<Item<'v, 't>> {
        let items = table.iter().map(|(key, value)| Item { key, value });
        let mut items: Vec<_> = items.collect();
        items.sort_by_key(|item| item.key.span().start);
        items
    }

    pub(super) fn items_of<'v>(&self, table: &Table<'v, 't>) -> Vec<Item<'v, 't>> {
        self.items(table.table)
    }

    fn locate<T>(&self, value: &Spanned<T>) -> Position {
        self.lines.locate(value.span().start)
    }

    /// Where the key of an item is.
    pub(super) fn position(&self, item: Item<'_, 't>) -> Position {
        self.locate(item.key)
    }

    /// Where the value of an item is.
    pub(super) fn value_position(&self, item: Item<'_, 't>) -> Position {
        self.locate(item.value)
    }

    /// The fault of a key that its level does not have.
    pub(super) fn refuse_unknown(&self, item: Item<'_, 't>, level: Level) -> Fault {
        let (key, position) = (item.name().to_owned(), self.position(item));
        if let Some(what) = find_foreign(&key) {
            return Fault::Foreign {
                key,
                position,
                what,
            };
        }
        Fault::UnknownKey {
            suggestion: suggest_key(&key, level),
            key,
            position,
        }
    }

    fn refuse_type(
        &self,
        item: Item<'_, 't>,
        value: &Spanned<DeValue<'t>>,
        expected: &'static str,
    ) -> Fault {
        Fault::WrongType {
            key: item.name().to_owned(),
            position: self.locate(value),
            found: kind_of(value.get_ref()),
            expected,
        }
    }

    /// An integer as text; the parser does not limit it.
    pub(super) fn read_integer<'v>(
        &self,
        item: Item<'v, 't>,
        expected: &'static str,
    ) -> Result<Integer<'v>, Fault> {
        match item.value.get_ref().as_integer() {
            Some(integer) => Ok(Integer {
                digits: integer.as_str(),
                radix: integer.radix(),
            }),
            None => Err(self.refuse_type(item, item.value, expected)),
        }
    }

    pub(super) fn read_string(&self, item: Item<'_, 't>) -> Result<Located<String>, Fault> {
        self.read_element(item, item.value, "a string in quotes")
    }

    fn read_element(
        &self,
        item: Item<'_, 't>,
        value: &Spanned<DeValue<'t>>,
        expected: &'static str,
    ) -> Result<Located<String>, Fault> {
        match value.get_ref().as_str() {
            Some(text) => Ok(Located {
                value: text.to_owned(),
                position: self.locate(value),
            }),
            None => Err(self.refuse_type(item, value, expected)),
        }
    }

    pub(super) fn read_strings(&self, item: Item<'_, 't>) -> Result<Vec<Located<String>>, Fault> {
        const EXPECTED: &str = "an array of strings, such as [\"orders\"]";
        let array = item.value.get_ref().as_array();
        let array = array.ok_or_else(|| self.refuse_type(item, item.value, EXPECTED))?;
        let elements = array.iter();
        elements
            .map(|element| self.read_element(item, element, EXPECTED))
            .collect()
    }

    pub(super) fn read_table<'v>(
        &self,
        item: Item<'v, 't>,
        expected: &'static str,
    ) -> Result<Table<'v, 't>, Fault> {
        self.read_table_element(item, item.value, expected)
    }

    fn read_table_element<'v>(
        &self,
        item: Item<'_, 't>,
        value: &'v Spanned<DeValue<'t>>,
        expected: &'static str,
    ) -> Result<Table<'v, 't>, Fault> {
        match value.get_ref().as_table() {
            Some(table) => Ok(Table {
                table,
                position: self.locate(value),
            }),
            None => Err(self.refuse_type(item, value, expected)),
        }
    }

    pub(super) fn read_tables<'v>(
        &self,
        item: Item<'v, 't>,
        expected: &'static str,
    ) -> Result<Vec<Table<'v, 't>>, Fault> {
        let array = item.value.get_ref().as_array();
        let array = array.ok_or_else(|| self.refuse_type(item, item.value, expected))?;
        let elements = array.iter();
        elements
            .map(|element| self.read_table_element(item, element, expected))
            .collect()
    }
}

impl<'v> Item<'v, '_> {
    pub(super) fn name(&self) -> &'v str {
        self.key.get_ref()
    }
}

/// An integer as it is written, without separators.
#[derive(Clone, Copy)]
pub(super) struct Integer<'v> {
    digits: &'v str,
    radix: u32,
}

impl Integer<'_> {
    /// Its value, if it is neither smaller nor larger.
    pub(super) fn between(&self, least: u16, most: u16) -> Option<u16> {
        let value = i128::from_str_radix(self.digits, self.radix).ok()?;
        let value = u16::try_from(value).ok()?;
        (least..=most).contains(&value).then_some(value)
    }

    pub(super) fn as_written(&self) -> String {
        let prefix = match self.radix {
            2 => "0b",
            8 => "0o",
            16 => "0x",
            _ => "",
        };
        format!("{prefix}{}", self.digits)
    }
}

/// What a value is, in words.
const fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
