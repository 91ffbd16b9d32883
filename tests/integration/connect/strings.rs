//! Connection strings, passwords and addresses against real servers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use seren_replicator::connect::{Endpoint, Environment, Error, Purpose, Secret};
use seren_replicator::pg::SqlState;
use seren_replicator::sandbox::Cluster;

use crate::support::{endpoint, run, text};

/// Characters that mean something in URIs, lists, password files or SQL.
const WILD: &str = r#"a@b:c/d%e\f'g"h ?i#j=k&l"#;

/// One server that wants passwords over TCP, in three ways.
fn server() -> &'static Cluster {
    static SERVER: OnceLock<Cluster> = OnceLock::new();
    SERVER.get_or_init(|| {
        let builder = Cluster::builder(17).with_setting("password_encryption", "scram-sha-256");
        let lines = [
            "host all scram_user 127.0.0.1/32 scram-sha-256",
            "host all md5_user 127.0.0.1/32 md5",
            "host all clear_user 127.0.0.1/32 password",
            "local all clear_user password",
            "local all bent trust",
            "host all postgres 127.0.0.1/32 trust",
            "host all all 127.0.0.1/32 scram-sha-256",
        ];
        let cluster = lines
            .iter()
            .fold(builder, |builder, line| builder.with_hba_line(line))
            .start()
            .unwrap();
        // In a runtime of its own: the caller may be within one.
        let url = cluster.url("postgres");
        let made = std::thread::spawn(move || {
            tokio::runtime::Runtime::new()
                .unwrap()
                .block_on(make_roles(&url));
        });
        made.join().unwrap();
        cluster
    })
}

async fn make_roles(url: &str) {
    let quoted = WILD.replace('"', "\"\"");
    let password = WILD.replace('\'', "''");
    run(
        url,
        &format!(
            "SET standard_conforming_strings = on; \
             CREATE ROLE scram_user LOGIN PASSWORD '{password}'; \
             CREATE ROLE \"{quoted}\" LOGIN PASSWORD '{password}'; \
             CREATE ROLE clear_user LOGIN PASSWORD 'p'; \
             SET password_encryption = 'md5'; \
             CREATE ROLE md5_user LOGIN PASSWORD 'p';"
        ),
    )
    .await;
    run(url, &format!("CREATE DATABASE \"{quoted}\"")).await;
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn tcp(user: &str, password: &str, database: &str) -> String {
    let port = server().port();
    let (user, password, database) = (encode(user), encode(password), encode(database));
    format!("postgresql://{user}:{password}@127.0.0.1:{port}/{database}")
}

async fn try_session(endpoint: &Endpoint) -> Result<String, Error> {
    let session = endpoint.session(Purpose::Introspect).await?;
    let row = session
        .query_one(&text("SELECT current_user::text"), &[])
        .await?;
    Ok(row.get(0))
}

#[tokio::test]
async fn passwords_names_and_databases_of_any_characters_work_in_a_uri() {
    for user in ["scram_user", WILD] {
        let found = try_session(&endpoint(&tcp(user, WILD, WILD)))
            .await
            .unwrap();
        assert_eq!(found, user);
    }
}

#[tokio::test]
async fn and_in_a_list() {
    let quote = |text: &str| text.replace('\\', r"\\").replace('\'', r"\'");
    let list = format!(
        "host=127.0.0.1 port={} user='{}' password='{}' dbname='{}'",
        server().port(),
        quote(WILD),
        quote(WILD),
        quote(WILD)
    );
    assert_eq!(try_session(&endpoint(&list)).await.unwrap(), WILD);
}

#[tokio::test]
async fn and_in_a_password_file_and_in_a_service_file() {
    let folder = tempfile::tempdir().unwrap();
    let escape = |text: &str| text.replace('\\', r"\\").replace(':', r"\:");
    let passfile = folder.path().join("pass");
    let line = format!(
        "127.0.0.1:{}:*:{}:{}\n",
        server().port(),
        escape(WILD),
        escape(WILD)
    );
    fs::write(&passfile, line).unwrap();
    let services = folder.path().join("services");
    let section = format!(
        "[s]\nhost=127.0.0.1\nport={}\nuser={WILD}\n",
        server().port()
    );
    fs::write(&services, section).unwrap();
    let environment = Environment {
        passfile: Some(passfile.clone()),
        service_file: Some(services),
        ..Environment::default()
    };
    mode(&passfile, 0o600);
    let parsed = Endpoint::parse("service=s dbname=postgres", &environment).unwrap();
    assert_eq!(try_session(&parsed).await.unwrap(), WILD);

    mode(&passfile, 0o644);
    let parsed = Endpoint::parse("service=s dbname=postgres", &environment).unwrap();
    assert!(
        parsed.warnings()[0].contains("chmod 0600"),
        "{:?}",
        parsed.warnings()
    );
    let error = try_session(&parsed).await.unwrap_err();
    assert!(
        matches!(error, Error::Start { .. }) && error.sqlstate().is_none(),
        "{error:?}"
    );
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn the_urls_password_wins_over_the_environments() {
    let environment = Environment {
        password: Some(Secret::new("wrong")),
        ..Environment::default()
    };
    let url = tcp("scram_user", WILD, "postgres");
    assert!(
        try_session(&Endpoint::parse(&url, &environment).unwrap())
            .await
            .is_ok()
    );
    let environment = Environment {
        password: Some(Secret::new(WILD)),
        ..Environment::default()
    };
    let url = format!(
        "postgresql://scram_user@127.0.0.1:{}/postgres",
        server().port()
    );
    assert!(
        try_session(&Endpoint::parse(&url, &environment).unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn every_method_works_and_a_clear_password_stays_on_this_machine() {
    assert!(
        try_session(&endpoint(&tcp("md5_user", "p", "postgres")))
            .await
            .is_ok()
    );
    let error = try_session(&endpoint(&tcp("clear_user", "p", "postgres")))
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("in clear"), "{cause}");
    let local = server()
        .url("postgres")
        .replace("postgres@", "clear_user:p@");
    assert_eq!(try_session(&endpoint(&local)).await.unwrap(), "clear_user");
}

#[tokio::test]
async fn require_auth_is_honoured() {
    let url = tcp("scram_user", WILD, "postgres");
    for (wish, works) in [
        ("scram-sha-256", true),
        ("!md5", true),
        ("md5", false),
        ("none", false),
    ] {
        let asked = endpoint(&format!("{url}?require_auth={wish}"));
        assert_eq!(try_session(&asked).await.is_ok(), works, "{wish}");
    }
}

#[tokio::test]
async fn wrong_password_database_host_and_port_are_told_apart() {
    let wrong = try_session(&endpoint(&tcp("scram_user", "no", "postgres")))
        .await
        .unwrap_err();
    assert_eq!(wrong.sqlstate(), Some(SqlState::INVALID_PASSWORD));
    assert!(!wrong.is_transient());
    let wrong = try_session(&endpoint(&server().tcp_url("none")))
        .await
        .unwrap_err();
    assert_eq!(wrong.sqlstate(), Some(SqlState::INVALID_CATALOG_NAME));
    assert!(wrong.to_string().ends_with("/none"), "{wrong}");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_tried_four_times_and_named() {
    let begun = std::time::Instant::now();
    let wrong = try_session(&endpoint("postgresql://u@127.0.0.1:1/d"))
        .await
        .unwrap_err();
    assert!(matches!(wrong, Error::Dial { .. }) && wrong.is_transient());
    assert_eq!(wrong.to_string(), "127.0.0.1:1");
    assert!(begun.elapsed().as_secs() >= 7, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn of_several_hosts_the_first_that_answers_serves_all_connections() {
    let port = server().port();
    let list = format!("host=127.0.0.1,127.0.0.1 port=1,{port} user=postgres dbname=postgres");
    let endpoint = endpoint(&list);
    assert!(endpoint.to_string().contains("127.0.0.1:1,"));
    try_session(&endpoint).await.unwrap();
    assert_eq!(endpoint.to_string(), format!("127.0.0.1:{port}/postgres"));
    assert_eq!(
        endpoint.with_database("d").to_string(),
        format!("127.0.0.1:{port}/d")
    );
}

#[tokio::test]
async fn target_session_attrs_are_looked_at() {
    let url = server().tcp_url("postgres");
    for (wish, works) in [
        ("any", true),
        ("read-write", true),
        ("primary", true),
        ("prefer-standby", true),
        ("read-only", false),
        ("standby", false),
    ] {
        let asked = endpoint(&format!("{url}?target_session_attrs={wish}"));
        assert_eq!(try_session(&asked).await.is_ok(), works, "{wish}");
    }
}

#[tokio::test]
async fn settings_of_role_and_database_do_not_reach_our_sessions() {
    let url = server().url("postgres");
    run(&url, "CREATE ROLE bent SUPERUSER LOGIN").await;
    for setting in [
        "search_path = 'pg_catalog'",
        "statement_timeout = '1ms'",
        "lock_timeout = '1ms'",
        "TimeZone = 'Asia/Tokyo'",
        "DateStyle = 'German'",
        "extra_float_digits = 0",
        "default_transaction_read_only = on",
        "bytea_output = 'escape'",
        "row_security = on",
        "idle_session_timeout = '2s'",
        "transaction_timeout = '1ms'",
    ] {
        run(&url, &format!("ALTER ROLE bent SET {setting}")).await;
    }
    let bent = endpoint(&url.replace("postgres@", "bent@"));
    let session = bent.session(Purpose::Build).await.unwrap();
    let sql = text(
        "SELECT current_setting('search_path'), now()::text LIKE '%+00', 1.1::float4::text, \
         '\\x01'::bytea::text, pg_sleep(0.05)::text, current_setting('transaction_read_only'), \
         current_setting('row_security'), current_setting('idle_session_timeout')",
    );
    let row = session.query_one(&sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "\"\"");
    assert!(row.get::<_, bool>(1));
    assert_eq!(row.get::<_, String>(2), "1.1");
    assert_eq!(row.get::<_, String>(3), "\\x01");
    assert_eq!(row.get::<_, String>(5), "off");
    assert_eq!(row.get::<_, String>(6), "off");
    assert_eq!(row.get::<_, String>(7), "0");
    let reading = bent.session(Purpose::Introspect).await.unwrap();
    let refused = reading
        .batch(&text("CREATE TABLE public.t ()"))
        .await
        .unwrap_err();
    assert_eq!(refused.sqlstate(), Some(SqlState::parse("25006")));
}

#[tokio::test]
async fn a_statement_is_cancelled_over_a_connection_of_its_own() {
    let session = endpoint(&server().tcp_url("postgres"))
        .session(Purpose::Control)
        .await
        .unwrap();
    let key = session.cancel_key().unwrap();
    let sleep = text("SELECT pg_sleep(60)");
    let sleeping = session.batch(&sleep);
    tokio::pin!(sleeping);
    let refused = loop {
        tokio::select! {
            done = &mut sleeping => break done.unwrap_err(),
            () = tokio::task::yield_now() => session.endpoint().cancel(&key).await.unwrap(),
        }
    };
    assert_eq!(refused.sqlstate(), Some(SqlState::QUERY_CANCELED));
}

#[tokio::test]
async fn a_canary_password_is_in_no_error() {
    let url = "postgresql://scram_user:canary@127.0.0.1";
    let texts = [
        format!("{url}:{}/postgres", server().port()),
        format!("{url}:{}/postgres?sslmode=require", server().port()),
        format!("{url}:x/postgres"),
        "postgresql://u:canary/rest@h/d".to_owned(),
        "postgresql://u:ab?canary=x@h/d".to_owned(),
        "host=h password=my canary=x".to_owned(),
        format!("{url}:5432/postgres?nonsense=canary"),
        format!("{url}:5432/postgres?password=canary2"),
        "host='x password=canary".to_owned(),
    ];
    for text in texts {
        let error = match Endpoint::parse(&text, &Environment::default()) {
            Err(error) => error,
            Ok(endpoint) => try_session(&endpoint).await.unwrap_err(),
        };
        let mut shown = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            shown.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn timeouts_of_the_role_do_not_end_an_exported_snapshot() {
    let cluster = Cluster::start(17).unwrap();
    let url = cluster.url("postgres");
    run(&url, "CREATE ROLE hasty SUPERUSER LOGIN").await;
    for setting in [
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "transaction_timeout",
    ] {
        run(&url, &format!("ALTER ROLE hasty SET {setting} = '100ms'")).await;
    }
    let hasty = endpoint(&url.replace("postgres@", "hasty@"));
    let mut connection = hasty.replication().await.unwrap();
    let name = seren_replicator::pg::SlotName::new("held").unwrap();
    let export = seren_replicator::wire::SlotSnapshot::Export;
    connection
        .create_logical_slot(&name, seren_replicator::wire::SlotKind::Temporary, export)
        .await
        .unwrap();
    let watcher = hasty.session(Purpose::Introspect).await.unwrap();
    watcher.batch(&text("SELECT pg_sleep(0.5)")).await.unwrap();
    connection.drop_slot(&name).await.unwrap();
}

#[tokio::test]
async fn an_address_of_version_6_is_dialled() {
    let cluster = Cluster::builder(17)
        .with_setting("listen_addresses", "::1")
        .with_hba_line("host all postgres ::1/128 trust")
        .start()
        .unwrap();
    let port = cluster.port();
    for text in [
        format!("postgresql://postgres@[::1]:{port}/postgres"),
        format!("hostaddr=::1 port={port} user=postgres dbname=postgres"),
    ] {
        assert_eq!(try_session(&endpoint(&text)).await.unwrap(), "postgres");
    }
}
