//! A distant network in front of a server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

/// Bytes that one direction of a connection may have under way, as TCP's own windows would allow.
const WINDOW: usize = 4 << 20;

/// The port of a proxy that delays each byte on its way, and a connection by a round trip.
pub(crate) fn distant(port: u16, delay: Duration) -> u16 {
    if delay.is_zero() {
        return port;
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            std::thread::spawn(move || {
                let client = client.unwrap();
                std::thread::sleep(delay * 2);
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                pump(
                    client.try_clone().unwrap(),
                    server.try_clone().unwrap(),
                    delay,
                );
                pump(server, client, delay);
            });
        }
    });
    own
}

/// Counts the bytes under way.
#[derive(Default)]
struct Window {
    used: Mutex<usize>,
    freed: Condvar,
}

impl Window {
    /// Waits for room, then takes it.
    fn take(&self, bytes: usize) {
        let used = self.used.lock().unwrap();
        *self.freed.wait_while(used, |used| *used >= WINDOW).unwrap() += bytes;
    }

    fn give_back(&self, bytes: usize) {
        *self.used.lock().unwrap() -= bytes;
        self.freed.notify_one();
    }
}

/// One direction of a connection, each piece late by the delay.
fn pump(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    let window = Arc::new(Window::default());
    let shared = Arc::clone(&window);
    std::thread::spawn(move || {
        let mut piece = vec![0; 256 * 1024];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            let due = Instant::now() + delay;
            shared.take(count);
            if sender.send((due, piece[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, piece) in receiver {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let written = to.write_all(&piece);
            // Also after an error: the reader must not wait for room that never comes.
            window.give_back(piece.len());
            if written.is_err() {
                break;
            }
        }
        drop(to.shutdown(std::net::Shutdown::Both));
    });
}
