//! What each `sslmode` makes of each server: the outcomes are those of libpq 18.

use seren_replicator::connect::{Error, Purpose};
use seren_replicator::pg::{Sql, SqlState};

use super::certificates::{Authority, server};
use super::{Server, builder};
use crate::support::command::program;
use crate::support::{endpoint, run};

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Plain,
    Encrypted,
    /// `pg_hba.conf` has no line for us.
    Rejected,
    /// The server does not speak TLS.
    NoTls,
    /// We do not trust the server.
    Untrusted,
}

const MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

fn url(server: &Server, parameters: &str) -> String {
    let port = server.cluster.port();
    format!("postgresql://postgres@localhost:{port}/postgres?hostaddr=127.0.0.1&{parameters}")
}

async fn outcome(url: &str) -> Outcome {
    let mut connection = match endpoint(url).wire(Purpose::Introspect).await {
        Ok(connection) => connection,
        Err(Error::Tls { .. }) => return Outcome::Untrusted,
        Err(Error::NoTls { .. }) => return Outcome::NoTls,
        Err(error) if error.sqlstate() == Some(SqlState::INVALID_AUTHORIZATION) => {
            return Outcome::Rejected;
        }
        Err(error) => panic!("{url}: {error:?}"),
    };
    let query = Sql::fixed("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    match connection.query(&query).await.unwrap()[0].single("ssl") {
        Some("t") => Outcome::Encrypted,
        Some("f") => Outcome::Plain,
        other => panic!("{other:?}"),
    }
}

/// Tries all modes with a root file that holds this.
async fn try_modes(server: &Server, root: &str, expected: [Outcome; 6]) {
    let root = server.file("root.crt", root);
    for (mode, expected) in MODES.into_iter().zip(expected) {
        let parameters = format!("sslmode={mode}&sslrootcert={}", root.display());
        let found = outcome(&url(server, &parameters)).await;
        assert_eq!(found, expected, "sslmode={mode}");
    }
}

#[tokio::test]
async fn modes_meet_servers_as_in_libpq() {
    use Outcome::{Encrypted, NoTls, Plain, Rejected, Untrusted};
    let root = Authority::new("root");
    let pair = root.sign(&server(&["localhost"]));
    let both = Server::start(&builder(17, &pair));
    try_modes(
        &both,
        &root.pem(),
        [Plain, Plain, Encrypted, Encrypted, Encrypted, Encrypted],
    )
    .await;
    let stranger = Authority::new("stranger").pem();
    try_modes(
        &both,
        &stranger,
        [Plain, Plain, Plain, Untrusted, Untrusted, Untrusted],
    )
    .await;
    let off = Server::start(&builder(17, &pair).with_setting("ssl", "off"));
    try_modes(
        &off,
        &root.pem(),
        [Plain, Plain, Plain, NoTls, NoTls, NoTls],
    )
    .await;
    let only = Server::start(&builder(17, &pair).with_hba_line("hostssl all all all trust"));
    try_modes(
        &only,
        &root.pem(),
        [
            Rejected, Encrypted, Encrypted, Encrypted, Encrypted, Encrypted,
        ],
    )
    .await;
    let never = Server::start(&builder(17, &pair).with_hba_line("hostnossl all all all trust"));
    try_modes(
        &never,
        &root.pem(),
        [Plain, Plain, Plain, Rejected, Rejected, Rejected],
    )
    .await;
}

#[tokio::test]
async fn a_missing_root_file_is_named() {
    let pair = Authority::new("root").sign(&server(&["localhost"]));
    let server = Server::start(&builder(17, &pair));
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = url(
            &server,
            &format!("sslmode={mode}&sslrootcert=/nowhere/ca.crt"),
        );
        let error = endpoint(&url)
            .wire(Purpose::Control)
            .await
            .map(drop)
            .unwrap_err();
        assert!(error.hint().unwrap().contains("sslrootcert"), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("/nowhere/ca.crt"), "{cause}");
    }
}

/// Both ways of speaking: the wire, and the SQL client that is handed the same stream.
#[tokio::test]
async fn a_url_may_demand_channel_binding_and_direct_tls() {
    let root = Authority::new("root");
    for (major, more) in [
        (12, ""),
        (17, "&sslnegotiation=direct"),
        (18, "&sslnegotiation=direct"),
    ] {
        let builder = builder(major, &root.sign(&server(&["localhost"])))
            .with_setting("password_encryption", "scram-sha-256")
            .with_hba_line("hostssl all alice all scram-sha-256");
        let server = Server::start(&builder);
        let admin = server.cluster.url("postgres");
        run(&admin, "CREATE ROLE alice LOGIN PASSWORD 'secret'").await;
        let path = server.file("root.crt", &root.pem());
        let parameters = format!(
            "user=alice&password=secret&channel_binding=require&sslmode=verify-full&sslrootcert={}{more}",
            path.display()
        );
        let url = url(&server, &parameters).replace("postgres@", "");
        assert_eq!(outcome(&url).await, Outcome::Encrypted, "{major}");
        let session = endpoint(&url).session(Purpose::Introspect).await.unwrap();
        let query = Sql::fixed("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
        assert!(
            session
                .query_one(&query, &[])
                .await
                .unwrap()
                .get::<_, bool>(0)
        );
    }
}

/// The operating system's roots are found by variables of the process, hence a process.
#[tokio::test]
async fn the_operating_systems_roots_are_known() {
    let (root, stranger) = (Authority::new("root"), Authority::new("stranger"));
    let server = Server::start(&builder(17, &root.sign(&server(&["localhost"]))));
    let elsewhere = url(&server, "sslrootcert=system").replace("@localhost", "@elsewhere");
    for (name, roots, url, expected) in [
        (
            "none",
            "",
            url(&server, "sslrootcert=system"),
            "has no root certificates",
        ),
        (
            "stranger",
            &*stranger.pem(),
            url(&server, "sslrootcert=system"),
            "does not trust",
        ),
        ("root", &*root.pem(), elsewhere, "not for \"elsewhere\""),
        (
            "root",
            &*root.pem(),
            url(&server, "sslrootcert=system"),
            "connect to the target",
        ),
    ] {
        let roots = server.file(&format!("{name}.crt"), roots);
        let arguments = [
            "validate",
            "--source",
            &url,
            "--target",
            "postgresql://a@localhost:1/b",
        ];
        let run = program(&arguments).env("SSL_CERT_FILE", &roots.display().to_string());
        let finished = tokio::task::spawn_blocking(|| run.run()).await.unwrap();
        assert!(
            finished.stderr.contains(expected),
            "{name}: {}",
            finished.stderr
        );
    }
}
