//! A host that accepts connections and stops answering at a chosen step of connecting.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::wait_until;

/// At which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It answers nothing at all.
    FromTheStart,
    /// It accepts TLS and says nothing in the handshake.
    InTheHandshake,
    /// It declines TLS and lets nobody in.
    AtTheLogin,
    /// It closes every connection at once, so that each try is followed by a wait.
    BetweenTries,
}

/// The host; it keeps its connections open until it is dropped.
pub(crate) struct SilentHost {
    port: u16,
    reached: Arc<Mutex<Vec<TcpStream>>>,
}

impl SilentHost {
    pub(crate) fn start(silence: Silence) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let reached = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::downgrade(&reached);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                drop(greet(&mut stream, silence));
                match keeps.upgrade() {
                    Some(keeps) => keeps.lock().unwrap().push(stream),
                    None => return,
                }
            }
        });
        Self { port, reached }
    }

    /// A URL without any time limit, so that nothing but a stop ends a connection.
    pub(crate) fn url(&self) -> String {
        let host = format!("127.0.0.1:{}", self.port);
        format!("postgresql://postgres@{host}/postgres?connect_timeout=0")
    }

    /// Waits until a connection is at the step that gets no answer.
    pub(crate) fn reached(&self) {
        wait_until("somebody waits for an answer", || {
            (!self.reached.lock().unwrap().is_empty()).then_some(())
        });
    }
}

/// Everything up to the step without an answer.
fn greet(stream: &mut TcpStream, silence: Silence) -> std::io::Result<()> {
    let mut bytes = [0; 1024];
    match silence {
        Silence::FromTheStart => {
            stream.read_exact(&mut bytes[..8])?;
        }
        Silence::InTheHandshake | Silence::AtTheLogin => {
            stream.read_exact(&mut bytes[..8])?;
            let answer = if silence == Silence::AtTheLogin {
                b"N"
            } else {
                b"S"
            };
            stream.write_all(answer)?;
            // The next message has come, and is the last one that is read.
            stream.read_exact(&mut bytes[..1])?;
        }
        Silence::BetweenTries => stream.shutdown(std::net::Shutdown::Both)?,
    }
    Ok(())
}
