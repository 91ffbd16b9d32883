//! How TLS begins: asked for or direct, in which version; and that it carries much.

use seren_replicator::connect::tls::{Error, Settings, SslMode, TlsVersion};
use seren_replicator::pg::Sql;
use seren_replicator::wire::{ChannelBindingPolicy, TlsAnswer, request_tls};

use super::certificates::{Authority, server};
use super::{Server, builder, rooted, settings};

fn direct(settings: Settings) -> Settings {
    Settings {
        direct: true,
        ..settings
    }
}

/// A server that trusts everybody, with its authority's certificate.
fn trusting_server(major: u32) -> (Server, Settings) {
    let root = Authority::new("root");
    let builder = builder(major, &root.sign(&server(&["localhost"])));
    let server = Server::start(&builder.with_hba_line("hostssl all postgres all trust"));
    let settings = rooted(SslMode::VerifyFull, &server.root(&root.pem()));
    (server, settings)
}

/// The version in use, as the server sees it.
async fn spoken(server: &Server, settings: &Settings) -> String {
    let encrypted = server.encrypt(settings, "localhost").await.unwrap();
    let session = server.log_in(encrypted, "postgres", ChannelBindingPolicy::Prefer);
    let mut session = session.await.unwrap();
    let query = Sql::fixed("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    let results = session.query(&query).await.unwrap();
    results[0].rows[0][0].clone().unwrap()
}

#[tokio::test]
async fn tls_may_begin_at_once_from_17_on() {
    for major in [17, 18] {
        let (server, settings) = trusting_server(major);
        assert_eq!(spoken(&server, &direct(settings)).await, "TLSv1.3");
    }
    let (server, settings) = trusting_server(16);
    let result = server.encrypt(&direct(settings), "localhost").await;
    let error = result.map(drop).unwrap_err();
    assert!(matches!(error, Error::NotPostgres), "{error:?}");
    assert!(error.hint().unwrap().contains("17"));
}

#[tokio::test]
async fn the_version_is_within_the_bounds() {
    use TlsVersion::{Tls12, Tls13};
    let (server, settings) = trusting_server(12);
    for (min, max, expected) in [
        (None, None, "TLSv1.3"),
        (None, Some(Tls12), "TLSv1.2"),
        (Some(Tls12), None, "TLSv1.3"),
        (Some(Tls13), None, "TLSv1.3"),
    ] {
        let settings = Settings {
            min_version: min,
            max_version: max,
            ..settings.clone()
        };
        assert_eq!(
            spoken(&server, &settings).await,
            expected,
            "{min:?} {max:?}"
        );
    }
}

#[tokio::test]
async fn no_common_version_ends_the_handshake() {
    let root = Authority::new("root");
    let builder = builder(17, &root.sign(&server(&["localhost"])));
    let server = Server::start(&builder.with_setting("ssl_min_protocol_version", "TLSv1.3"));
    let settings = Settings {
        max_version: Some(TlsVersion::Tls12),
        ..settings(SslMode::Require)
    };
    let result = server.encrypt(&settings, "localhost").await;
    let error = result.map(drop).unwrap_err();
    assert!(matches!(error, Error::Handshake(_)), "{error:?}");
    assert!(!error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_says_so() {
    let cluster = seren_replicator::sandbox::Cluster::builder(17);
    let server = Server::start(&cluster);
    let mut stream = server.dial().await;
    assert_eq!(request_tls(&mut stream).await.unwrap(), TlsAnswer::Refused);
}

/// More than all buffers hold, both ways.
#[tokio::test]
async fn much_is_carried_whole() {
    let (server, settings) = trusting_server(17);
    let encrypted = server.encrypt(&settings, "localhost").await.unwrap();
    let session = server.log_in(encrypted, "postgres", ChannelBindingPolicy::Prefer);
    let mut session = session.await.unwrap();
    let text = "0123456789abcdef".repeat(1 << 18);
    let query = Sql::deparsed(format!("SELECT '{text}'"));
    let results = session.query(&query).await.unwrap();
    assert!(results[0].rows[0][0].as_deref() == Some(&text));
}
