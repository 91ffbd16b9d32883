use std::path::PathBuf;

use super::Secret;

/// What of a process's surroundings a connection may depend on. Neither side may be chosen by
/// accident, so no variable names a host, a port, a user or a database.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PGPASSWORD`.
    pub password: Option<Secret>,
    /// `PGPASSFILE`.
    pub passfile: Option<PathBuf>,
    /// `PGSERVICEFILE`.
    pub service_file: Option<PathBuf>,
    /// `PGSYSCONFDIR`.
    pub system_folder: Option<PathBuf>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// The operating system's name of the user.
    pub user: Option<String>,
}

impl Environment {
    /// This process's.
    pub fn from_process() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        Self {
            password: text("PGPASSWORD").map(Secret::new),
            passfile: path("PGPASSFILE"),
            service_file: path("PGSERVICEFILE"),
            system_folder: path("PGSYSCONFDIR"),
            home: path("HOME"),
            user: user_name(),
        }
    }
}

/// The name of the effective user; the variables are no proof of it.
fn user_name() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    passwd.lines().find_map(name)
}
