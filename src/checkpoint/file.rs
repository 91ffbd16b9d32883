//! The form of the state file, and how it is replaced.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Error, Membership, Pair, Run};

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u64 = 3;

/// The name of the file in its folder.
pub(super) const NAME: &str = "state.json";

/// What every version of the file begins with.
#[derive(Deserialize)]
struct Header {
    version: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    run: &'a Run,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u64,
    run: Run,
}

/// The bytes of the file.
///
/// # Panics
/// Never: a run always has a JSON form.
pub fn encode(run: &Run) -> Vec<u8> {
    let version = VERSION;
    serde_json::to_vec(&Written { version, run }).expect("a run has a JSON form")
}

/// Decodes the bytes of the file at `path`.
///
/// # Errors
/// They are damaged, or of another version.
pub fn decode(bytes: &[u8], path: &Path) -> Result<Run, Error> {
    let damaged = |source| Error::Damaged {
        path: path.to_owned(),
        source,
    };
    let Header { version } = serde_json::from_slice(bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(Error::OtherVersion {
            path: path.to_owned(),
            version,
        });
    }
    let Read { run, .. } = serde_json::from_slice(bytes).map_err(damaged)?;
    Ok(run)
}

/// Reads the file of a folder; none if it was never written.
pub(super) fn read_run(folder: &Path) -> Result<Option<Run>, Error> {
    let path = folder.join(NAME);
    match std::fs::read(&path) {
        Ok(bytes) => decode(&bytes, &path).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", &path)(error)),
    }
}

/// The memberships that a file of any version records for a pair, where it can be read that far.
pub(super) fn read_unrevoked(folder: &Path, pair: &Pair) -> Option<BTreeSet<Membership>> {
    #[derive(Deserialize)]
    struct Any {
        run: Unrevoked,
    }
    #[derive(Deserialize)]
    struct Unrevoked {
        pair: Pair,
        #[serde(rename = "owed")]
        unrevoked: BTreeSet<Membership>,
    }
    let bytes = std::fs::read(folder.join(NAME)).ok()?;
    let Any { run } = serde_json::from_slice(&bytes).ok()?;
    (run.pair == *pair).then_some(run.unrevoked)
}

/// Replaces the file of a folder, and returns when that is on disk.
pub(super) fn write_run(folder: &Path, run: &Run) -> Result<(), Error> {
    replace_file(folder, NAME, &encode(run))
}

/// The name of the file with the numbers of runs. They show which objects on the source are ours, also when
/// the state cannot be read.
const NUMBERS: &str = "runs";

/// Replaces the numbers of a folder, one a line.
pub(super) fn write_numbers(folder: &Path, numbers: &BTreeSet<String>) -> Result<(), Error> {
    let lines: String = numbers.iter().flat_map(|one| [one, "\n"]).collect();
    replace_file(folder, NUMBERS, lines.as_bytes())
}

/// Reads the numbers of a folder; none where they were never written.
pub(super) fn read_numbers(folder: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder.join(NUMBERS)).unwrap_or_default();
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Replaces a file for people in a folder; returns its path.
pub(super) fn write_text(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    replace_file(folder, name, text.as_bytes())?;
    Ok(folder.join(name))
}

/// Removes a file for people, if there is one.
pub(super) fn remove_text(folder: &Path, name: &str) -> Result<(), Error> {
    let path = folder.join(name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove", &path)(error))
        }
        _ => Ok(()),
    }
}

fn replace_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    // The lock keeps others from writing, so one name is enough, and what a killed run has left is
    // overwritten.
    let (new, path) = (folder.join(format!("{name}.new")), folder.join(name));
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(true).write(true);
    let write = |mut file: File| file.write_all(bytes).and_then(|()| file.sync_all());
    let written = options.mode(0o600).open(&new).and_then(write);
    written.map_err(Error::file("write", &new))?;
    std::fs::rename(&new, &path).map_err(Error::file("replace", &path))?;
    // The new name is on disk only when the folder is.
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::file("flush the directory", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::samples::{pair, same, selection};
    use crate::checkpoint::{Chosen, DatabasePair, Deviation, Name, Origin, Selection, Stage};
    use crate::pg::{Lsn, Oid, QualifiedName};
    use crate::remedy::{Remedy, Setting};
    use crate::transfer::Fact;
    use proptest::prelude::*;

    fn deviations() -> [Deviation; 3] {
        [
            Deviation::NoOwners,
            Deviation::RoleMapped {
                from: "a".to_owned(),
                to: "b".to_owned(),
            },
            Deviation::ExtensionSkipped("postgis".to_owned()),
        ]
    }

    fn run(name: &str, lsn: Option<u64>) -> Run {
        let mut run = Run::new(pair());
        run.begin();
        run.plan(&same(name), Oid(16384), selection(&deviations()));
        run.unrevoked.insert(Membership {
            role: name.to_owned(),
            member: "me".to_owned(),
            before: Some((true, false)),
        });
        let database = run.databases.get_mut(&same(name)).unwrap();
        let extensions = ["plpgsql".to_owned()].into();
        database.begin(Oid(5), Origin::Used { extensions });
        database.consistent_point = lsn.map(Lsn::new);
        let table = QualifiedName::from_catalog(name, name);
        let (part, rows) = (3, 5);
        database.note(&Fact::Part { table, part, rows });
        run
    }

    fn is_discarded_on_request(error: &Error) -> bool {
        let passes = |remedy: &Remedy| matches!(remedy, Remedy::PassTo(Setting::NoResume, _));
        error.remedies().iter().any(passes)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(name in "\\PC{1,63}", lsn: Option<u64>) {
            let run = run(&name, lsn);
            prop_assert_eq!(decode(&encode(&run), Path::new("f")).unwrap(), run);
        }

        #[test]
        fn a_file_that_was_cut_is_damaged(keep in 0_usize..100) {
            let bytes = encode(&run("a", Some(1)));
            let cut = &bytes[..bytes.len() * keep / 100];
            let refused = decode(cut, Path::new("/x/state.json")).unwrap_err();
            let is_damaged = matches!(refused, Error::Damaged { .. });
            prop_assert!(is_damaged);
            let said = refused.to_string();
            prop_assert!(said.contains("/x/state.json"), "{}", said);
            prop_assert!(is_discarded_on_request(&refused), "{}", said);
        }
    }

    #[test]
    fn another_version_is_refused_whatever_else_it_holds() {
        for version in [0, VERSION + 1] {
            let text = format!(r#"{{"version":{version},"anything":[]}}"#);
            let refused = decode(text.as_bytes(), Path::new("f")).unwrap_err();
            assert!(is_discarded_on_request(&refused), "{refused}");
            assert!(matches!(refused, Error::OtherVersion { .. }));
        }
    }

    #[test]
    fn the_form_of_version_3_stays_readable() {
        let text = concat!(
            r#"{"version":3,"run":{"pair":{"source":"7312","target":"7313"},"number":1,"owed":[],"#,
            r#""databases":[[{"source":"a","target":"b"},{"run":1,"source_oid":16384,"#,
            r#""selection":{"tables":{"all_but":[["public","t"]]},"deviations":["no_owners","#,
            r#"{"role_mapped":{"from":"a","to":"b"}},{"extension_skipped":"postgis"}]},"#,
            r#""stage":{"finished":{"target_oid":5,"tables":1,"rows":2}},"#,
            r#""publication":null,"slot":null,"consistent_point":"0/7","tables":[],"#,
            r#""definitions":[],"large_objects":0}]]}}"#
        );
        let run = decode(text.as_bytes(), Path::new("f")).unwrap();
        let database = &run.databases[&DatabasePair::new("a", "b")];
        assert!(matches!(database.stage, Stage::Finished { .. }));
        let table = QualifiedName::from_catalog("public", "t");
        let expected = Selection {
            tables: Chosen::AllBut(BTreeSet::from([Name::from(&table)])),
            ..selection(&deviations())
        };
        assert_eq!(database.selection, expected);
        assert_eq!(String::from_utf8(encode(&run)).unwrap(), text);
    }

    /// Version 1 kept databases by their source's name alone, version 2 the flags of the command line.
    #[test]
    fn earlier_versions_are_refused_and_what_they_have_granted_is_not_forgotten() {
        let owed = r#""owed":[{"role":"r","member":"m","before":null}]"#;
        let head = r#""run":{"pair":{"source":"7312","target":"7313"},"number":1"#;
        for (version, databases) in [
            (1, r#"{"a":{"run":1}}"#),
            (
                2,
                r#"[[{"source":"a","target":"b"},{"selection":{"flags":["no-owner"]}}]]"#,
            ),
        ] {
            let text =
                format!(r#"{{"version":{version},{head},{owed},"databases":{databases}}}}}"#);
            let refused = decode(text.as_bytes(), Path::new("f")).unwrap_err();
            assert!(
                matches!(refused, Error::OtherVersion { version: found, .. } if found == version)
            );
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(NAME), text).unwrap();
            assert_eq!(read_unrevoked(folder.path(), &pair()).unwrap().len(), 1);
        }
    }
}
