use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Binaries, Error};

/// Who runs a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ServerUser {
    /// Whoever we are.
    Ourselves,
    /// Another user, since we are root.
    Other { uid: u32, gid: u32 },
}

/// Users that root hands servers to when none is named.
const DEFAULT_USERS: [&str; 2] = ["postgres", "nobody"];

impl ServerUser {
    /// Chooses the user; `wanted` matters only when we are root.
    ///
    /// # Errors
    /// We are root and there is no such user.
    pub(super) fn choose(wanted: Option<&str>) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let names: Vec<&str> = wanted.map_or_else(|| DEFAULT_USERS.to_vec(), |name| vec![name]);
        let found = names.iter().find_map(|name| look_up(&passwd, name));
        match found {
            Some((uid, gid)) if uid != 0 => Ok(Self::Other { uid, gid }),
            _ => Err(Error::NoUser {
                user: names.join(" or "),
            }),
        }
    }

    /// Lets a command run as this user, with nothing of our environment but the search path.
    pub(super) fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC")])
            .env("HOME", home);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.current_dir("/");
        // Its own process group: the terminal's Ctrl-C is ours to handle.
        command.process_group(0);
        if let Self::Other { uid, gid } = self {
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Whether this user can start the programs: a folder under root's home is closed to others.
    ///
    /// # Errors
    /// It cannot.
    pub(super) fn can_run(&self, binaries: &Binaries) -> Result<(), Error> {
        let program = binaries.program("postgres");
        let mut command = self.command(&program, Path::new("/"));
        let started = command
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match started {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Error::Unreachable { program }),
        }
    }

    /// Gives a file or folder to this user.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn give_to_user(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid } => {
                chown(path, Some(*uid), Some(*gid)).map_err(Error::for_file("give away", path))
            }
        }
    }
}

/// The uid and gid of a user in the text of `/etc/passwd`.
fn look_up(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_named = fields.next() == Some(name);
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        is_named.then_some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres:x:104:112:,:/var/lib:/bin/bash\n";
        assert_eq!(look_up(passwd, "postgres"), Some((104, 112)));
        assert_eq!(look_up(passwd, "post"), None);
    }
}
