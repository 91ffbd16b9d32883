//! Connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::access::Access;
use super::error::Error;
use super::site::{Content, Site};
use crate::connect::Secret;
use crate::task::Scope;

/// Connections at most. Others wait.
const CONNECTIONS: usize = 64;

/// How long a client may take for the head of a request, and may keep a connection without one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request.
const LARGEST_HEAD: usize = 16 << 10;

/// How long nothing is accepted after an error: there may be no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A web server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
}

impl Server {
    /// Listens on an address. Port 0 is any free one.
    ///
    /// # Errors
    /// The address cannot be used, or other machines reach it and there is no token.
    pub async fn bind(address: SocketAddr, token: Option<Secret>) -> Result<Self, Error> {
        // Refused before anybody can connect.
        Access::new(address, token.as_ref())?;
        let failed = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            access: Access::new(address, token.as_ref())?,
        })
    }

    /// Returns the address with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until the scope is stopped. Cancel safe: connections end with the future.
    pub async fn run(self, content: Content, scope: &Scope) {
        let site = Arc::new(Site::new(self.access, content));
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                () = scope.stop.cancelled() => return,
                Some(()) = connections.next() => {}
                stream = accept(&self.listener), if connections.len() < CONNECTIONS => {
                    connections.push(serve(stream, Arc::clone(&site)));
                }
            }
        }
    }
}

/// Waits for a client. Cancel safe.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::debug!(%error, "the web server could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of a connection.
pub(super) fn serve<S>(stream: S, site: Arc<Site>) -> Pin<Box<dyn Future<Output = ()> + Send>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    Box::pin(async move {
        // A client that leaves is no fault of ours.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of the web server has ended");
        }
    })
}
