//! Where, as whom and how to connect.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::attempt::{self, Attempts, Rules, Supervisor};
use super::dial::{Dialer, Pinned};
use super::profile::Profile;
use super::subscription::{HandedOn, SubscriptionConninfo};
use super::{Environment, Error, Purpose, ToastCompression, conninfo, journal, service, settings};
use crate::event::Events;
use crate::pg::{Printable, ServerVersion, Sql};
use crate::sql;
use crate::task::Scope;
use crate::wire::{self, CancelKey, Connection, Idle};

/// How long a step waits for locks of other sessions unless the user says otherwise.
const LOCK_LIMIT: Duration = Duration::from_secs(600);

/// How long a cancel request may take to be delivered. Whoever stops is gone within 5 s.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

/// Where, as whom and how to connect; checked, but not connected. Cheap to clone; all clones use the
/// same host of a list.
#[derive(Clone)]
pub struct Endpoint {
    profile: Arc<Profile>,
    pinned: Arc<Pinned>,
    warnings: Arc<[String]>,
    toast: ToastCompression,
    /// How long a step may wait for locks.
    lock_limit: Duration,
    /// Whether it does so in short waits.
    waits_shortly: bool,
    /// The server's processes that serve us, or did.
    processes: Arc<Mutex<BTreeSet<i32>>>,
    supervisor: Arc<Supervisor>,
    /// That no transaction pooler is in between.
    pub(super) proved: Arc<OnceCell<()>>,
    /// What servers that are to reach it are given.
    handed_on: Arc<HandedOn>,
    has_journal: bool,
    /// Whether it connects in spite of a stop.
    ignores_stop: bool,
}

impl Endpoint {
    /// Parses a URI or a `key=value` list, and resolves service and password file.
    ///
    /// # Errors
    /// A parameter is unknown, malformed, not supported, or contradicts another.
    pub fn parse(text: &str, environment: &Environment) -> Result<Self, Error> {
        let mut parsed = conninfo::parse_conninfo(text)?;
        let given = parsed.parameters.clone();
        let service = parsed
            .parameters
            .get("service")
            .cloned()
            .filter(|name| !name.is_empty());
        if let Some(name) = service {
            let file = parsed.parameters.get("servicefile").map(Path::new);
            let found = service::load_service(&name, file, environment).map_err(Box::new)?;
            parsed.warnings.extend(found.warnings);
            for (keyword, value) in found.parameters {
                parsed.parameters.entry(keyword).or_insert(value);
            }
        }
        let profile = Profile::new(&parsed.parameters, environment, &mut parsed.warnings)?;
        Ok(Self {
            profile: Arc::new(profile),
            pinned: Arc::default(),
            warnings: parsed.warnings.into(),
            toast: ToastCompression::default(),
            lock_limit: LOCK_LIMIT,
            waits_shortly: false,
            processes: Arc::default(),
            supervisor: Arc::new(Supervisor::new(Scope::detached())),
            proved: Arc::default(),
            handed_on: Arc::new(HandedOn::new(&given, &parsed.parameters)),
            has_journal: false,
            ignores_stop: false,
        })
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        let mut profile = Profile::clone(&self.profile);
        database.clone_into(&mut profile.database);
        Self {
            profile: Arc::new(profile),
            ..self.clone()
        }
    }

    /// The same place, under a name in the server's activity view unless the text gave one.
    #[must_use]
    pub fn with_application_name(self, name: &str) -> Self {
        let mut profile = Profile::clone(&self.profile);
        profile
            .application_name
            .get_or_insert_with(|| name.to_owned());
        Self {
            profile: Arc::new(profile),
            ..self
        }
    }

    /// The same place, where sessions that write rows compress large values so.
    #[must_use]
    pub fn with_toast_compression(self, toast: ToastCompression) -> Self {
        Self { toast, ..self }
    }

    /// The same place, where a step waits for locks or transactions of other sessions no longer than this.
    #[must_use]
    pub fn with_lock_limit(self, lock_limit: Duration) -> Self {
        Self { lock_limit, ..self }
    }

    /// The same place, where no session waits for a lock longer than a fraction of the server's
    /// `deadlock_timeout`: whoever waits tries again.
    #[must_use]
    pub fn with_short_lock_waits(self) -> Self {
        Self {
            waits_shortly: true,
            ..self
        }
    }

    /// The same place, where a stop of the scope also ends attempts to connect, which are reported to it.
    #[must_use]
    pub fn within(self, scope: &Scope) -> Self {
        Self {
            supervisor: Arc::new(Supervisor::new(scope.clone())),
            ..self
        }
    }

    /// The same place, whose database has a journal of our transactions.
    #[must_use]
    pub fn with_journal(self) -> Self {
        Self {
            has_journal: true,
            ..self
        }
    }

    /// How long a step may wait for locks or transactions of other sessions.
    pub fn lock_limit(&self) -> Duration {
        self.lock_limit
    }

    /// The server's processes that serve sessions of this endpoint and of its clones, or did.
    pub fn processes(&self) -> Vec<i32> {
        let known = self
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.iter().copied().collect()
    }

    /// Notes the server's own number of a process: a pooler gives its clients others.
    pub fn note_process(&self, pid: i32) {
        let mut known = self
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(pid);
    }

    /// The same place, where a stop does not end attempts to connect: what was created is removed then, and
    /// what is almost done is finished.
    #[must_use]
    pub fn despite_stop(&self) -> Self {
        Self {
            ignores_stop: true,
            ..self.clone()
        }
    }

    /// What ends a transaction that writes: the commit, behind an entry in the journal if there is one.
    /// A failed transaction does not reach the commit then.
    pub fn commit(&self) -> Sql {
        let commit = Sql::fixed("COMMIT");
        if self.has_journal {
            sql!("{}; {}", journal::render_entry(), commit)
        } else {
            commit
        }
    }

    /// What listens to the command that connects.
    pub fn events(&self) -> &Events {
        self.supervisor.events()
    }

    /// The connection string by which a target of this version reaches a database of this server.
    pub fn subscription_conninfo(
        &self,
        database: &str,
        target: ServerVersion,
    ) -> SubscriptionConninfo {
        let names = [self.user(), database];
        self.handed_on.render(&self.profile.hosts, names, target)
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.profile.database
    }

    /// The role's name.
    pub fn user(&self) -> &str {
        &self.profile.user
    }

    /// What the user should know of the text: parameters without effect, an unsafe password file.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Opens a wire connection.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn wire(&self, purpose: Purpose) -> Result<Connection<Idle>, Error> {
        // On the heap, as the dialling itself: callers' futures stay small.
        let attempt = |attempts| self.open_prepared(purpose, attempts);
        Box::pin(self.supervised(attempt)).await
    }

    /// Obeys the stop and the limit of [`attempt`].
    pub(super) async fn supervised<T, F>(
        &self,
        attempt: impl FnOnce(Attempts) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let hosts = self.profile.hosts.len();
        let attempts = Attempts::default();
        let rules = Rules {
            place: self.place(),
            limit: attempt::overall_limit(self.profile.connect_timeout, hosts),
            ignores_stop: self.ignores_stop,
            attempts: attempts.clone(),
        };
        let attempt = Box::pin(attempt(attempts));
        self.supervisor.supervise(rules, attempt).await
    }

    /// A connection with the settings of its purpose.
    async fn open_prepared(
        &self,
        purpose: Purpose,
        attempts: Attempts,
    ) -> Result<Connection<Idle>, Error> {
        let connection = self.dial(&[], attempts).await?;
        let version = connection
            .server_version()
            .map_err(|source| self.settings_error(source))?;
        let mut settings = settings::purpose_settings(purpose, version, self.toast);
        if self.waits_shortly {
            settings.push(&settings::short_lock_waits());
        }
        if connection.parameter("server_encoding") == Some("SQL_ASCII") {
            // Bytes of no known encoding pass as they are.
            settings.push(&Sql::fixed("; SET client_encoding = 'SQL_ASCII'"));
        }
        self.apply_settings(connection, &settings).await
    }

    async fn apply_settings(
        &self,
        mut connection: Connection<Idle>,
        settings: &Sql,
    ) -> Result<Connection<Idle>, Error> {
        match connection.execute(settings).await {
            Ok(()) => Ok(connection),
            Err(source) => Err(self.settings_error(source)),
        }
    }

    pub(super) fn settings_error(&self, source: wire::Error) -> Error {
        Error::Settings {
            place: self.to_string(),
            source,
        }
    }

    /// Hosts and ports: those that may serve, or the one that does.
    pub fn place(&self) -> String {
        let hosts: Vec<String> = match self.pinned.get() {
            Some(at) => vec![self.profile.hosts[*at].to_string()],
            None => self.profile.hosts.iter().map(ToString::to_string).collect(),
        };
        hosts.join(",")
    }

    fn dialer<'a>(
        &'a self,
        parameters: &'a [(&'a str, &'a str)],
        attempts: &'a Attempts,
    ) -> Dialer<'a> {
        Dialer {
            profile: &self.profile,
            pinned: &self.pinned,
            parameters,
            attempts,
        }
    }

    /// Dials with more start-up parameters. Its state is large and on the heap, so that callers' futures stay
    /// small.
    pub(super) async fn dial(
        &self,
        parameters: &[(&str, &str)],
        attempts: Attempts,
    ) -> Result<Connection<Idle>, Error> {
        let dialled = Box::pin(self.dialer(parameters, &attempts).connect()).await;
        if let Some(key) = dialled.as_ref().ok().and_then(Connection::cancel_key) {
            self.note_process(key.process_id);
        }
        dialled
    }

    /// Opens a connection for replication commands, free of timeouts. After a slot's creation nothing
    /// may be sent on it: a statement would end the snapshot that the creation exports.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn replication(&self) -> Result<Connection<Idle>, Error> {
        let connecting = |attempts| async move {
            let parameters = [("replication", "database")];
            let connection = self.dial(&parameters, attempts).await?;
            let settings = settings::replication_settings();
            self.apply_settings(connection, &settings).await
        };
        Box::pin(self.supervised(connecting)).await
    }

    /// Asks the server to cancel what a session of ours runs, as far as it can be reached. Without the request
    /// the server would notice a closed connection only when it next sends something.
    pub async fn request_cancel(&self, key: Option<CancelKey>) {
        // On the heap, as the dialling itself: callers' futures stay small.
        if let Some(key) = key
            && let Err(error) = Box::pin(self.cancel(&key)).await
        {
            tracing::warn!(%error, "a cancel request did not reach the server: what it runs may continue there");
        }
    }

    /// Asks the server to cancel what another session does. It has two seconds for it: a host that
    /// answers nothing is not waited for.
    ///
    /// # Errors
    /// The request could not be delivered.
    pub async fn cancel(&self, key: &CancelKey) -> Result<(), Error> {
        let deliver = async {
            let attempts = Attempts::default();
            let stream = self.dialer(&[], &attempts).open_for_cancel().await?;
            wire::send_cancel_request(stream, *key)
                .await
                .map_err(Error::Cancel)
        };
        let delivered = tokio::time::timeout(CANCEL_TIMEOUT, deliver).await;
        delivered.unwrap_or_else(|_| {
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(Error::Cancel(wire::Error::Lost(late)))
        })
    }
}

/// Hosts, ports and database; never a secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place(), Printable(self.database()))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::ConninfoError;

    fn environment() -> Environment {
        Environment {
            user: Some("me".to_owned()),
            ..Environment::default()
        }
    }

    fn parse(text: &str) -> Result<Endpoint, Error> {
        Endpoint::parse(text, &environment())
    }

    #[test]
    fn defaults_are_the_manuals_but_for_the_database() {
        let endpoint = parse("postgresql://h").unwrap();
        assert_eq!((endpoint.user(), endpoint.database()), ("me", "postgres"));
        assert_eq!(endpoint.to_string(), "h:5432/postgres");
    }

    #[test]
    fn contradictions_are_refused() {
        for text in [
            "postgres://h/d?sslrootcert=system&sslmode=require",
            "postgres://h/d?sslnegotiation=direct",
            "postgres://h/d?channel_binding=require&sslmode=disable",
            "postgres://h/d?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "postgres://a,b,c/d?port=1,2",
            "postgres://a,b/d?hostaddr=127.0.0.1",
            "postgres://h/d?sslcertmode=disable&sslcert=x",
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                matches!(error, Error::Conninfo(ConninfoError::Contradiction { .. })),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn bad_values_are_named_with_their_keyword() {
        for (text, keyword) in [
            ("postgres://h/d?sslmode=on", "sslmode"),
            ("postgres://h:0/d", "port"),
            ("postgres://h/d?connect_timeout=soon", "connect_timeout"),
            (
                "postgres://h/d?target_session_attrs=best",
                "target_session_attrs",
            ),
            ("postgres://h/d?hostaddr=h", "hostaddr"),
            ("postgres://h/d?require_auth=md5,!none", "require_auth"),
            ("postgres://h/d?gssencmode=require", "gssencmode"),
        ] {
            let error = parse(text).unwrap_err();
            let Error::Conninfo(ConninfoError::Value { keyword: named, .. }) = error else {
                panic!("{text}: {error}");
            };
            assert_eq!(named, keyword);
        }
    }

    #[test]
    fn a_password_is_in_no_output() {
        let endpoint = parse("postgres://u:canary@h/d?sslpassword=canary").unwrap();
        let shown = format!("{endpoint} {endpoint:?} {:?}", endpoint.profile);
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn the_urls_own_values_win_over_the_services() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services");
        std::fs::write(&file, "[s]\nhost=service\nuser=other\ndbname=d\n").unwrap();
        let environment = Environment {
            service_file: Some(file),
            ..environment()
        };
        let endpoint = Endpoint::parse("postgres://u@/?service=s", &environment).unwrap();
        assert_eq!(endpoint.user(), "u");
        assert_eq!(endpoint.to_string(), "service:5432/d");
    }
}
