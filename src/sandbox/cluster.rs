//! One cluster: made, started, stopped, removed.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::error::last_lines;
use super::template::Template;
use super::user::ServerUser;
use super::watchdog::Watchdog;
use super::{Binaries, Error};

/// Characters that are percent-encoded: all but those that every part of a URL may contain.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How long a server may take to start; crash recovery included.
const START: Duration = Duration::from_secs(60);

/// How often its status file is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// Attempts at a free port: between finding and using it, another process may take it.
const PORTS: u32 = 5;

/// What every cluster here is set to; later lines win. A cluster lives for minutes: autovacuum would only
/// start a process for each database every minute.
const SETTINGS: &str = "
unix_socket_permissions = 0777
max_connections = 100
wal_level = logical
max_wal_senders = 100
max_replication_slots = 100
max_logical_replication_workers = 8
max_worker_processes = 20
shared_buffers = 64MB
max_wal_size = 4GB
autovacuum_naptime = 1h
fsync = off
full_page_writes = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%a %d '
";

/// A cluster to be.
#[derive(Clone, Debug)]
pub struct Builder {
    major: u32,
    settings: Vec<(String, String)>,
    hba: Option<Vec<String>>,
    files: Vec<(String, Vec<u8>)>,
    initdb: Vec<String>,
    tcp: bool,
    user: Option<String>,
    binaries: Option<PathBuf>,
    keep: bool,
}

impl Builder {
    /// A line of `postgresql.conf`; wins over the ones before.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A line of `pg_hba.conf`. With the first one nobody is trusted any more but the superuser on
    /// the socket.
    #[must_use]
    pub fn with_hba_line(mut self, line: &str) -> Self {
        self.hba.get_or_insert_default().push(line.to_owned());
        self
    }

    /// A file in the data folder, readable by the server alone: keys, certificates.
    #[must_use]
    pub fn with_file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// An argument of `initdb`, e.g. `--encoding=LATIN1`; wins over the ones before.
    #[must_use]
    pub fn with_initdb_argument(mut self, argument: &str) -> Self {
        self.initdb.push(argument.to_owned());
        self
    }

    /// Whether it listens on 127.0.0.1 too, which is the default.
    #[must_use]
    pub fn listen_on_tcp(mut self, tcp: bool) -> Self {
        self.tcp = tcp;
        self
    }

    /// Who runs the server when we are root.
    #[must_use]
    pub fn run_as(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Where the server's programs are.
    #[must_use]
    pub fn with_binaries(mut self, folder: &Path) -> Self {
        self.binaries = Some(folder.to_owned());
        self
    }

    /// Whether the folder stays when the cluster is dropped.
    #[must_use]
    pub fn keep_folder(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Makes and starts the cluster. Blocks for a second or two.
    ///
    /// # Errors
    /// There are no programs, no user to run them, or the server does not come up: its log is shown.
    pub fn start(&self) -> Result<Cluster, Error> {
        let binaries = self.find_binaries()?;
        let user = ServerUser::choose(self.user.as_deref())?;
        user.can_run(&binaries)?;
        let home = fresh_folder(&user)?.keep();
        // From here on the folder is removed, even if this process is killed.
        let watchdog = Watchdog::for_our_life(&home, self.keep)?;
        let (major, keep) = (self.major, self.keep);
        let mut cluster = Cluster {
            major,
            binaries,
            user,
            home,
            port: 0,
            server: None,
            watchdog,
            keep,
        };
        self.fill_data(&cluster)?;
        for attempt in 1..=PORTS {
            let port = free_port();
            cluster.port =
                port.map_err(Error::for_file("find a port on", Path::new("127.0.0.1")))?;
            self.write_configuration(&cluster)?;
            match cluster.restart() {
                Ok(()) => break,
                Err(error)
                    if attempt == PORTS || !cluster.read_log().contains("could not bind") =>
                {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        Ok(cluster)
    }

    fn find_binaries(&self) -> Result<Binaries, Error> {
        let Some(folder) = &self.binaries else {
            return Binaries::find(self.major);
        };
        Binaries::check_folder(folder.clone(), self.major).ok_or_else(|| Error::WrongFolder {
            variable: "the given directory".to_owned(),
            folder: folder.clone(),
            major: self.major,
        })
    }

    /// Fills the data folder: from a template, or by `initdb`, whose result is kept as one.
    fn fill_data(&self, cluster: &Cluster) -> Result<(), Error> {
        let template = Template::for_programs(&cluster.binaries, &self.initdb);
        let data = cluster.data_dir();
        let copied = template
            .as_ref()
            .map(|one| one.copy_to(&data, &cluster.user));
        if !copied.transpose()?.unwrap_or_default() {
            self.run_initdb(cluster)?;
            // Without a cache that can be written, the next cluster runs initdb again.
            if let Some(Err(error)) = template.map(|one| one.keep_copy_of(&data)) {
                tracing::debug!(%error, "no template is kept");
            }
        }
        for (name, content) in &self.files {
            cluster.write_file(name, content)?;
        }
        Ok(())
    }

    fn run_initdb(&self, cluster: &Cluster) -> Result<(), Error> {
        let program = cluster.binaries.program("initdb");
        let mut command = cluster.user.command(&program, &cluster.home);
        command.args(["--username=postgres", "--auth=trust", "--no-sync"]);
        command
            .args(["--encoding=UTF8", "--locale=C.UTF-8"])
            .args(&self.initdb);
        command.arg("--pgdata").arg(cluster.data_dir());
        let output = command.output().map_err(|source| Error::Start {
            program: program.display().to_string(),
            source,
        })?;
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            let output = last_lines(&String::from_utf8_lossy(&text));
            return Err(Error::Failed {
                program: "initdb".to_owned(),
                output,
            });
        }
        Ok(())
    }

    fn write_configuration(&self, cluster: &Cluster) -> Result<(), Error> {
        let listen = if self.tcp { "127.0.0.1" } else { "" };
        let mut text = format!(
            "{SETTINGS}port = {}\nlisten_addresses = '{listen}'\nunix_socket_directories = '{}'\n",
            cluster.port,
            cluster.socket_dir().display()
        );
        let line = |(name, value): &(String, String)| {
            format!("{name} = '{}'\n", value.replace('\'', "''"))
        };
        text.extend(self.settings.iter().map(line));
        cluster.write_file("postgresql.auto.conf", text.as_bytes())?;
        if let Some(lines) = &self.hba {
            let own = "local all postgres trust\nlocal replication postgres trust\n";
            let text = format!("{own}{}\n", lines.join("\n"));
            cluster.write_file("pg_hba.conf", text.as_bytes())?;
        }
        Ok(())
    }
}

/// A running cluster; stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    major: u32,
    binaries: Binaries,
    user: ServerUser,
    home: PathBuf,
    port: u16,
    server: Option<Child>,
    watchdog: Watchdog,
    keep: bool,
}

impl Cluster {
    /// Starts a cluster of a major with the usual settings.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(major: u32) -> Result<Self, Error> {
        Self::builder(major).start()
    }

    /// A cluster with settings of its own.
    pub fn builder(major: u32) -> Builder {
        Builder {
            major,
            settings: Vec::new(),
            hba: None,
            files: Vec::new(),
            initdb: Vec::new(),
            tcp: true,
            user: None,
            binaries: None,
            keep: false,
        }
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The port, of the socket and on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that everything of the cluster is in.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The folder of the socket.
    pub fn socket_dir(&self) -> PathBuf {
        self.home.join("s")
    }

    /// The superuser's URL over the socket.
    pub fn url(&self, database: &str) -> String {
        let folder = self.socket_dir().to_string_lossy().into_owned();
        let folder = utf8_percent_encode(&folder, RESERVED);
        format!(
            "postgresql://postgres@{folder}:{}/{}",
            self.port,
            utf8_percent_encode(database, RESERVED)
        )
    }

    /// The superuser's URL over loopback.
    pub fn tcp_url(&self, database: &str) -> String {
        format!(
            "postgresql://postgres@127.0.0.1:{}/{}",
            self.port,
            utf8_percent_encode(database, RESERVED)
        )
    }

    /// What the server has logged.
    pub fn read_log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// The postmaster's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Writes a file into the data folder.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_file(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.data_dir().join(name);
        fs::write(&path, content).map_err(Error::for_file("write", &path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
            .map_err(Error::for_file("protect", &path))?;
        self.user.give_to_user(&path)
    }

    /// Stops the server in order; sessions are ended.
    ///
    /// # Errors
    /// The server's process cannot be waited for.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.signal_and_wait(Signal::INT)
    }

    /// Stops the server without a checkpoint, as a crash would; what was not flushed is lost.
    ///
    /// # Errors
    /// The server's process cannot be waited for.
    pub fn crash(&mut self) -> Result<(), Error> {
        self.signal_and_wait(Signal::QUIT)
    }

    fn signal_and_wait(&mut self, signal: Signal) -> Result<(), Error> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        if let Some(pid) = i32::try_from(server.id()).ok().and_then(Pid::from_raw) {
            // A server that is gone already needs no signal.
            let _ = kill_process(pid, signal);
        }
        server
            .wait()
            .map(drop)
            .map_err(Error::for_file("stop the server in", &self.home))
    }

    /// Starts the server again, stopping it first if it runs.
    ///
    /// # Errors
    /// It does not come up: its log is shown.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop()?;
        let program = self.binaries.program("postgres");
        let path = self.home.join("log");
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.map_err(Error::for_file("open", &path))?;
        let errors = log.try_clone().map_err(Error::for_file("open", &path))?;
        let server = self
            .user
            .command(&program, &self.home)
            .arg("-D")
            .arg(self.data_dir())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|source| Error::Start {
                program: program.display().to_string(),
                source,
            })?;
        self.server = Some(server);
        self.wait_ready()
    }

    /// Waits until the server says in its status file that it takes connections.
    fn wait_ready(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        let status = self.data_dir().join("postmaster.pid");
        while begun.elapsed() < START {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let server = self.server.as_mut().expect("called after the start");
            if is_ready(&text, server.id()) {
                return Ok(());
            }
            if server.try_wait().is_ok_and(|ended| ended.is_some()) {
                self.server = None;
                break;
            }
            std::thread::sleep(LOOK);
        }
        let seconds = begun.elapsed().as_secs();
        Err(Error::NotReady {
            major: self.major,
            seconds,
            log: last_lines(&self.read_log()),
        })
    }

    /// Hands the running server over to somebody else.
    pub(super) fn leave_running(mut self) {
        self.keep = true;
        drop(self.server.take());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let home = self.home.clone();
        let folder = home.display();
        if let Err(error) = self.crash() {
            tracing::warn!(%error, %folder, "a sandbox server could not be stopped");
        }
        self.watchdog.dismiss();
        if self.keep {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&home) {
            tracing::warn!(%error, %folder, "a sandbox directory was not removed");
        }
    }
}

/// Whether a status file is this server's and says that it takes connections (line 8; line 1 is
/// the process). One that a killed server has left names another process.
fn is_ready(status: &str, server: u32) -> bool {
    let mut lines = status.lines();
    let is_own = lines.next().and_then(|line| line.trim().parse().ok()) == Some(server);
    is_own && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// A private folder with room for a socket: its path must stay below 107 bytes.
fn fresh_folder(user: &ServerUser) -> Result<TempDir, Error> {
    const LONGEST: usize = 80;
    let parent = std::env::temp_dir();
    let parent = if parent.as_os_str().len() > LONGEST {
        PathBuf::from("/tmp")
    } else {
        parent
    };
    let home = tempfile::Builder::new()
        .prefix("seren-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(Error::for_file("create a directory in", &parent))?;
    for name in ["data", "s"] {
        let path = home.path().join(name);
        fs::create_dir(&path).map_err(Error::for_file("create directory", &path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))
            .map_err(Error::for_file("protect", &path))?;
        user.give_to_user(&path)?;
    }
    user.give_to_user(home.path())?;
    Ok(home)
}

/// A port that is free at this moment.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
