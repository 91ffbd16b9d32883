//! The configuration file: TOML with the selection, and with rules by database.

use std::io::Read as _;
use std::path::Path;

use super::fault::{Error, Fault, NameProblem};
use super::key::{Level, TopKey};
use super::lines::Lines;
use super::reader::{Item, Located, Reader};
use super::section::{read_section, refuse_duplicates};
use crate::selection::quoted::{cut, unquoted};
use crate::selection::{Databases, Entry, RuleEntry, Section, Tables};

/// The largest file, in bytes. No selection is that long; a data file that was named by mistake is refused early.
const LIMIT: u64 = 10 * 1024 * 1024;

/// What a configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The databases that it selects.
    pub databases: Option<Located<Databases>>,
    /// The tables that it selects.
    pub tables: Option<Located<Tables>>,
    /// The number of workers.
    pub jobs: Option<Located<u16>>,
    /// Its sections.
    pub sections: Vec<Section>,
    /// The rules of all sections.
    pub rules: Vec<RuleEntry>,
}

/// Reads a configuration file.
///
/// # Errors
/// The file cannot be read, or something in it is wrong.
pub fn read_file(path: &Path) -> Result<File, Error> {
    let content = read_content(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    File::parse(&content).map_err(|fault| Error::Wrong {
        path: path.to_owned(),
        source: Box::new(fault),
    })
}

/// Reads at most one byte more than a file may have.
fn read_content(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(LIMIT + 1).read_to_end(&mut content)?;
    Ok(content)
}

impl File {
    /// Parses the content of a file.
    ///
    /// # Errors
    /// Something in it is wrong: the first such thing.
    pub fn parse(content: &[u8]) -> Result<Self, Fault> {
        let reader = Reader::new(decode(content)?);
        let document = reader.parse()?;
        let mut file = Self::default();
        let (mut databases, mut tables) = (Lists::default(), Lists::default());
        for item in reader.items(&document) {
            let Some(key) = TopKey::find(item.name()) else {
                return Err(reader.refuse_unknown(item, Level::Top));
            };
            match key {
                TopKey::IncludeDatabases => {
                    databases.include = Some(read_databases(&reader, item, INCLUDE_DATABASES)?);
                }
                TopKey::ExcludeDatabases => {
                    databases.exclude = Some(read_databases(&reader, item, EXCLUDE_DATABASES)?);
                }
                TopKey::IncludeTables => {
                    tables.include = Some(read_entries(&reader, item, INCLUDE_TABLES)?);
                }
                TopKey::ExcludeTables => {
                    tables.exclude = Some(read_entries(&reader, item, EXCLUDE_TABLES)?);
                }
                TopKey::Jobs => file.jobs = Some(read_jobs(&reader, item)?),
                TopKey::Databases => file.read_sections(&reader, item)?,
            }
        }
        file.databases = databases
            .choose([INCLUDE_DATABASES, EXCLUDE_DATABASES])?
            .map(|list| list.into_located(Databases::Only, Databases::AllBut));
        file.tables = tables
            .choose([INCLUDE_TABLES, EXCLUDE_TABLES])?
            .map(|list| list.into_located(Tables::Only, Tables::AllBut));
        Ok(file)
    }

    fn read_sections<'t>(&mut self, reader: &Reader<'t>, item: Item<'_, 't>) -> Result<(), Fault> {
        const EXPECTED: &str = "a section [databases.NAME] for each database";
        let sections = reader.read_table(item, EXPECTED)?;
        for item in reader.items_of(&sections) {
            let position = reader.position(item);
            let database = item.name();
            if database.is_empty() {
                return Err(Fault::UnnamedSection { position });
            }
            let table = reader.read_table(item, EXPECTED)?;
            let rules = read_section(reader, &table, database)?;
            refuse_duplicates(database, &rules)?;
            self.rules.extend(rules);
            self.sections.push(Section {
                database: database.to_owned(),
                position,
            });
        }
        Ok(())
    }
}

const INCLUDE_DATABASES: &str = "include_databases";
const EXCLUDE_DATABASES: &str = "exclude_databases";
const INCLUDE_TABLES: &str = "include_tables";
const EXCLUDE_TABLES: &str = "exclude_tables";

/// Two lists of one subject, of which a file has one.
struct Lists<T> {
    include: Option<Located<Vec<T>>>,
    exclude: Option<Located<Vec<T>>>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self {
            include: None,
            exclude: None,
        }
    }
}

/// The list that a file has.
enum List<T> {
    Include(Located<Vec<T>>),
    Exclude(Located<Vec<T>>),
}

impl<T> Lists<T> {
    /// Returns the one list; none also where nothing is excluded.
    fn choose(self, keys: [&'static str; 2]) -> Result<Option<List<T>>, Fault> {
        match (self.include, self.exclude) {
            (Some(include), Some(exclude)) => {
                let mut lists = [(include.position, keys[0]), (exclude.position, keys[1])];
                lists.sort_unstable();
                Err(Fault::BothLists {
                    lists: lists.map(|(_, key)| key),
                    positions: lists.map(|(position, _)| position),
                })
            }
            (Some(list), None) if list.value.is_empty() => Err(Fault::SelectsNothing {
                key: keys[0],
                position: list.position,
            }),
            (Some(list), None) => Ok(Some(List::Include(list))),
            (None, Some(list)) if !list.value.is_empty() => Ok(Some(List::Exclude(list))),
            (None, _) => Ok(None),
        }
    }
}

impl<T> List<T> {
    fn into_located<S>(
        self,
        only: impl FnOnce(Vec<T>) -> S,
        all_but: impl FnOnce(Vec<T>) -> S,
    ) -> Located<S> {
        match self {
            Self::Include(Located { value, position }) => Located {
                value: only(value),
                position,
            },
            Self::Exclude(Located { value, position }) => Located {
                value: all_but(value),
                position,
            },
        }
    }
}

/// The text without a byte order mark.
fn decode(content: &[u8]) -> Result<&str, Fault> {
    if u64::try_from(content.len()).is_ok_and(|length| length > LIMIT) {
        return Err(Fault::TooLarge);
    }
    let marks: [(&[u8], &str); 4] = [
        (&[0xFF, 0xFE, 0, 0], "UTF-32"),
        (&[0, 0, 0xFE, 0xFF], "UTF-32"),
        (&[0xFF, 0xFE], "UTF-16"),
        (&[0xFE, 0xFF], "UTF-16"),
    ];
    if let Some((_, encoding)) = marks.iter().find(|(mark, _)| content.starts_with(mark)) {
        return Err(Fault::Encoding { encoding });
    }
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    std::str::from_utf8(content).map_err(|error| {
        let valid = &content[..error.valid_up_to()];
        let valid = String::from_utf8_lossy(valid);
        Fault::NoText {
            position: Lines::new(&valid).locate(valid.len()),
        }
    })
}

fn read_databases<'t>(
    reader: &Reader<'t>,
    item: Item<'_, 't>,
    key: &'static str,
) -> Result<Located<Vec<String>>, Fault> {
    let names = reader.read_strings(item)?.into_iter();
    let names = names.map(|text| Ok(unquoted(single_item(key, &text)?)));
    Ok(Located {
        value: names.collect::<Result<_, Fault>>()?,
        position: reader.position(item),
    })
}

fn read_entries<'t>(
    reader: &Reader<'t>,
    item: Item<'_, 't>,
    key: &'static str,
) -> Result<Located<Vec<Entry>>, Fault> {
    let names = reader.read_strings(item)?.into_iter();
    let entries = names.map(|text| {
        let entry = Entry::parse(single_item(key, &text)?);
        let entry = entry.ok_or_else(|| refuse_name(key, &text, NameProblem::Parts))?;
        Ok(entry.at(text.position, None))
    });
    Ok(Located {
        value: entries.collect::<Result<_, Fault>>()?,
        position: reader.position(item),
    })
}

/// The one name of a string, with its quotes.
pub(super) fn single_item<'s>(
    key: &'static str,
    text: &'s Located<String>,
) -> Result<&'s str, Fault> {
    let problem = match cut(&text.value, ',') {
        None => NameProblem::OpenQuote,
        Some((_, Some(_))) => NameProblem::Comma,
        Some((item, None)) if unquoted(item).is_empty() => NameProblem::Empty,
        Some((item, None)) => return Ok(item),
    };
    Err(refuse_name(key, text, problem))
}

pub(super) fn refuse_name(
    key: &'static str,
    text: &Located<String>,
    problem: NameProblem,
) -> Fault {
    Fault::Name {
        key,
        text: text.value.clone(),
        position: text.position,
        problem,
    }
}

fn read_jobs<'t>(reader: &Reader<'t>, item: Item<'_, 't>) -> Result<Located<u16>, Fault> {
    let integer = reader.read_integer(item, "an integer from 1 to 256")?;
    match integer.between(1, 256) {
        Some(value) => Ok(Located {
            value,
            position: reader.position(item),
        }),
        None => Err(Fault::OutOfRange {
            key: "jobs",
            position: reader.value_position(item),
            value: integer.as_written(),
        }),
    }
}
