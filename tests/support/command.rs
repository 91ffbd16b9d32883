//! Our program as a process, without the environment variables of this machine.

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;

use super::wait::wait_until;

/// The result of a run.
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

    /// Fails the test unless the streams contain each of these texts.
    #[track_caller]
    pub(crate) fn assert_prints(&self, texts: &[&str]) {
        let printed = self.all();
        for text in texts {
            assert!(printed.contains(text), "{text}: {printed}");
        }
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

/// A run that has not started.
pub(crate) struct Program {
    command: Command,
    input: String,
    state: TempDir,
}

/// Our binary with these arguments. It has an own state folder: tests run in parallel, and none resumes the run of
/// another.
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

    /// The text on its standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// The command, and its state folder.
    pub(super) fn into_parts(self) -> (Command, TempDir) {
        (self.command, self.state)
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let input = self.input.clone();
        let (running, mut stdin) = self.start_open();
        // A program that never asks has closed its end.
        drop(stdin.write_all(input.as_bytes()));
        running
    }

    /// Starts it with a standard input that is empty until it is written to or dropped.
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
            child: Process(child),
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

/// A run in progress.
pub(crate) struct Running {
    child: Process,
    stdout: Stream,
    stderr: Stream,
    _state: TempDir,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// A file of its folder in `/proc`.
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

    /// Waits until its standard error contains this text.
    #[track_caller]
    pub(crate) fn wait_for_error(&self, text: &str) {
        let printed = fmt::from_fn(|f| write!(f, "{text:?} in: {}", self.stderr.text()));
        wait_until(printed, || self.stderr.text().contains(text).then_some(()));
    }

    /// What its standard error contains so far.
    pub(crate) fn error_text(&self) -> String {
        self.stderr.text()
    }

    /// Waits until its standard output has this many lines.
    #[track_caller]
    pub(crate) fn wait_for_output(&self, lines: usize) {
        let printed = fmt::from_fn(|f| write!(f, "{lines} lines in: {}", self.stdout.text()));
        wait_until(printed, || {
            (self.stdout.text().lines().count() >= lines).then_some(())
        });
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let child = &mut self.child.0;
        let printed = fmt::from_fn(|f| write!(f, "its end, after: {}", self.stderr.text()));
        let status = wait_until(printed, || child.try_wait().unwrap());
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        Finished {
            code: code(status),
            stdout,
            stderr,
        }
    }
}

/// A process that ends with the test if that fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // It may have ended already.
            drop(self.0.kill());
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap())
}

/// What a stream has printed so far.
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
