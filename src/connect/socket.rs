//! From a host to an open socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};

use super::Error;
use super::host::{Address, Host};
use super::profile::Keepalive;
use crate::wire::BoxStream;

/// Returns the addresses of a host; one `None` for a socket.
pub(super) async fn resolve_host(host: &Host) -> Result<Vec<Option<SocketAddr>>, Error> {
    let Address::Tcp {
        host: name,
        address,
    } = &host.address
    else {
        return Ok(vec![None]);
    };
    let given = address.or_else(|| name.parse().ok());
    if let Some(address) = given {
        return Ok(vec![Some(SocketAddr::new(address, host.port))]);
    }
    let found = tokio::net::lookup_host((name.as_str(), host.port))
        .await
        .map(Vec::from_iter);
    let addresses = match found {
        Ok(addresses) if !addresses.is_empty() => addresses,
        // An empty container has no /etc/hosts.
        _ if name == "localhost" => loopback_addresses(host.port).to_vec(),
        Ok(_) => {
            let source = io::Error::new(io::ErrorKind::NotFound, "it has no address");
            return Err(resolve_error(host, source));
        }
        Err(source) => return Err(resolve_error(host, source)),
    };
    Ok(addresses.into_iter().map(Some).collect())
}

fn loopback_addresses(port: u16) -> [SocketAddr; 2] {
    let loopback = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    loopback.map(|address| SocketAddr::new(address, port))
}

fn resolve_error(host: &Host, source: io::Error) -> Error {
    Error::Resolve {
        place: host.to_string(),
        source,
    }
}

pub(super) async fn open_tcp(address: SocketAddr, keepalive: &Keepalive) -> io::Result<BoxStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if keepalive.on {
        let mut wanted = TcpKeepalive::new()
            .with_time(keepalive.idle)
            .with_interval(keepalive.interval);
        if let Some(count) = keepalive.count {
            wanted = wanted.with_retries(count);
        }
        socket.set_tcp_keepalive(&wanted)?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(keepalive.user_timeout)?;
    Ok(Box::new(stream))
}

pub(super) async fn open_unix(folder: &Path, port: u16) -> io::Result<BoxStream> {
    let file = format!(".s.PGSQL.{port}");
    let text = folder.to_string_lossy();
    #[cfg(target_os = "linux")]
    if let Some(name) = text.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixStream as Blocking};
        let address = SocketAddr::from_abstract_name(format!("{name}/{file}"))?;
        let stream = Blocking::connect_addr(&address)?;
        stream.set_nonblocking(true)?;
        return Ok(Box::new(UnixStream::from_std(stream)?));
    }
    let _ = text;
    Ok(Box::new(UnixStream::connect(folder.join(file)).await?))
}
