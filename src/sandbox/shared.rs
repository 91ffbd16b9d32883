//! One running cluster per major for all processes of a test run.
//!
//! Whoever uses it holds a shared lock on one file; the kernel releases it however the process ends.
//! Who starts the server, and who stops it, holds the gate. Its watchdog waits for the last user.
//!
//! ```text
//! gate.lock    exclusive, for a moment: look, start or stop
//! users.lock   shared, as long as the cluster is used
//! url          where it is
//! ```

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::watchdog::Watchdog;
use super::{Cluster, Error};

/// A cluster that others use at the same time: a test makes databases of its own in it, and leaves
/// roles and settings alone.
#[derive(Debug)]
pub struct Shared {
    _user: File,
    url: String,
}

impl Shared {
    /// The superuser's URL of a database, over the socket.
    pub fn url(&self, database: &str) -> String {
        format!("{}{database}", self.url)
    }
}

/// The shared cluster of a major, started if nobody uses it yet.
///
/// # Errors
/// As for a cluster of one's own, or the lock files cannot be created.
pub fn join_shared(major: u32) -> Result<Shared, Error> {
    let place = Place::create_for(major)?;
    let gate = open_lock_file(&place.gate_path())?;
    gate.lock()
        .map_err(Error::for_file("lock", &place.gate_path()))?;
    let user = open_lock_file(&place.users_path())?;
    user.lock_shared()
        .map_err(Error::for_file("lock", &place.users_path()))?;
    let url = match place.find_running() {
        Some(url) => url,
        None => place.start_cluster(major)?,
    };
    Ok(Shared { _user: user, url })
}

/// The folder of the lock files.
struct Place(PathBuf);

impl Place {
    fn create_for(major: u32) -> Result<Self, Error> {
        let owner = rustix::process::geteuid().as_raw();
        let version = env!("CARGO_PKG_VERSION");
        let folder = std::env::temp_dir().join(format!("seren-shared-{owner}-{version}-{major}"));
        fs::create_dir_all(&folder).map_err(Error::for_file("create directory", &folder))?;
        let metadata = fs::metadata(&folder).map_err(Error::for_file("look at", &folder))?;
        if metadata.uid() != owner {
            return Err(Error::Foreign { folder });
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
            .map_err(Error::for_file("protect", &folder))?;
        Ok(Self(folder))
    }

    fn gate_path(&self) -> PathBuf {
        self.0.join("gate.lock")
    }

    fn users_path(&self) -> PathBuf {
        self.0.join("users.lock")
    }

    /// Where the server is, if one answers: the machine may have been restarted since.
    fn find_running(&self) -> Option<String> {
        let text = fs::read_to_string(self.0.join("url")).ok()?;
        let (socket, url) = text.split_once('\n')?;
        UnixStream::connect(socket).ok()?;
        Some(url.trim().to_owned())
    }

    fn start_cluster(&self, major: u32) -> Result<String, Error> {
        let cluster = Cluster::builder(major)
            .with_setting("max_connections", "200")
            .start()?;
        let url = cluster.url("");
        let socket = cluster
            .socket_dir()
            .join(format!(".s.PGSQL.{}", cluster.port()));
        Watchdog::until_unused(cluster.home(), &self.users_path(), &self.gate_path())?;
        let file = self.0.join("url");
        fs::write(&file, format!("{}\n{url}\n", socket.display()))
            .map_err(Error::for_file("write", &file))?;
        cluster.leave_running();
        Ok(url)
    }
}

fn open_lock_file(path: &Path) -> Result<File, Error> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(Error::for_file("open", path))
}
