//! A failing network: a proxy in front of a server that cuts or stalls connections, at a given byte or on demand. It has
//! an own thread, because tests block theirs while they wait for our program.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Both ends find it reset.
    Cut,
    /// Our program finds it reset; the server goes without news, until all stalls are released.
    Orphan,
    /// It stays open and nothing arrives any more, until all stalls are released.
    Stall,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From our program to the server.
    ToServer,
    /// From the server to our program.
    ToClient,
}

/// A fault to come.
#[derive(Clone, Debug)]
pub(crate) struct Break {
    /// What happens.
    pub(crate) fault: Fault,
    /// Whose bytes count.
    pub(crate) way: Way,
    /// They count once our program has sent these texts, one behind the other.
    pub(crate) since: &'static [&'static str],
    /// How many of them still pass; the fault comes with the next one.
    pub(crate) after: u64,
    /// The only connection that it is meant for, counted from 0 as they arrive.
    pub(crate) connection: Option<usize>,
    /// How many connections it hits at most.
    pub(crate) times: usize,
}

/// How far one connection is towards one break.
#[derive(Debug, Default)]
struct Approach {
    /// Texts that our program has sent.
    found: usize,
    /// What it has sent behind them, as far as the next may begin there.
    tail: Vec<u8>,
    passed: u64,
    struck: bool,
}

impl Approach {
    /// Where in these bytes counting begins, if it does.
    fn begin(&mut self, since: &[&str], way: Way, bytes: &[u8]) -> Option<usize> {
        if self.found == since.len() {
            return Some(0);
        }
        if way == Way::ToClient {
            return None;
        }
        self.tail.extend_from_slice(bytes);
        while let Some(text) = since.get(self.found) {
            let Some(at) = memchr::memmem::find(&self.tail, text.as_bytes()) else {
                let short = self.tail.len().saturating_sub(text.len() - 1);
                self.tail.drain(..short);
                return None;
            };
            self.tail.drain(..at + text.len());
            self.found += 1;
        }
        Some(bytes.len() - self.tail.len())
    }

    /// How many of these bytes may pass before the break; all of them if it is not reached.
    fn admit(&mut self, plan: &Break, way: Way, bytes: &[u8]) -> Option<usize> {
        let from = self.begin(plan.since, way, bytes)?;
        if way != plan.way || self.struck {
            return None;
        }
        let counted = (bytes.len() - from) as u64;
        let room = plan.after - self.passed;
        if counted > room {
            self.struck = true;
            return Some(from + usize::try_from(room).unwrap());
        }
        self.passed += counted;
        None
    }
}

/// Breaks to come and what has happened.
#[derive(Debug, Default)]
struct State {
    breaks: Vec<Break>,
    connections: usize,
    struck: usize,
}

impl State {
    /// How many of these bytes may pass on a connection, and what happens then.
    fn admit(
        &mut self,
        number: usize,
        approaches: &mut Vec<Approach>,
        (way, bytes): (Way, &[u8]),
    ) -> (usize, Option<Fault>) {
        approaches.resize_with(self.breaks.len(), Approach::default);
        for (plan, approach) in self.breaks.iter_mut().zip(approaches) {
            let meant = plan.connection.is_none_or(|wanted| wanted == number);
            if !meant || plan.times == 0 {
                continue;
            }
            if let Some(passing) = approach.admit(plan, way, bytes) {
                plan.times -= 1;
                self.struck += 1;
                return (passing, Some(plan.fault));
            }
        }
        (bytes.len(), None)
    }
}

/// What all connections share.
struct Shared {
    server: u16,
    state: Mutex<State>,
    /// Counts cuts on demand.
    cuts: watch::Sender<u64>,
    /// Whether everything stalls.
    stalled: watch::Sender<bool>,
    /// Counts releases of stalls.
    releases: watch::Sender<u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The proxy; its connections end with it.
pub(crate) struct Line {
    port: u16,
    shared: Arc<Shared>,
    _running: DropGuard,
}

impl Line {
    /// A line to a server's port on this machine that does not fail yet.
    pub(crate) fn to(server: u16) -> Self {
        let shared = Arc::new(Shared {
            server,
            state: Mutex::default(),
            cuts: watch::Sender::new(0),
            stalled: watch::Sender::new(false),
            releases: watch::Sender::new(0),
        });
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let (serving, stopped) = (Arc::clone(&shared), stop.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(stopped.run_until_cancelled(serve(listener, serving)));
        });
        Self {
            port,
            shared,
            _running: stop.drop_guard(),
        }
    }

    /// Where our program connects.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Adds a fault to come, for connections that are open as for later ones.
    pub(crate) fn plan(&self, plan: Break) {
        self.shared.state().breaks.push(plan);
    }

    /// Cuts all connections that are open.
    pub(crate) fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Lets nothing through from now on.
    pub(crate) fn stall(&self) {
        self.shared.stalled.send_replace(true);
    }

    /// Lets all stalled connections continue.
    pub(crate) fn release(&self) {
        self.shared.stalled.send_replace(false);
        self.shared.releases.send_modify(|releases| *releases += 1);
    }

    /// Connections that were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Connections that a planned fault has hit so far.
    pub(crate) fn struck(&self) -> usize {
        self.shared.state().struck
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let number = {
            let mut state = shared.state();
            state.connections += 1;
            state.connections - 1
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A server that refuses closes the client's connection as well.
            if let Ok(server) = TcpStream::connect(("127.0.0.1", shared.server)).await {
                carry([client, server], number, &shared).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// A connection from its beginning to its end or its cut.
async fn carry([mut client, mut server]: [TcpStream; 2], number: usize, shared: &Shared) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let mut cuts = shared.cuts.subscribe();
    let approaches = Mutex::new(Vec::new());
    let line = Direction {
        shared,
        number,
        approaches: &approaches,
        own: &watch::Sender::new(false),
    };
    let whole = {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        let there = line.forward(Way::ToServer, client_reads, server_writes);
        let back = line.forward(Way::ToClient, server_reads, client_writes);
        tokio::select! {
            ended = async { tokio::try_join!(there, back) } => ended.map(drop),
            _ = cuts.changed() => Err(Broken::Cut),
        }
    };
    if let Err(broken) = whole {
        let mut releases = shared.releases.subscribe();
        reset(client);
        if broken == Broken::Orphaned {
            releases.changed().await.unwrap();
        }
        reset(server);
    }
}

/// Closes a connection at once: with a time of zero it is reset.
fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Why a connection ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// It was cut, or one end has gone without a word.
    Cut,
    /// Only our program's end is to know.
    Orphaned,
}

/// What both directions of a connection know.
#[derive(Clone, Copy)]
struct Direction<'a> {
    shared: &'a Shared,
    number: usize,
    approaches: &'a Mutex<Vec<Approach>>,
    /// Whether this connection stalls by itself.
    own: &'a watch::Sender<bool>,
}

impl Direction<'_> {
    async fn forward(
        self,
        way: Way,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), Broken> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut buffer).await.map_err(|_| Broken::Cut)?;
            self.flowing().await;
            if count == 0 {
                return to.shutdown().await.map_err(|_| Broken::Cut);
            }
            let bytes = &buffer[..count];
            let (passing, fault) = self.admit(way, bytes);
            send(&mut to, &bytes[..passing]).await?;
            match fault {
                None => {}
                Some(Fault::Cut) => return Err(Broken::Cut),
                Some(Fault::Orphan) => return Err(Broken::Orphaned),
                Some(Fault::Stall) => {
                    self.stalled().await;
                    send(&mut to, &bytes[passing..]).await?;
                }
            }
        }
    }

    fn admit(self, way: Way, bytes: &[u8]) -> (usize, Option<Fault>) {
        let mut approaches = self.approaches.lock().unwrap();
        let mut state = self.shared.state();
        state.admit(self.number, &mut approaches, (way, bytes))
    }

    /// Waits while everything or this connection stalls.
    async fn flowing(self) {
        let (mut all, mut own) = (self.shared.stalled.subscribe(), self.own.subscribe());
        let flows = async |stalled: &mut watch::Receiver<bool>| {
            stalled.wait_for(|stalled| !stalled).await.map(drop)
        };
        // An error would mean that the sender is gone; both outlive this.
        flows(&mut own).await.unwrap();
        flows(&mut all).await.unwrap();
    }

    /// Stalls both directions of this connection until the next release.
    async fn stalled(self) {
        let mut releases = self.shared.releases.subscribe();
        self.own.send_replace(true);
        releases.changed().await.unwrap();
        self.own.send_replace(false);
    }
}

async fn send(to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), Broken> {
    to.write_all(bytes).await.map_err(|_| Broken::Cut)
}
