//! One run of a pair at a time on this machine. The system releases the lock with its process,
//! however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::Error;

/// The lock of a run; given back when dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held open")] File);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// Another process holds it, or the file system refuses.
    pub(super) fn acquire(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true);
        let opened = options.mode(0o600).open(&path);
        let mut file = opened.map_err(Error::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let pid = text.trim().parse().ok();
                return Err(Error::Held { path, pid });
            }
            Err(TryLockError::Error(source)) => {
                return Err(Error::file("lock", &path)(source));
            }
        }
        // Only for people: a process id that is not written yet is shown as unknown.
        let written = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(Error::file("write", &path))?;
        Ok(Self(file))
    }
}
