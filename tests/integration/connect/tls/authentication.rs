//! Who we are to the server: passwords bound to its certificate, and certificates of our own.

use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384};
use seren_replicator::connect::Secret;
use seren_replicator::connect::tls::{Settings, SslMode, TlsVersion};
use seren_replicator::pg::SqlState;
use seren_replicator::sandbox::Builder;
use seren_replicator::wire::{AuthenticationError, ChannelBinding, ChannelBindingPolicy, Error};

use super::certificates::{
    Authority, CASES_AUTHORITY, Pair, client, ed25519, encrypted, server, version_1,
};
use super::{Server, builder, rooted, settings, with_identity};
use crate::support::run;

const INVALID_PASSWORD: &str = "28P01";
const INVALID_AUTHORIZATION: &str = "28000";

async fn scram_server(major: u32, pair: &Pair) -> Server {
    let builder = builder(major, pair)
        .with_setting("password_encryption", "scram-sha-256")
        .with_hba_line("hostssl all alice all scram-sha-256");
    let server = Server::start(&builder);
    let url = server.cluster.url("postgres");
    run(&url, "CREATE ROLE alice LOGIN PASSWORD 'secret'").await;
    server
}

fn server_code(error: &Error) -> Option<SqlState> {
    error.sqlstate()
}

#[tokio::test]
async fn a_password_is_bound_to_the_servers_certificate() {
    let root = Authority::new("root");
    let names = server(&["localhost"]);
    let sha384 = root.sign_key(
        &names,
        &KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
    );
    for major in [12, 18] {
        let server = scram_server(major, &root.sign(&names)).await;
        for (pair, version) in [
            (&root.sign(&names), TlsVersion::Tls13),
            (&root.sign(&names), TlsVersion::Tls12),
            (&sha384, TlsVersion::Tls13),
            (&version_1(), TlsVersion::Tls13),
            (&version_1(), TlsVersion::Tls12),
        ] {
            server.present(pair).await;
            let settings = Settings {
                max_version: Some(version),
                ..settings(SslMode::Require)
            };
            let encrypted = server.encrypt(&settings, "localhost").await.unwrap();
            let session = server.log_in(encrypted, "alice", ChannelBindingPolicy::Require);
            session.await.unwrap();
        }
    }
}

/// The stranger has a certificate of his own, and hands our proof on.
#[tokio::test]
async fn a_stranger_in_the_middle_is_noticed() {
    let pair = Authority::new("root").sign(&server(&["localhost"]));
    let server = scram_server(17, &pair).await;
    let encrypted = server.encrypt(&settings(SslMode::Require), "").await;
    let (stream, _) = encrypted.unwrap();
    let other = ChannelBinding::TlsServerEndPoint(vec![0; 32]);
    let session = server.log_in((stream, other), "alice", ChannelBindingPolicy::Prefer);
    let error = session.await.map(drop).unwrap_err();
    assert!(server_code(&error).is_some(), "{error:?}");
}

#[tokio::test]
async fn without_a_hash_there_is_no_binding() {
    let server = scram_server(17, &ed25519()).await;
    let settings = settings(SslMode::Require);
    let encrypted = server.encrypt(&settings, "").await.unwrap();
    assert_eq!(encrypted.1, ChannelBinding::Unsupported);
    let session = server.log_in(encrypted, "alice", ChannelBindingPolicy::Require);
    let error = session.await.map(drop).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Authentication(AuthenticationError::ChannelBindingRequired { .. })
        ),
        "{error:?}"
    );
}

/// A server that wants certificates of its users.
fn client_server(root: &Authority, users: &str, major: u32) -> Builder {
    builder(major, &root.sign(&server(&["localhost"])))
        .with_file("users.crt", users)
        .with_setting("ssl_ca_file", "users.crt")
        .with_setting("password_encryption", "scram-sha-256")
        .with_hba_line("hostssl all alice all cert")
        .with_hba_line("hostssl all bob all scram-sha-256 clientcert=verify-full")
}

#[tokio::test]
async fn a_certificate_of_our_own_lets_us_in() {
    let (root, users) = (Authority::new("root"), Authority::new("users"));
    for major in [12, 17, 18] {
        let server = Server::start(&client_server(&root, &users.pem(), major));
        let url = server.cluster.url("postgres");
        run(
            &url,
            "CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN PASSWORD 'secret'",
        )
        .await;
        let trusting = rooted(SslMode::VerifyFull, &server.root(&root.pem()));
        for (name, user, expected) in [
            ("alice", "alice", Ok(())),
            ("bob", "bob", Ok(())),
            ("bob", "alice", Err(INVALID_AUTHORIZATION)),
            ("alice", "bob", Err(INVALID_PASSWORD)),
        ] {
            let pair = users.sign(&client(name));
            let certificate = server.file("user.crt", &pair.certificates);
            let key = server.file("user.key", &pair.key);
            let settings = with_identity(trusting.clone(), &certificate, &key);
            let encrypted = server.encrypt(&settings, "localhost").await.unwrap();
            let session = server.log_in(encrypted, user, ChannelBindingPolicy::Prefer);
            let outcome = session.await.map(drop).map_err(|error| server_code(&error));
            let expected = expected.map_err(|code| Some(SqlState::parse(code)));
            assert_eq!(outcome, expected, "{name} as {user} on {major}");
        }
        let encrypted = server.encrypt(&trusting, "localhost").await.unwrap();
        let session = server.log_in(encrypted, "alice", ChannelBindingPolicy::Prefer);
        let error = session.await.map(drop).unwrap_err();
        let expected = SqlState::parse(INVALID_AUTHORIZATION);
        assert_eq!(server_code(&error), Some(expected), "{error:?}");
    }
}

#[tokio::test]
async fn the_files_of_the_home_folder_are_used() {
    let (root, users) = (Authority::new("root"), Authority::new("users"));
    let server = Server::start(&client_server(&root, &users.pem(), 17));
    run(&server.cluster.url("postgres"), "CREATE ROLE alice LOGIN").await;
    let pair = users.sign(&client("alice"));
    std::fs::create_dir(server.files.path().join(".postgresql")).unwrap();
    server.file(".postgresql/root.crt", &root.pem());
    server.file(".postgresql/root.crl", &root.revoke(&[]));
    server.file(".postgresql/postgresql.crt", &pair.certificates);
    server.file(".postgresql/postgresql.key", &pair.key);
    let settings = Settings {
        home: Some(server.files.path().to_owned()),
        ..settings(SslMode::VerifyFull)
    };
    let encrypted = server.encrypt(&settings, "localhost").await.unwrap();
    let session = server.log_in(encrypted, "alice", ChannelBindingPolicy::Prefer);
    session.await.unwrap();
}

#[tokio::test]
async fn an_encrypted_key_is_opened_with_its_password() {
    let root = Authority::new("root");
    let builder =
        client_server(&root, CASES_AUTHORITY, 17).with_hba_line("hostssl all postgres all cert");
    let server = Server::start(&builder);
    let pair = encrypted();
    let certificate = server.file("user.crt", &pair.certificates);
    let key = server.file("user.key", &pair.key);
    let settings = Settings {
        key_password: Some(Secret::new("open sesame")),
        ..with_identity(settings(SslMode::Require), &certificate, &key)
    };
    let encrypted = server.encrypt(&settings, "localhost").await.unwrap();
    let session = server.log_in(encrypted, "postgres", ChannelBindingPolicy::Prefer);
    session.await.unwrap();
}
