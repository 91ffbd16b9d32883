//! Our own program as a process, with nothing of this machine's environment.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a run may take. Far more than any takes, also on a loaded machine: only a hang reaches it.
const DEADLINE: Duration = Duration::from_secs(240);

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Exit code; 128 and the number after a signal that killed it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Finished {
    /// Both streams.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails the test unless the exit code is this one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// A run to be.
pub(crate) struct Program {
    command: Command,
    input: String,
    state: TempDir,
}

/// Our binary with these arguments. It has a state folder of its own: tests run side by side, and none
/// goes on with another's run.
pub(crate) fn program(arguments: &[&str]) -> Program {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_postgres-seren-replicator"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("XDG_STATE_HOME", state.path());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    Program {
        command,
        input: String::new(),
        state,
    }
}

impl Program {
    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// A state folder that it shares with other runs, as on one machine.
    pub(crate) fn state(self, home: &TempDir) -> Self {
        self.env("XDG_STATE_HOME", home.path().to_str().unwrap())
    }

    /// What stands on its standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let input = self.input.clone();
        let (running, mut stdin) = self.start_open();
        // A program that never asks has closed its end.
        drop(stdin.write_all(input.as_bytes()));
        running
    }

    /// Starts it with a standard input that says nothing until it is dropped.
    pub(crate) fn start_open(mut self) -> (Running, ChildStdin) {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        let running = Running {
            child,
            stdout,
            stderr,
            _state: self.state,
        };
        (running, stdin)
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Finished {
        self.start().finish()
    }
}

/// A run at work.
pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    _state: TempDir,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where the kernel tells of it.
    pub(crate) fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.pid()))
    }

    /// Sends a signal by name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits until it has said this on standard error.
    #[track_caller]
    pub(crate) fn wait_for_error(&self, text: &str) {
        let begun = Instant::now();
        while !self.stderr.text().contains(text) {
            let said = || self.stderr.text();
            assert!(
                begun.elapsed() < DEADLINE,
                "never said {text:?}: {}",
                said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > DEADLINE {
                self.child.kill().unwrap();
                let stderr = self.stderr.finish();
                panic!("no end within {DEADLINE:?}; standard error:\n{stderr}");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        Finished {
            code: code(status),
            stdout,
            stderr,
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap())
}

/// What a stream has said so far.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn finish(self) -> String {
        let Self { bytes, reader } = self;
        reader.join().unwrap();
        String::from_utf8_lossy(&bytes.lock().unwrap()).into_owned()
    }
}

fn collect(mut stream: impl std::io::Read + Send + 'static) -> Stream {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&bytes);
    let reader = std::thread::spawn(move || {
        let mut piece = [0; 4096];
        loop {
            match stream.read(&mut piece).unwrap() {
                0 => return,
                count => shared.lock().unwrap().extend_from_slice(&piece[..count]),
            }
        }
    });
    Stream { bytes, reader }
}
