//! What an attempt from this machine shows of hosts that the target's server cannot reach.

use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

/// How long an attempt may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Tries the name and the port of each host, one after the other, and describes what happened.
pub(super) async fn probe_hosts(hosts: &[(String, u16)]) -> String {
    let mut found = Vec::new();
    for (host, port) in hosts {
        found.push(format!(
            "from this machine, {}",
            probe_host(host, *port).await
        ));
    }
    match found.is_empty() {
        true => "its connection string names no host".to_owned(),
        false => found.join("; "),
    }
}

async fn probe_host(host: &str, port: u16) -> String {
    if host.starts_with(['/', '@']) {
        return format!(
            "{host} is a socket directory, which only servers on the same machine reach"
        );
    }
    let looked = tokio::time::timeout(LIMIT, lookup_host((host, port))).await;
    let addresses = match looked {
        Err(_) => return format!("the name {host} was not resolved in time"),
        Ok(Err(error)) => return format!("the name {host} cannot be resolved ({error})"),
        Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
    };
    let Some(address) = addresses.first() else {
        return format!("the name {host} has no address");
    };
    let resolved = format!("the name {host} resolves to {}", address.ip());
    match tokio::time::timeout(LIMIT, TcpStream::connect(address)).await {
        Err(_) => format!("{resolved}, and port {port} does not answer"),
        Ok(Err(error)) => format!("{resolved}, and port {port} refuses connections ({error})"),
        Ok(Ok(_)) => format!("{resolved}, and port {port} accepts connections"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_and_a_port_are_judged_apart() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = probe_hosts(&[("127.0.0.1".to_owned(), port)]).await;
        assert!(open.ends_with("accepts connections"), "{open}");
        drop(listener);
        let closed = probe_hosts(&[("127.0.0.1".to_owned(), port)]).await;
        assert!(closed.contains("refuses connections"), "{closed}");
        let socket = probe_hosts(&[("/tmp".to_owned(), 5432)]).await;
        assert!(socket.contains("socket directory"), "{socket}");
        assert!(probe_hosts(&[]).await.contains("names no host"));
    }
}
