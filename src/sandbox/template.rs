//! Prepared data folders. `initdb` takes a second of processor time; a copy of what it made takes a small part of that.
//!
//! A template is kept in the cache folder, one for each server program and each set of `initdb` arguments. A copy gets
//! a system identifier of its own: by this number the program recognizes a server under another address.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::cache::cache_folder;
use super::user::ServerUser;
use super::{Binaries, Error};

/// The size of a control file, and of a page of WAL.
const PAGE: usize = 8192;

/// Where the control file has the system identifier.
const CONTROL_IDENTIFIER: usize = 0;

/// Where the first page of a WAL segment has it.
const SEGMENT_IDENTIFIER: usize = 24;

/// The bytes before the checksum of a control file, in every major: at least and at most.
const CONTROL_LENGTHS: Range<usize> = 200..400;

/// The data folder that `initdb` makes with these programs and arguments, once it has been kept.
#[derive(Debug)]
pub(super) struct Template(PathBuf);

impl Template {
    /// The template for these programs and arguments; whether it exists is seen by [`Template::copy_to`].
    pub(super) fn for_programs(binaries: &Binaries, arguments: &[String]) -> Option<Self> {
        let mut digest = DefaultHasher::new();
        // The same version can be built with other features, which `initdb` records in the catalogs.
        let length = fs::metadata(binaries.program("postgres")).ok()?.len();
        (binaries.version()?, length, arguments).hash(&mut digest);
        let name = format!("template-{:016x}", digest.finish());
        Some(Self(cache_folder().join(name)))
    }

    /// Fills the empty folder `data` from the template and gives it to `user`. False without a template.
    ///
    /// # Errors
    /// A file cannot be copied, or the template is not what `initdb` writes.
    pub(super) fn copy_to(&self, data: &Path, user: &ServerUser) -> Result<bool, Error> {
        if !self.0.exists() {
            return Ok(false);
        }
        copy_folder(&self.0, data, user)?;
        change_identifier(data, fresh_identifier())?;
        Ok(true)
    }

    /// Keeps a copy of a data folder that `initdb` has just made. The first one of several processes wins.
    ///
    /// # Errors
    /// The cache folder cannot be written.
    pub(super) fn keep_copy_of(&self, data: &Path) -> Result<(), Error> {
        let cache = cache_folder();
        fs::create_dir_all(&cache).map_err(Error::for_file("create directory", &cache))?;
        let work = tempfile::Builder::new()
            .prefix(".template-")
            .tempdir_in(&cache)
            .map_err(Error::for_file("create a directory in", &cache))?;
        copy_folder(data, work.path(), &ServerUser::Ourselves)?;
        if fs::rename(work.path(), &self.0).is_ok() {
            // The folder has its final name and is no longer a temporary one.
            let _kept = work.keep();
        }
        Ok(())
    }
}

/// Copies everything in a folder into an existing folder.
fn copy_folder(from: &Path, to: &Path, user: &ServerUser) -> Result<(), Error> {
    let entries = fs::read_dir(from).map_err(Error::for_file("read", from))?;
    for entry in entries {
        let path = entry.map_err(Error::for_file("read", from))?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            fs::create_dir(&copy).map_err(Error::for_file("create directory", &copy))?;
            copy_folder(&path, &copy, user)?;
            let mode = fs::metadata(&path).map_err(Error::for_file("look at", &path))?;
            fs::set_permissions(&copy, mode.permissions())
                .map_err(Error::for_file("protect", &copy))?;
        } else {
            fs::copy(&path, &copy).map_err(Error::for_file("copy", &path))?;
        }
        user.give_to_user(&copy)?;
    }
    Ok(())
}

/// A number generated as `initdb` creates it: from the time and the process, and here from a count, too.
fn fresh_identifier() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + u64::from(std::process::id());
    now.as_secs() << 32 | u64::from(now.subsec_micros()) << 12 | count & 0xFFF
}

/// Gives a data folder another system identifier, in the control file and in its WAL: a server refuses WAL of others.
fn change_identifier(data: &Path, identifier: u64) -> Result<(), Error> {
    let control = data.join("global/pg_control");
    change_page(&control, |page| renumber_control(page, identifier))?;
    let wal = data.join("pg_wal");
    for entry in fs::read_dir(&wal).map_err(Error::for_file("read", &wal))? {
        let path = entry.map_err(Error::for_file("read", &wal))?.path();
        if path.is_file() {
            change_page(&path, |page| {
                put_identifier(page, SEGMENT_IDENTIFIER, identifier)
            })?;
        }
    }
    Ok(())
}

/// Changes the first page of a file.
fn change_page(path: &Path, change: impl Fn(&mut [u8]) -> Option<()>) -> Result<(), Error> {
    let file = File::options().read(true).write(true).open(path);
    let file = file.map_err(Error::for_file("open", path))?;
    let mut page = [0; PAGE];
    file.read_exact_at(&mut page, 0)
        .map_err(Error::for_file("read", path))?;
    change(&mut page).ok_or_else(|| Error::WrongTemplate {
        file: path.to_owned(),
    })?;
    file.write_all_at(&page, 0)
        .map_err(Error::for_file("write", path))
}

/// Writes the identifier and the checksum after it. The length of a control file depends on the major: the checksum
/// itself shows where it is.
fn renumber_control(page: &mut [u8], identifier: u64) -> Option<()> {
    let is_checksum = |at: &usize| {
        let stored = page.get(*at..*at + 4);
        stored.is_some_and(|stored| stored == crc32c(&page[..*at]).to_ne_bytes())
    };
    let at = CONTROL_LENGTHS.step_by(4).find(is_checksum)?;
    put_identifier(page, CONTROL_IDENTIFIER, identifier)?;
    let checksum = crc32c(&page[..at]);
    page[at..at + 4].copy_from_slice(&checksum.to_ne_bytes());
    Some(())
}

fn put_identifier(page: &mut [u8], at: usize, identifier: u64) -> Option<()> {
    let place = page.get_mut(at..at + 8)?;
    place.copy_from_slice(&identifier.to_ne_bytes());
    Some(())
}

/// The checksum that PostgreSQL uses for its control file.
fn crc32c(bytes: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82F6_3B78;
    let mut checksum = u32::MAX;
    for byte in bytes {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = checksum & 1;
            checksum = (checksum >> 1) ^ (REVERSED_POLYNOMIAL * carry);
        }
    }
    !checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn a_control_file_has_the_new_identifier_and_a_right_checksum() {
        let mut control = vec![7; 512];
        let checksum = crc32c(&control[..288]);
        control[288..292].copy_from_slice(&checksum.to_ne_bytes());
        renumber_control(&mut control, 42).unwrap();
        assert_eq!(control[..8], 42_u64.to_ne_bytes());
        assert_eq!(control[288..292], crc32c(&control[..288]).to_ne_bytes());
        assert_eq!(renumber_control(&mut vec![7; 512], 42), None);
    }

    #[test]
    fn no_two_identifiers_are_equal() {
        let numbers: std::collections::BTreeSet<u64> =
            (0..1000).map(|_| fresh_identifier()).collect();
        assert_eq!(numbers.len(), 1000);
    }
}
