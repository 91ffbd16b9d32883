//! The configuration: what the configuration file says, and what options of the command line leave of it.
//!
//! The file is TOML. It contains the selection, rules of tables and the number of workers, and neither servers nor
//! passwords: a file can be shared. Every fault of a file is found before a connection is opened, and names its line
//! and column. Values keep their place, so that messages about tables that do not exist can name it too.
//!
//! The parsed document is read by hand instead of by `Deserialize`: only then has every key and every name a place, and
//! an unknown key a suggestion that depends on where it is.

mod effective;
mod example;
mod fault;
mod file;
mod key;
mod lines;
mod reader;
mod section;
#[cfg(test)]
mod tests;
mod written;

pub use effective::{Effective, Flags, Source, Sourced};
pub use example::EXAMPLE;
pub use fault::{Error, Fault, FilterList, NameProblem, WrittenRule};
pub use file::{File, read_file};
pub use key::{Foreign, Level, Suggestion};
pub use reader::Located;
pub use written::render_file;
