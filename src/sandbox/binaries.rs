//! Where the server's programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::cache_folder;
use super::{Error, fetch};
use crate::pg::ServerVersion;

/// The programs of one major: a folder with `initdb` and `postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Finds the programs of a major, or fetches them.
    ///
    /// # Errors
    /// They are nowhere; the message names the ways out.
    pub fn find(major: u32) -> Result<Self, Error> {
        let variable = format!("SEREN_POSTGRES_{major}");
        if let Some(folder) = std::env::var_os(&variable).map(PathBuf::from) {
            return Self::check_folder(folder.clone(), major).ok_or(Error::WrongFolder {
                variable,
                folder,
                major,
            });
        }
        if let Some(found) = Self::find_local(major) {
            return Ok(found);
        }
        let fetched = fetch::fetch_programs(major).map_err(|error| Error::NoBinaries {
            major,
            fetch: Box::new(error),
        })?;
        Ok(Self { folder: fetched })
    }

    /// The programs in a folder, and their major.
    ///
    /// # Errors
    /// They are not there.
    pub fn in_folder(folder: &Path) -> Result<(Self, u32), Error> {
        let found = Self {
            folder: folder.to_owned(),
        };
        let major = found.major().filter(|_| found.program("initdb").is_file());
        let none = || Error::NoPrograms {
            folder: folder.to_owned(),
        };
        major.map(|major| (found, major)).ok_or_else(none)
    }

    /// The newest major that can be used without fetching anything.
    pub fn newest_installed() -> Option<u32> {
        let majors = ServerVersion::OLDEST_MAJOR..=ServerVersion::NEWEST_MAJOR;
        majors
            .rev()
            .find(|major| Self::find_local(*major).is_some())
    }

    /// The programs of a major where they are found without fetching.
    fn find_local(major: u32) -> Option<Self> {
        let cached = cache_folder().join(major.to_string()).join("bin");
        let candidates = std::iter::once(cached).chain(list_installed_folders(major));
        candidates
            .into_iter()
            .find_map(|folder| Self::check_folder(folder, major))
    }

    /// The programs in this folder, if they are there and of this major.
    pub fn check_folder(folder: PathBuf, major: u32) -> Option<Self> {
        let found = Self { folder };
        let has_both = found.program("initdb").is_file() && found.program("postgres").is_file();
        (has_both && found.major() == Some(major)).then_some(found)
    }

    /// A program of the folder.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn major(&self) -> Option<u32> {
        parse_version(&self.version()?)
    }

    /// What the server program prints as its version.
    pub(super) fn version(&self) -> Option<String> {
        let output = Command::new(self.program("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The major in `postgres (PostgreSQL) 17.10 (Debian …)`.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split("PostgreSQL) ").nth(1)?;
    let end = number
        .find(|part: char| !part.is_ascii_digit())
        .unwrap_or(number.len());
    number[..end].parse().ok()
}

/// Folders where systems put the programs of a major.
fn list_installed_folders(major: u32) -> Vec<PathBuf> {
    let versioned = [
        format!("/usr/lib/postgresql/{major}/bin"),
        format!("/usr/pgsql-{major}/bin"),
        format!("/opt/homebrew/opt/postgresql@{major}/bin"),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    versioned
        .into_iter()
        .map(PathBuf::from)
        .chain(on_path)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_is_read_from_every_form_of_the_version() {
        assert_eq!(parse_version("postgres (PostgreSQL) 17.10\n"), Some(17));
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(parse_version("something else"), None);
    }
}
