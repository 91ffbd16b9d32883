//! Who stops a server when its user is gone, however that came about.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Error;

/// Stops the server of folder `$1`, waits for its end, and removes the folder unless `$2` says keep.
/// The server is known by its own status file, which it removes when it ends in order: a number
/// that another process has got meanwhile is not signalled.
const CLEAR: &str = r#"
clear() {
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
  case $(cat "/proc/${pid:-0}/comm" 2>/dev/null || ps -o comm= -p "${pid:-0}" 2>/dev/null) in
  postgres*)
    kill -QUIT "$pid"
    n=0
    while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null ;;
  esac
  [ "$2" = keep ] || rm -rf "$1" || { sleep 1; rm -rf "$1"; }
}
"#;

/// Waits for the end of its standard input: the kernel closes it with our process.
const WHEN_PARENT_ENDS: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
clear "$1" "$2"
"#;

/// Waits until nobody holds file `$2` locked, lingers in case somebody comes back, and clears while
/// file `$3` keeps newcomers waiting.
const WHEN_UNUSED: &str = r#"
trap '' INT TERM HUP
while :; do
  flock -x "$2" true
  sleep 3
  exec 9>"$3"
  flock -x 9
  if flock -xn "$2" true; then clear "$1"; exit 0; fi
  exec 9>&-
done
"#;

/// A process that outlives us just long enough to clean up.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Removes a cluster's folder when our process ends, however it ends. With `keep` only the
    /// server is stopped.
    pub(super) fn for_our_life(home: &Path, keep: bool) -> Result<Self, Error> {
        let mut command = shell_command(WHEN_PARENT_ENDS);
        command
            .arg(home)
            .arg(if keep { "keep" } else { "" })
            .stdin(Stdio::piped());
        spawn_watchdog(command)
    }

    /// Cleans up when no process holds `users` locked.
    pub(super) fn until_unused(home: &Path, users: &Path, gate: &Path) -> Result<Self, Error> {
        let mut command = shell_command(WHEN_UNUSED);
        command.args([home, users, gate]).stdin(Stdio::null());
        spawn_watchdog(command)
    }

    /// Ends it without cleanup.
    pub(super) fn dismiss(&mut self) {
        // In this order: with its input closed first, it would begin to clear. One that is gone
        // already needs no dismissal.
        drop(self.0.kill());
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

fn spawn_watchdog(mut command: Command) -> Result<Watchdog, Error> {
    let spawned = command.spawn().map(Watchdog);
    spawned.map_err(|source| Error::Start {
        program: "sh".to_owned(),
        source,
    })
}

/// A shell of its own process group, so that a terminal's signals do not reach it.
fn shell_command(body: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{CLEAR}{body}"), "watchdog"])
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}
