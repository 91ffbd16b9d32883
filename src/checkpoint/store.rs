//! The state of a pair's runs, held by one process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::lock::Lock;
use super::{Database, DatabasePair, Error, Membership, Pair, Run, Stage, file, folder};
use crate::logical::RunId;
use crate::pg::Oid;

/// The state, locked against other runs. Every change is on disk when it returns.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    run: Mutex<Run>,
    _lock: Lock,
}

impl Store {
    /// The state of a pair, if there is any below `root`. Nothing is created. With `resume` false what
    /// was recorded is discarded, also if it cannot be read, but for what is still to be given back.
    ///
    /// # Errors
    /// Another run is at work, or the file cannot be read or is none of ours.
    pub fn find(root: &Path, pair: &Pair, resume: bool) -> Result<Option<Self>, Error> {
        let folder = root.join(pair.id());
        if !folder.is_dir() {
            return Ok(None);
        }
        let lock = Lock::acquire(&folder)?;
        let run = match file::read_run(&folder) {
            Ok(Some(run)) if run.pair == *pair && resume => run,
            Ok(Some(run)) if run.pair == *pair => run.discarded(),
            Ok(Some(_)) if resume => {
                let path = folder.join(file::NAME);
                return Err(Error::OtherClusters { path });
            }
            Err(error) if resume => return Err(error),
            Ok(_) | Err(_) => Run {
                // What was granted is still to be revoked.
                unrevoked: file::read_unrevoked(&folder, pair).unwrap_or_default(),
                numbers: file::read_numbers(&folder),
                ..Run::new(pair.clone())
            },
        };
        Ok(Some(Self {
            folder,
            run: Mutex::new(run),
            _lock: lock,
        }))
    }

    /// A first state of a pair, not on disk yet.
    ///
    /// # Errors
    /// The folder cannot be created, or another run has begun.
    pub fn create(root: &Path, pair: &Pair) -> Result<Self, Error> {
        let folder = root.join(pair.id());
        folder::ensure_folder(&folder)?;
        let lock = Lock::acquire(&folder)?;
        let path = folder.join(file::NAME);
        if path.exists() {
            return Err(Error::Meanwhile { path });
        }
        Ok(Self {
            folder,
            run: Mutex::new(Run::new(pair.clone())),
            _lock: lock,
        })
    }

    /// The state file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(file::NAME)
    }

    /// What is recorded.
    pub fn run(&self) -> Run {
        let run = self.run.lock();
        run.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what is recorded; on disk when it returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn change<T>(&self, change: impl FnOnce(&mut Run) -> T) -> Result<T, Error> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = run.numbers.len();
        let changed = change(&mut run);
        if run.numbers.len() != numbers {
            file::write_numbers(&self.folder, &run.numbers)?;
        }
        // Written under the lock: of two changes the later one must be what stays.
        file::write_run(&self.folder, &run)?;
        Ok(changed)
    }

    /// Changes what is recorded of a database that the run has planned; on disk when it returns.
    ///
    /// # Errors
    /// The file cannot be written.
    ///
    /// # Panics
    /// The run has not planned the database.
    pub fn change_database<T>(
        &self,
        pair: &DatabasePair,
        change: impl FnOnce(&mut Database) -> T,
    ) -> Result<T, Error> {
        self.change(|run| {
            let database = run.databases.get_mut(pair);
            change(database.expect("a database that the run has planned"))
        })
    }

    /// Writes what is missing of a database to a file for people, or removes that file; returns its path if there is
    /// one.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write_missing(
        &self,
        database: &DatabasePair,
        text: Option<&str>,
    ) -> Result<Option<PathBuf>, Error> {
        let name = database.missing_file();
        match text {
            Some(text) => file::write_text(&self.folder, &name, text).map(Some),
            None => file::remove_text(&self.folder, &name).map(|()| None),
        }
    }

    /// Removes the state from the disk.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn remove(self) -> Result<(), Error> {
        let removed = std::fs::remove_dir_all(&self.folder);
        removed.map_err(Error::file("remove", &self.folder))
    }
}

/// What the local state of two clusters says of their runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownRuns {
    /// Whether there is a state at all.
    pub exists: bool,
    /// The numbers of the runs that it records.
    pub numbers: BTreeSet<String>,
    /// The number of the latest, where the state can be read.
    pub latest: Option<String>,
}

/// Reads which runs the local state of two clusters records.
pub fn read_known_runs(root: &Path, run: &RunId) -> KnownRuns {
    let folder = root.join(run.as_str());
    let (numbers, latest) = match file::read_run(&folder) {
        Ok(Some(run)) => (run.numbers, run.tag.map(|tag| tag.number)),
        Ok(None) | Err(_) => (file::read_numbers(&folder), None),
    };
    KnownRuns {
        exists: !numbers.is_empty() || folder.join(file::NAME).exists(),
        numbers,
        latest,
    }
}

/// Reads the instant that filters of the latest run between two clusters use as the current time, if it is recorded.
///
/// # Errors
/// The state cannot be read.
pub fn read_instant(root: &Path, pair: &Pair) -> Result<Option<String>, Error> {
    let run = file::read_run(&root.join(pair.id()))?;
    Ok(run.and_then(|run| run.instant))
}

/// Records the numbers of runs whose objects on the source are ours.
///
/// # Errors
/// Another run is at work, or the state cannot be read or written.
pub fn record_numbers(
    root: &Path,
    pair: &Pair,
    numbers: impl IntoIterator<Item = String>,
) -> Result<(), Error> {
    let store = match Store::find(root, pair, true)? {
        Some(store) => store,
        None => Store::create(root, pair)?,
    };
    store.change(|run| run.numbers.extend(numbers))
}

/// Reads what the local state of two clusters records, if there is one.
///
/// # Errors
/// The state cannot be read, or is that of other clusters.
pub fn read_recorded(root: &Path, pair: &Pair) -> Result<Option<Run>, Error> {
    let folder = root.join(pair.id());
    match file::read_run(&folder)? {
        Some(run) if run.pair != *pair => Err(Error::OtherClusters {
            path: folder.join(file::NAME),
        }),
        run => Ok(run),
    }
}

/// The slots that local states record of runs into this target cluster, each with the target's database.
pub fn recorded_slots(root: &Path, target_system: &str) -> BTreeMap<String, String> {
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
    let runs = folders.filter_map(|folder| file::read_run(&folder.path()).ok().flatten());
    let runs = runs.filter(|run| run.pair.target == target_system);
    runs.flat_map(|run| run.databases)
        .filter_map(|(pair, database)| Some((database.slot?, pair.target)))
        .collect()
}

/// Removes the state of two clusters from the disk, if there is one.
///
/// # Errors
/// A run is at work, or the file system refuses.
pub fn remove_state(root: &Path, run: &RunId) -> Result<(), Error> {
    let folder = root.join(run.as_str());
    if !folder.is_dir() {
        return Ok(());
    }
    let _lock = Lock::acquire(&folder)?;
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove", &folder)(error))
        }
        _ => Ok(()),
    }
}

/// The memberships that runs of a pair have granted and not revoked yet, of a file of any version.
pub fn find_unrevoked(root: &Path, pair: &Pair) -> BTreeSet<Membership> {
    let unrevoked = file::read_unrevoked(&root.join(pair.id()), pair);
    unrevoked.unwrap_or_default()
}

/// The copies that the runs of a pair have recorded; none where the state cannot be read.
pub fn find_copies(root: &Path, pair: &Pair) -> Vec<DatabasePair> {
    let run = file::read_run(&root.join(pair.id())).ok().flatten();
    let run = run.filter(|run| run.pair == *pair);
    run.map_or_else(Vec::new, |run| run.databases.into_keys().collect())
}

/// A copy that was begun and not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunCopy {
    /// The names of its database.
    pub pair: DatabasePair,
    /// Which database of the target's cluster it is.
    pub target_oid: Oid,
}

/// The copies that runs between two clusters have begun and not finished; none where the state cannot be read.
pub fn find_begun(root: &Path, run: &RunId) -> Vec<BegunCopy> {
    let run = file::read_run(&root.join(run.as_str())).ok().flatten();
    let databases = run.into_iter().flat_map(|run| run.databases);
    let begun = databases.filter_map(|(pair, database)| match database.stage {
        Stage::Begun { target_oid, .. } => Some(BegunCopy {
            pair,
            target_oid: Oid(target_oid),
        }),
        Stage::Planned | Stage::Finished { .. } => None,
    });
    begun.collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::checkpoint::samples::{pair, same, selection};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_state_is_private_and_survives_its_store() {
        let root = tempfile::tempdir().unwrap();
        assert!(Store::find(root.path(), &pair(), true).unwrap().is_none());
        let store = Store::create(root.path(), &pair()).unwrap();
        let plan = |run: &mut Run| run.plan(&same("a"), Oid(1), selection(&[]));
        store.change(plan).unwrap();
        assert_eq!(mode(&store.path()), 0o600);
        assert_eq!(mode(store.path().parent().unwrap()), 0o700);
        let run = store.run();
        drop(store);
        let found = Store::find(root.path(), &pair(), true).unwrap().unwrap();
        assert_eq!(found.run(), run);
        drop(found);
        assert!(matches!(
            Store::create(root.path(), &pair()),
            Err(Error::Meanwhile { .. })
        ));
    }

    #[test]
    fn a_second_run_is_told_who_is_at_work() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::create(root.path(), &pair()).unwrap();
        let refused = Store::find(root.path(), &pair(), false).unwrap_err();
        let pid = format!("process {}", std::process::id());
        assert!(refused.to_string().contains(&pid), "{refused}");
        drop(store);
        assert!(Store::find(root.path(), &pair(), true).unwrap().is_some());
    }

    #[test]
    fn what_is_discarded_keeps_what_is_to_be_given_back() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::create(root.path(), &pair()).unwrap();
        let change = |run: &mut Run| {
            run.plan(&same("a"), Oid(1), selection(&[]));
            let (role, member) = ("owner".to_owned(), "me".to_owned());
            let before = None;
            run.unrevoked.insert(Membership {
                role,
                member,
                before,
            });
        };
        store.change(change).unwrap();
        drop(store);
        let store = Store::find(root.path(), &pair(), false).unwrap().unwrap();
        assert!(store.run().databases.is_empty());
        assert_eq!(store.run().unrevoked.len(), 1);
        store
            .change(|run| run.numbers.insert("one".to_owned()))
            .unwrap();
        std::fs::write(store.path(), "{").unwrap();
        drop(store);
        assert!(Store::find(root.path(), &pair(), true).is_err());
        let store = Store::find(root.path(), &pair(), false).unwrap().unwrap();
        assert!(store.run().numbers.contains("one"));
        store.remove().unwrap();
        assert!(Store::find(root.path(), &pair(), true).unwrap().is_none());
    }

    #[test]
    fn a_file_of_other_clusters_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::create(root.path(), &pair()).unwrap();
        store.change(|run| run.pair.source.push('0')).unwrap();
        drop(store);
        let refused = Store::find(root.path(), &pair(), true).unwrap_err();
        assert!(matches!(refused, Error::OtherClusters { .. }));
    }
}
