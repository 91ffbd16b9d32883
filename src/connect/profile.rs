//! From keywords to what the dialer needs: every value is checked here, before any connection.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::conninfo::Parameters;
use super::conninfo_error::{ConninfoError, value_error};
use super::host::{Address, Host, SOCKET_FOLDERS, parse_host_list};
use super::passfile::Passfile;
use super::tls::{self, Root, SslMode};
use super::{Environment, Secret};
use crate::wire::{ChannelBindingPolicy, Method};

/// The database when none is named.
const DEFAULT_DATABASE: &str = "postgres";

/// How long a connection to one address may take by default: a packet lost on the way is sent again a
/// few times within it. The limit over all addresses and tries is in `attempt`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// `target_session_attrs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SessionKind {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// TCP keepalives, and how long sent data may stay unacknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keepalive {
    pub(super) on: bool,
    pub(super) idle: Duration,
    pub(super) interval: Duration,
    pub(super) count: Option<u32>,
    pub(super) user_timeout: Option<Duration>,
}

/// Where, as whom and how to connect.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) hosts: Vec<Host>,
    pub(super) shuffled: bool,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) password: Option<Secret>,
    pub(super) passfile: Passfile,
    pub(super) application_name: Option<String>,
    pub(super) options: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalive: Keepalive,
    pub(super) session_kind: SessionKind,
    pub(super) tls: tls::Settings,
    pub(super) channel_binding: ChannelBindingPolicy,
    pub(super) methods: Option<Vec<Method>>,
}

impl Profile {
    /// Checks all values. The password is `parameters`' own, else the environment's, else to be
    /// looked up in the password file.
    pub(super) fn new(
        parameters: &Parameters,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Self, ConninfoError> {
        let get = |keyword: &str| {
            parameters
                .get(keyword)
                .map(String::as_str)
                .filter(|value| !value.is_empty())
        };
        refuse_unsupported(parameters)?;
        let password = get("password")
            .map(Secret::new)
            .or_else(|| environment.password.clone());
        let user = get("user")
            .map(str::to_owned)
            .or_else(|| environment.user.clone());
        let user = user
            .ok_or_else(|| value_error("user", "none is given, and the system's is not known"))?;
        let (passfile, warning) = load_passfile(get("passfile"), environment);
        warnings.extend(warning.filter(|_| password.is_none()));
        let profile = Self {
            hosts: parse_host_list(get("host"), get("hostaddr"), get("port"))?,
            shuffled: parse_word(
                parameters,
                "load_balance_hosts",
                &[("disable", false), ("random", true)],
            )?
            .unwrap_or_default(),
            user,
            database: get("dbname").unwrap_or(DEFAULT_DATABASE).to_owned(),
            password,
            passfile,
            application_name: get("application_name").map(str::to_owned),
            options: get("options").map(str::to_owned),
            connect_timeout: connect_timeout(parameters)?,
            keepalive: keepalive_settings(parameters)?,
            session_kind: parse_word(parameters, "target_session_attrs", SESSION_KINDS)?
                .unwrap_or_default(),
            tls: tls_settings(parameters, environment)?,
            channel_binding: parse_word(parameters, "channel_binding", BINDINGS)?
                .unwrap_or_default(),
            methods: parse_methods(get("require_auth"))?,
        };
        profile.refuse_contradictions()?;
        Ok(profile)
    }

    fn refuse_contradictions(&self) -> Result<(), ConninfoError> {
        let contradiction = |problem: String| Err(ConninfoError::Contradiction { problem });
        let mode = self.tls.mode;
        if self.tls.root == Some(Root::System) && mode != SslMode::VerifyFull {
            let problem = format!("sslrootcert=system needs sslmode=verify-full, not {mode}");
            return contradiction(problem);
        }
        if self.tls.direct && mode < SslMode::Require {
            let problem =
                format!("sslnegotiation=direct needs sslmode=require or stronger, not {mode}");
            return contradiction(problem);
        }
        if self.channel_binding == ChannelBindingPolicy::Require && mode == SslMode::Disable {
            let problem = "channel_binding=require needs TLS, which sslmode=disable excludes";
            return contradiction(problem.to_owned());
        }
        if self
            .tls
            .min_version
            .zip(self.tls.max_version)
            .is_some_and(|(min, max)| min > max)
        {
            let problem = "ssl_min_protocol_version is above ssl_max_protocol_version";
            return contradiction(problem.to_owned());
        }
        Ok(())
    }

    /// The password for one of the hosts.
    pub(super) fn password_for(&self, host: &Host) -> Option<Secret> {
        let looked_up = || {
            let default = SOCKET_FOLDERS.map(PathBuf::from);
            let name = match &host.address {
                Address::Unix(folder) if default.contains(folder) => "localhost".to_owned(),
                Address::Unix(_) | Address::Tcp { .. } => host.name(),
            };
            self.passfile
                .password(&name, host.port, &self.database, &self.user)
        };
        self.password.clone().or_else(looked_up)
    }
}

/// Values of accepted keywords that ask for what there is not.
fn refuse_unsupported(parameters: &Parameters) -> Result<(), ConninfoError> {
    let get = |keyword: &str| parameters.get(keyword).map(String::as_str);
    if get("gssencmode") == Some("require") {
        return Err(value_error(
            "gssencmode",
            "GSSAPI encryption is not supported",
        ));
    }
    parse_word(parameters, "gssencmode", &[("disable", ()), ("prefer", ())])?;
    let modes = [("disable", ()), ("allow", ())];
    parse_word(parameters, "sslcertmode", &modes)?;
    if get("min_protocol_version").is_some_and(|version| !matches!(version, "" | "3.0")) {
        return Err(value_error(
            "min_protocol_version",
            "the program speaks protocol 3.0 only",
        ));
    }
    if get("sslcertmode") == Some("disable") && get("sslcert").is_some() {
        let problem = "sslcertmode=disable excludes sslcert".to_owned();
        return Err(ConninfoError::Contradiction { problem });
    }
    Ok(())
}

/// One of some words.
fn parse_word<T: Copy>(
    parameters: &Parameters,
    keyword: &'static str,
    words: &[(&str, T)],
) -> Result<Option<T>, ConninfoError> {
    let Some(given) = parameters.get(keyword).filter(|given| !given.is_empty()) else {
        return Ok(None);
    };
    let found = words
        .iter()
        .find(|(name, _)| name == given)
        .map(|(_, meaning)| *meaning);
    let allowed = || {
        words
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    found
        .map(Some)
        .ok_or_else(|| value_error(keyword, format!("{given:?} is none of {}", allowed())))
}

const SESSION_KINDS: &[(&str, SessionKind)] = &[
    ("any", SessionKind::Any),
    ("read-write", SessionKind::ReadWrite),
    ("read-only", SessionKind::ReadOnly),
    ("primary", SessionKind::Primary),
    ("standby", SessionKind::Standby),
    ("prefer-standby", SessionKind::PreferStandby),
];

const BINDINGS: &[(&str, ChannelBindingPolicy)] = &[
    ("disable", ChannelBindingPolicy::Disable),
    ("prefer", ChannelBindingPolicy::Prefer),
    ("require", ChannelBindingPolicy::Require),
];

const METHODS: &[(&str, Method)] = &[
    ("password", Method::Password),
    ("md5", Method::Md5),
    ("scram-sha-256", Method::ScramSha256),
    ("none", Method::None),
];

/// `require_auth`: methods that are allowed, or with `!` those that are not.
fn parse_methods(given: Option<&str>) -> Result<Option<Vec<Method>>, ConninfoError> {
    const KEYWORD: &str = "require_auth";
    let Some(given) = given else { return Ok(None) };
    let excludes = given.trim_start().starts_with('!');
    let mut named = Vec::new();
    for item in given.split(',').map(str::trim) {
        if item.starts_with('!') != excludes {
            return Err(value_error(
                KEYWORD,
                "methods with and without ! cannot be mixed",
            ));
        }
        let name = item.trim_start_matches('!');
        match METHODS.iter().find(|(known, _)| *known == name) {
            Some((_, method)) => named.push(*method),
            // Methods that are not spoken here are excluded in any case.
            None if matches!(name, "gss" | "sspi" | "oauth") => {}
            None => return Err(value_error(KEYWORD, format!("{name:?} is no method"))),
        }
    }
    let all = METHODS.iter().map(|(_, method)| *method);
    Ok(Some(if excludes {
        all.filter(|method| !named.contains(method)).collect()
    } else {
        named
    }))
}

/// A number of some unit.
fn parse_number(
    parameters: &Parameters,
    keyword: &'static str,
) -> Result<Option<i64>, ConninfoError> {
    let Some(given) = parameters.get(keyword).map(|given| given.trim()) else {
        return Ok(None);
    };
    if given.is_empty() {
        return Ok(None);
    }
    given
        .parse()
        .map(Some)
        .map_err(|_| value_error(keyword, format!("{given:?} is no whole number")))
}

/// Seconds; 0 and less mean no limit, and 1 counts as 2, as in libpq.
fn connect_timeout(parameters: &Parameters) -> Result<Option<Duration>, ConninfoError> {
    Ok(match parse_number(parameters, "connect_timeout")? {
        None => Some(CONNECT_TIMEOUT),
        Some(seconds) => u64::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Duration::from_secs(seconds.max(2))),
    })
}

fn keepalive_settings(parameters: &Parameters) -> Result<Keepalive, ConninfoError> {
    let positive = |keyword| {
        let found = parse_number(parameters, keyword)?;
        Ok::<_, ConninfoError>(found.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0))
    };
    let seconds = |keyword, default| {
        Ok::<_, ConninfoError>(Duration::from_secs(positive(keyword)?.unwrap_or(default)))
    };
    Ok(Keepalive {
        on: parse_number(parameters, "keepalives")?.unwrap_or(1) != 0,
        idle: seconds("keepalives_idle", 60)?,
        interval: seconds("keepalives_interval", 10)?,
        count: positive("keepalives_count")?.and_then(|count| u32::try_from(count).ok()),
        user_timeout: positive("tcp_user_timeout")?.map(Duration::from_millis),
    })
}

fn tls_settings(
    parameters: &Parameters,
    environment: &Environment,
) -> Result<tls::Settings, ConninfoError> {
    let get = |keyword: &str| {
        parameters
            .get(keyword)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    let path = |keyword: &str| get(keyword).map(PathBuf::from);
    let root = match get("sslrootcert") {
        Some("system") => Some(Root::System),
        Some(path) => Some(Root::File(PathBuf::from(path))),
        None => None,
    };
    // libpq: the system's roots make anything but full verification pointless.
    let default = if root == Some(Root::System) {
        SslMode::VerifyFull
    } else {
        SslMode::default()
    };
    Ok(tls::Settings {
        mode: parse_with(get("sslmode"), "sslmode")?.unwrap_or(default),
        root,
        certificate: path("sslcert"),
        key: path("sslkey"),
        key_password: get("sslpassword").map(Secret::new),
        crl: path("sslcrl"),
        crl_dir: path("sslcrldir"),
        sni: parse_word(parameters, "sslsni", &[("0", false), ("1", true)])?.unwrap_or(true),
        min_version: parse_with(get("ssl_min_protocol_version"), "ssl_min_protocol_version")?,
        max_version: parse_with(get("ssl_max_protocol_version"), "ssl_max_protocol_version")?,
        direct: parse_word(
            parameters,
            "sslnegotiation",
            &[("postgres", false), ("direct", true)],
        )?
        .unwrap_or_default(),
        home: environment
            .home
            .clone()
            .filter(|_| get("sslcertmode") != Some("disable")),
    })
}

fn parse_with<T: FromStr<Err = tls::UnknownWord>>(
    given: Option<&str>,
    keyword: &'static str,
) -> Result<Option<T>, ConninfoError> {
    let parse = |given: &str| {
        given
            .parse()
            .map_err(|error: tls::UnknownWord| value_error(keyword, error.to_string()))
    };
    given.map(parse).transpose()
}

fn load_passfile(named: Option<&str>, environment: &Environment) -> (Passfile, Option<String>) {
    let home = || environment.home.as_ref().map(|home| home.join(".pgpass"));
    let path = named
        .map(PathBuf::from)
        .or_else(|| environment.passfile.clone())
        .or_else(home);
    path.map_or_else(Default::default, |path| Passfile::read(&path))
}
