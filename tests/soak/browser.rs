//! Chromium without a window, with one page.
//!
//! It is driven by the Chrome DevTools Protocol over pipes: with `--remote-debugging-pipe` the browser reads commands
//! from file descriptor 3 and writes answers and events to 4. Each message is a JSON object that ends with NUL
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::fmt::{self, Display};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::wait::{DEADLINE, wait_until};

/// Options of the browser: it asks no server of its vendor, and resolves no name.
const OPTIONS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    // Letters in shades of grey: pictures are smaller.
    "--disable-lcd-text",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
    "about:blank",
];

/// What a window shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Columns of pixels.
    pub(crate) width: u32,
    /// Rows of pixels.
    pub(crate) height: u32,
    /// Whether the user prefers dark colours.
    pub(crate) is_dark: bool,
}

impl Window {
    /// A window on a desktop.
    pub(crate) const DESKTOP: Self = Self {
        width: 1200,
        height: 800,
        is_dark: false,
    };

    /// A phone.
    pub(crate) const PHONE: Self = Self {
        width: 390,
        height: 844,
        is_dark: false,
    };
}

/// A browser with one page. It ends when it is dropped.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    session: Value,
    faults: Vec<String>,
    requests: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts it and opens a page.
    #[track_caller]
    pub(crate) fn open(url: &str, window: Window) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = start(profile.path());
        let commands = child.stdin.take().unwrap();
        let messages = receive(child.stdout.take().unwrap());
        let mut browser = Self {
            child,
            commands,
            messages,
            last_id: 0,
            session: Value::Null,
            faults: Vec::new(),
            requests: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        browser.set_window(window);
        browser.call("Page.navigate", &json!({ "url": url }));
        browser
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        self.session = self.call("Target.attachToTarget", &attach)["sessionId"].take();
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Gives the page another window.
    pub(crate) fn set_window(&mut self, window: Window) {
        let Window {
            width,
            height,
            is_dark,
        } = window;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
    }

    /// The value of a JavaScript expression on the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let question = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", &question);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["value"].take()
    }

    /// The same as text; empty if there is none.
    #[track_caller]
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.evaluate(expression);
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, expression: &str) {
        wait_until(expression, || {
            (self.evaluate(expression) == true).then_some(())
        });
    }

    /// Waits until an expression has another text than one of these; the new one.
    #[track_caller]
    pub(crate) fn wait_for_other(&mut self, expression: &str, old: &[String]) -> String {
        let what = fmt::from_fn(|f| write!(f, "another value than {old:?} of {expression}"));
        wait_until(what, || {
            let now = self.text(expression);
            (!now.is_empty() && !old.contains(&now)).then_some(now)
        })
    }

    /// Writes what the window shows to a PNG file.
    pub(crate) fn photograph(&mut self, file: &Path) {
        let picture = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let data = picture["data"].as_str().unwrap();
        std::fs::write(file, Base64::decode_vec(data).unwrap()).unwrap();
    }

    /// Errors and warnings of the console, violations of policies, requests that have failed.
    pub(crate) fn faults(&mut self) -> &[String] {
        // An answer comes after all events before it.
        self.evaluate("0");
        &self.faults
    }

    /// The URLs of all requests of the page.
    pub(crate) fn requests(&self) -> &[String] {
        &self.requests
    }

    /// Calls a method of the protocol; its result.
    #[track_caller]
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": parameters });
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        let mut message = command.to_string().into_bytes();
        message.push(0);
        self.commands.write_all(&message).unwrap();
        loop {
            let mut message = self.next_message(&method);
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{command}: {message}");
                return message["result"].take();
            }
            self.note(&message);
        }
    }

    #[track_caller]
    fn next_message(&self, what: &dyn Display) -> Value {
        let message = self.messages.recv_timeout(DEADLINE);
        message.unwrap_or_else(|error| panic!("no answer of the browser to {what}: {error}"))
    }

    /// Remembers an event.
    #[track_caller]
    fn note(&mut self, event: &Value) {
        let fields = &event["params"];
        let fault = match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                let url = fields["request"]["url"].as_str().unwrap();
                self.requests.push(url.to_owned());
                return;
            }
            "Page.javascriptDialogOpening" => panic!("a script has opened a dialog: {event}"),
            "Runtime.exceptionThrown" | "Network.loadingFailed" => true,
            "Runtime.consoleAPICalled" => is_bad(&fields["type"]),
            "Log.entryAdded" => is_bad(&fields["entry"]["level"]),
            "Network.responseReceived" => fields["response"]["status"].as_u64() >= Some(400),
            "Audits.issueAdded" => fields["issue"]["code"] == "ContentSecurityPolicyIssue",
            _ => false,
        };
        if fault {
            self.faults.push(event.to_string());
        }
    }
}

/// Whether a level or a type of the console is for faults.
fn is_bad(level: &Value) -> bool {
    matches!(level.as_str(), Some("error" | "warning" | "assert"))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts the browser with pipes as its descriptors 3 and 4.
fn start(profile: &Path) -> Child {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_installed = std::env::split_paths(&path).any(|folder| folder.join("chromium").is_file());
    assert!(
        is_installed,
        "Chromium is not installed; run: apt-get install chromium"
    );
    let errors = std::fs::File::create(profile.join("errors")).unwrap();
    // Only a shell can assign descriptors without unsafe code.
    Command::new("sh")
        .arg("-c")
        .arg("exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null")
        .arg("sh")
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(OPTIONS)
        .env("HOME", profile)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .unwrap()
}

/// Receives the messages of the browser until its end.
fn receive(output: impl std::io::Read + Send + 'static) -> Receiver<Value> {
    let (sender, messages) = channel();
    std::thread::spawn(move || {
        for message in BufReader::new(output).split(0) {
            let message = serde_json::from_slice(&message.unwrap()).unwrap();
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    messages
}
