use std::io;
use std::net::SocketAddr;

/// Why the web server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// Other machines reach the address, and nothing protects it.
    #[error("listen on {address}: other machines can connect to it, and no token is set")]
    NoToken {
        /// The address.
        address: SocketAddr,
    },
    /// The token can be guessed.
    #[error("the token of the web server is shorter than {least} characters")]
    ShortToken {
        /// How long it must be.
        least: usize,
    },
}
