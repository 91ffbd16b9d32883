//! Who stops a server when its user is gone, however that came about.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Stops process `$1`, waits for its end, and removes folder `$2` unless it is empty text.
const CLEAR: &str = r#"
clear() {
  kill -QUIT "$1" 2>/dev/null
  n=0
  while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.05; done
  kill -KILL "$1" 2>/dev/null
  [ -z "$2" ] || rm -rf "$2"
}
"#;

/// Waits for the end of its standard input: the kernel closes it with our process.
const WHEN_PARENT_ENDS: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
clear "$1" "$2"
"#;

/// Waits until nobody holds file `$3` locked, lingers in case somebody comes back, and clears while
/// file `$4` keeps newcomers waiting.
const WHEN_UNUSED: &str = r#"
trap '' INT TERM HUP
while :; do
  flock -x "$3" true
  sleep 3
  exec 9>"$4"
  flock -x 9
  if flock -xn "$3" true; then clear "$1" "$2"; exit 0; fi
  exec 9>&-
done
"#;

/// A process that outlives us just long enough to clear up.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Clears up when our process ends, however it ends. Without `folder` the files stay.
    pub(super) fn for_our_life(server: u32, folder: Option<&Path>) -> io::Result<Self> {
        let folder = folder.map(Path::as_os_str).unwrap_or_default();
        let child = shell(WHEN_PARENT_ENDS)
            .arg(server.to_string())
            .arg(folder)
            .stdin(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    /// Clears up when no process holds `users` locked.
    pub(super) fn until_unused(
        server: u32,
        folder: &Path,
        users: &Path,
        gate: &Path,
    ) -> io::Result<Self> {
        let child = shell(WHEN_UNUSED)
            .arg(server.to_string())
            .args([folder, users, gate])
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Ends it without clearing up.
    pub(super) fn dismiss(&mut self) {
        // In this order: with its input closed first, it would begin to clear. One that is gone
        // already needs no dismissal.
        drop(self.0.kill());
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// A shell of its own process group, so that a terminal's signals do not reach it.
fn shell(body: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{CLEAR}{body}"), "watchdog"])
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}
