//! A connection pooler in front of a server that trusts its clients. It has an own thread, because tests block theirs
//! while they wait for our program.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

const SSL_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;
const CANCEL_REQUEST: i32 = 80_877_102;

/// How long a client keeps a session of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For one transaction.
    Transaction,
    /// To its end; its process number and secret are the pooler's own.
    Session,
    /// The same, but connections for replication are refused.
    SessionForSql,
}

/// The pooler; its connections end with it.
pub(crate) struct Pooler {
    port: u16,
    _running: DropGuard,
}

impl Pooler {
    /// A pooler with this many sessions of the server.
    pub(crate) fn start(server: u16, mode: Mode, size: usize) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let pool = Arc::new(Pool {
            server,
            mode,
            size,
            permits: Semaphore::new(size),
            idle: Mutex::default(),
            keys: Mutex::default(),
        });
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(stopped.run_until_cancelled(serve(listener, pool)));
        });
        Self {
            port,
            _running: stop.drop_guard(),
        }
    }

    /// The way to a database through it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// A process number and its secret.
type Key = [u8; 8];

/// What all clients share.
struct Pool {
    server: u16,
    mode: Mode,
    size: usize,
    permits: Semaphore,
    /// Sessions that no transaction uses, by what they were started with; the oldest is used next.
    idle: Mutex<HashMap<Vec<u8>, VecDeque<Server>>>,
    /// The server's keys by those that clients were given.
    keys: Mutex<HashMap<Key, Key>>,
}

/// A message: its tag and its body.
struct Frame {
    tag: u8,
    body: Vec<u8>,
}

impl Frame {
    async fn send(&self, to: &mut OwnedWriteHalf) -> Option<()> {
        let length = u32::try_from(self.body.len() + 4).unwrap();
        let bytes = [&[self.tag][..], &length.to_be_bytes(), &self.body].concat();
        to.write_all(&bytes).await.ok()
    }
}

/// A session of the server.
struct Server {
    frames: mpsc::Receiver<Frame>,
    writes: OwnedWriteHalf,
    /// What it said at its start.
    greeting: Vec<Frame>,
    _reader: Reader,
}

struct Reader(JoinHandle<()>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads messages on a task of its own: a message that has begun is never lost.
#[expect(clippy::disallowed_methods, reason = "the guard ends the task on drop")]
fn read_frames(mut from: OwnedReadHalf) -> (mpsc::Receiver<Frame>, Reader) {
    let (sender, frames) = mpsc::channel(16);
    let reading = tokio::spawn(async move {
        while let Ok(tag) = from.read_u8().await {
            let Ok(length) = from.read_u32().await else {
                return;
            };
            let mut body = vec![0; length as usize - 4];
            let is_whole = from.read_exact(&mut body).await.is_ok();
            if !is_whole || sender.send(Frame { tag, body }).await.is_err() {
                return;
            }
        }
    });
    (frames, Reader(reading))
}

impl Server {
    async fn connect(port: u16, startup: &[u8]) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (reads, mut writes) = stream.into_split();
        writes.write_all(startup).await.ok()?;
        let (mut frames, reader) = read_frames(reads);
        let mut greeting = Vec::new();
        while !matches!(
            greeting.last(),
            Some(Frame {
                tag: b'Z' | b'E',
                ..
            })
        ) {
            greeting.push(frames.recv().await?);
        }
        Some(Self {
            frames,
            writes,
            greeting,
            _reader: reader,
        })
    }
}

impl Pool {
    /// A session that no other client uses; the caller has a permit. All of a pool are opened at once.
    async fn server(&self, startup: &[u8]) -> Option<Server> {
        let is_new = !self.idle.lock().unwrap().contains_key(startup);
        if self.mode == Mode::Transaction && is_new {
            let mut opened = VecDeque::new();
            for _ in 0..self.size {
                opened.push_back(Server::connect(self.server, startup).await?);
            }
            self.idle.lock().unwrap().insert(startup.to_vec(), opened);
        }
        match self.take_idle(startup) {
            Some(server) => Some(server),
            None => Server::connect(self.server, startup).await,
        }
    }

    fn take_idle(&self, startup: &[u8]) -> Option<Server> {
        let mut idle = self.idle.lock().unwrap();
        idle.get_mut(startup)?.pop_front()
    }

    fn give_back(&self, startup: &[u8], server: Server) {
        let mut idle = self.idle.lock().unwrap();
        idle.entry(startup.to_vec()).or_default().push_back(server);
    }

    /// A key of our own for a server's key.
    fn key(&self, server: &[u8]) -> Key {
        let mut keys = self.keys.lock().unwrap();
        let number = 1_000_000 + u32::try_from(keys.len()).unwrap();
        let own = [number.to_be_bytes(), [7; 4]].concat().try_into().unwrap();
        keys.insert(own, server[..8].try_into().unwrap());
        own
    }
}

async fn serve(listener: std::net::TcpListener, pool: Arc<Pool>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut clients = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        client.set_nodelay(true).unwrap();
        let pool = Arc::clone(&pool);
        clients.spawn(async move { attend(client, &pool).await });
        while clients.try_join_next().is_some() {}
    }
}

/// A client from its beginning to its end.
async fn attend(mut client: TcpStream, pool: &Pool) -> Option<()> {
    let startup = loop {
        let length = client.read_u32().await.ok()?;
        let mut rest = vec![0; length as usize - 4];
        client.read_exact(&mut rest).await.ok()?;
        match i32::from_be_bytes(rest[..4].try_into().unwrap()) {
            SSL_REQUEST | GSS_REQUEST => client.write_all(b"N").await.ok()?,
            CANCEL_REQUEST => return cancel(&rest[4..], pool).await,
            _ => break [&length.to_be_bytes()[..], &rest].concat(),
        }
    };
    let (reads, mut writes) = client.into_split();
    if pool.mode != Mode::Session && startup.windows(12).any(|text| text == b"replication\0") {
        let body = b"SFATAL\0C08P01\0Munsupported startup parameter: replication\0\0".to_vec();
        return Frame { tag: b'E', body }.send(&mut writes).await;
    }
    let (frames, reader) = read_frames(reads);
    let client = Client {
        frames,
        writes,
        startup,
        _reader: reader,
    };
    client.run(pool).await
}

async fn cancel(key: &[u8], pool: &Pool) -> Option<()> {
    let key: Key = key.try_into().ok()?;
    let server = *pool.keys.lock().unwrap().get(&key)?;
    let mut stream = TcpStream::connect(("127.0.0.1", pool.server)).await.ok()?;
    let length = 16_u32.to_be_bytes();
    let request = [&length[..], &CANCEL_REQUEST.to_be_bytes(), &server].concat();
    stream.write_all(&request).await.ok()
}

/// A client that has started.
struct Client {
    frames: mpsc::Receiver<Frame>,
    writes: OwnedWriteHalf,
    startup: Vec<u8>,
    _reader: Reader,
}

impl Client {
    async fn run(mut self, pool: &Pool) -> Option<()> {
        let permit = pool.permits.acquire().await.unwrap();
        let mut server = pool.server(&self.startup).await?;
        for frame in &server.greeting {
            let body = match frame.tag {
                b'K' => pool.key(&frame.body).to_vec(),
                _ => frame.body.clone(),
            };
            let tag = frame.tag;
            Frame { tag, body }.send(&mut self.writes).await?;
        }
        if pool.mode != Mode::Transaction {
            let first = self.frames.recv().await?;
            return self.transaction(first, &mut server, true).await;
        }
        pool.give_back(&self.startup, server);
        drop(permit);
        while let Some(first) = self.frames.recv().await {
            let _permit = pool.permits.acquire().await.unwrap();
            let mut server = pool.server(&self.startup).await?;
            // A session whose client is gone ends with its transaction.
            self.transaction(first, &mut server, false).await?;
            pool.give_back(&self.startup, server);
        }
        None
    }

    /// Passes messages until the server is idle again; for a session until its end.
    async fn transaction(
        &mut self,
        first: Frame,
        server: &mut Server,
        is_endless: bool,
    ) -> Option<()> {
        // Messages that the server answers with ReadyForQuery.
        let asks = |frame: &Frame| usize::from(matches!(frame.tag, b'Q' | b'S' | b'F'));
        let mut open = asks(&first);
        first.send(&mut server.writes).await?;
        loop {
            tokio::select! {
                asked = self.frames.recv() => {
                    let asked = asked?;
                    open += asks(&asked);
                    asked.send(&mut server.writes).await?;
                }
                answer = server.frames.recv() => {
                    let answer = answer?;
                    answer.send(&mut self.writes).await?;
                    if answer.tag == b'Z' {
                        open = open.saturating_sub(1);
                        if open == 0 && answer.body == b"I" && !is_endless {
                            return Some(());
                        }
                    }
                }
            }
        }
    }
}
