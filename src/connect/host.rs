//! The hosts of a connection string.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::conninfo_error::{ConninfoError, value_error};

/// PostgreSQL's port.
const DEFAULT_PORT: u16 = 5432;

/// Where servers put their sockets: PostgreSQL's own default, and Debian's.
pub(super) const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Where a server may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A name to be resolved, or an address that replaces it.
    Tcp {
        /// As given; empty with only an address.
        host: String,
        /// `hostaddr`.
        address: Option<IpAddr>,
    },
    /// A socket in this folder; with `@` in front an abstract one.
    Unix(PathBuf),
}

/// One candidate of a host list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) address: Address,
    pub(super) port: u16,
}

impl Host {
    /// What the password file and messages call it.
    pub(super) fn name(&self) -> String {
        match &self.address {
            Address::Tcp {
                host,
                address: Some(address),
            } if host.is_empty() => address.to_string(),
            Address::Tcp { host, .. } => host.clone(),
            Address::Unix(folder) => folder.display().to_string(),
        }
    }

    pub(super) fn is_unix(&self) -> bool {
        matches!(self.address, Address::Unix(_))
    }
}

/// `host:port`, for people.
impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name(), self.port)
    }
}

/// The host list with its ports. One port serves all hosts.
pub(super) fn parse_host_list(
    names: Option<&str>,
    addresses: Option<&str>,
    ports: Option<&str>,
) -> Result<Vec<Host>, ConninfoError> {
    let split = |list: Option<&str>| -> Vec<String> {
        list.map(|list| list.split(',').map(|item| item.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let (names, addresses) = (split(names), split(addresses));
    let count = names.len().max(addresses.len()).max(1);
    let mut ports = split(ports);
    if !addresses.is_empty() && !names.is_empty() && addresses.len() != names.len() {
        let problem = format!("{} hosts and {} hostaddr", names.len(), addresses.len());
        return Err(ConninfoError::Contradiction { problem });
    }
    if ports.len() < 2 {
        ports = vec![ports.pop().unwrap_or_default(); count];
    } else if ports.len() != count {
        let problem = format!("{count} hosts and {} ports", ports.len());
        return Err(ConninfoError::Contradiction { problem });
    }
    (0..count)
        .map(|at| {
            let name = names.get(at).map_or("", String::as_str);
            let address = addresses.get(at).map_or("", String::as_str);
            Ok(Host {
                address: address_of(name, address)?,
                port: parse_port(&ports[at])?,
            })
        })
        .collect()
}

fn address_of(name: &str, address: &str) -> Result<Address, ConninfoError> {
    if !address.is_empty() {
        let parsed = IpAddr::from_str(address)
            .map_err(|_| value_error("hostaddr", format!("{address:?} is no IP address")))?;
        return Ok(Address::Tcp {
            host: name.to_owned(),
            address: Some(parsed),
        });
    }
    if name.starts_with(['/', '@']) {
        return Ok(Address::Unix(PathBuf::from(name)));
    }
    if !name.is_empty() {
        return Ok(Address::Tcp {
            host: name.to_owned(),
            address: None,
        });
    }
    let folder = SOCKET_FOLDERS
        .iter()
        .map(PathBuf::from)
        .find(|folder| folder.is_dir());
    let local = || Address::Tcp {
        host: "localhost".to_owned(),
        address: None,
    };
    Ok(folder.map_or_else(local, Address::Unix))
}

fn parse_port(text: &str) -> Result<u16, ConninfoError> {
    match text {
        "" => Ok(DEFAULT_PORT),
        text => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            // Not shown: in a malformed URI it may be a piece of the password.
            _ => Err(value_error("port", "not a number from 1 to 65535")),
        },
    }
}
