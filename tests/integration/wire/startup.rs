//! Getting in, by every method that a server without TLS knows.

use seren_replicator::pg::{Sql, SqlState};
use seren_replicator::sandbox::Cluster;
use seren_replicator::wire::{
    Authentication, AuthenticationError, BoxStream, Connection, Error, Idle, Method, Startup,
    TransactionStatus,
};
use tokio::net::UnixStream;

use super::AUTHENTICATION;

async fn stream(cluster: &Cluster) -> BoxStream {
    let socket = format!(".s.PGSQL.{}", cluster.port());
    let socket = cluster.socket_dir().join(socket);
    Box::new(UnixStream::connect(socket).await.unwrap())
}

async fn start(
    cluster: &Cluster,
    authentication: &Authentication<'_>,
) -> Result<Connection<Idle>, Error> {
    let parameters = [("user", authentication.user), ("database", "postgres")];
    let startup = Startup {
        parameters: &parameters,
        authentication,
    };
    Connection::start(stream(cluster).await, &startup).await
}

fn login(user: &'static str, password: Option<&'static str>) -> Authentication<'static> {
    Authentication {
        user,
        password,
        ..AUTHENTICATION
    }
}

/// Roles named after their method, each with the password `pa ß`.
async fn cluster() -> Cluster {
    let cluster = Cluster::builder(18)
        .with_hba_line("local all postgres trust")
        .with_hba_line("local all md5 md5")
        .with_hba_line("local all password password")
        .with_hba_line("local all all scram-sha-256")
        .start()
        .unwrap();
    let mut admin = start(&cluster, &login("postgres", None)).await.unwrap();
    let roles = "
        SET password_encryption = 'md5';
        CREATE ROLE md5 LOGIN PASSWORD 'pa ß';
        SET password_encryption = 'scram-sha-256';
        CREATE ROLE password LOGIN PASSWORD 'pa ß';
        CREATE ROLE scram LOGIN PASSWORD 'pa ß';
        SET scram_iterations = 200000;
        CREATE ROLE patient LOGIN PASSWORD 'pa ß'";
    admin.execute(&Sql::fixed(roles)).await.unwrap();
    cluster
}

#[tokio::test]
async fn every_method_lets_in_with_the_password_and_only_with_it() {
    let cluster = cluster().await;
    for (user, method) in [
        ("md5", Method::Md5),
        ("password", Method::Password),
        ("scram", Method::ScramSha256),
    ] {
        let mut connection = start(&cluster, &login(user, Some("pa ß"))).await.unwrap();
        connection.execute(&Sql::fixed("SELECT 1")).await.unwrap();
        assert_eq!(connection.parameter("session_authorization"), Some(user));

        let wrong = start(&cluster, &login(user, Some("pa ss")))
            .await
            .unwrap_err();
        assert_eq!(wrong.sqlstate(), Some(SqlState::INVALID_PASSWORD), "{user}");
        let without = start(&cluster, &login(user, None)).await.unwrap_err();
        let Error::Authentication(AuthenticationError::NoPassword { method: asked }) = without
        else {
            panic!("{without:?}");
        };
        assert_eq!(asked, method);
    }
}

#[tokio::test]
async fn what_cannot_be_computed_or_found_is_told() {
    let cluster = cluster().await;
    let patient = start(&cluster, &login("patient", Some("pa ß")))
        .await
        .unwrap_err();
    let text = "the server asks for 200000 SCRAM iterations; at most 100000 are supported";
    assert_eq!(patient.to_string(), text);

    let authentication = login("postgres", None);
    let startup = Startup {
        parameters: &[("user", "postgres"), ("database", "no such database")],
        authentication: &authentication,
    };
    let missing = Connection::start(stream(&cluster).await, &startup).await;
    let code = missing.unwrap_err().sqlstate();
    assert_eq!(code, Some(SqlState::INVALID_CATALOG_NAME));
}

#[tokio::test]
async fn a_session_can_be_handed_on() {
    let cluster = cluster().await;
    let connection = start(&cluster, &login("postgres", None)).await.unwrap();
    assert_eq!(
        connection.transaction_status().unwrap(),
        TransactionStatus::Idle
    );
    let parts = connection.into_parts().unwrap();
    let version = parts
        .parameters
        .iter()
        .find(|(name, _)| name == "server_version");
    assert!(version.unwrap().1.starts_with("18"));
    assert!(parts.key.is_some() && parts.unread.is_empty());
}
