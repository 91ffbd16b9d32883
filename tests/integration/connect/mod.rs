//! Connections: URLs, TLS, limits, poolers.

mod access;
mod limits;
mod place;
mod poolers;
mod stops;
mod strings;
mod tls;
