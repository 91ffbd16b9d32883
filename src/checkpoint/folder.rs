//! Where state lives.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::Error;

/// The two clusters of a run, by their system identifiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The cluster that is read.
    pub source: String,
    /// The cluster that is written.
    pub target: String,
}

impl Pair {
    /// The run id: 16 hex digits.
    pub fn id(&self) -> String {
        // System identifiers are numbers, so the joined text is unambiguous.
        let key = format!("{} {}", self.source, self.target);
        format!("{:016x}", xxh3_64(key.as_bytes()))
    }
}

/// The folder of all runs' state: `$XDG_STATE_HOME/postgres-seren-replicator`, else below
/// `~/.local/state`. Relative paths are none, as the XDG specification says.
///
/// # Errors
/// Neither variable says where.
pub fn default_root(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, Error> {
    const NAME: &str = "postgres-seren-replicator";
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join(NAME))
        .ok_or(Error::NoFolder)
}

/// Creates the folder of a run, which only its user may enter.
pub(super) fn ensure_folder(folder: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(Error::file("create the directory", folder))?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
        .map_err(Error::file("protect the directory", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_the_xdg_specification_says() {
        let root = |state: Option<&str>, home: Option<&str>| {
            let get = |name: &str| match name {
                "XDG_STATE_HOME" => state.map(PathBuf::from),
                _ => home.map(PathBuf::from),
            };
            default_root(get)
                .ok()
                .map(|path| path.display().to_string())
        };
        let below = |folder: &str| Some(format!("{folder}/postgres-seren-replicator"));
        assert_eq!(root(Some("/s"), Some("/h")), below("/s"));
        assert_eq!(root(Some("s"), Some("/h")), below("/h/.local/state"));
        assert_eq!(root(None, Some("/h")), below("/h/.local/state"));
        assert_eq!(root(None, None), None);
    }

    #[test]
    fn the_run_id_tells_the_direction() {
        let pair = |source: &str, target: &str| Pair {
            source: source.to_owned(),
            target: target.to_owned(),
        };
        assert_eq!(pair("1", "2").id().len(), 16);
        assert_ne!(pair("1", "2").id(), pair("2", "1").id());
    }
}
