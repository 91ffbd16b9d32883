//! The connection string that a subscription of the target keeps: how the target's server reaches the source.
//!
//! It is built from the source's own connection string. The password of that text goes with it, and no other one: the
//! target stores it. Paths to files are those of this machine and mean nothing there. Keywords that the target's libpq
//! does not know would have it refuse the whole string.

use std::fmt;

use super::conninfo::{Parameters, parse_conninfo};
use super::host::{Address, Host};
use super::{Error, Secret};
use crate::pg::ServerVersion;

/// Keywords of files, of this program's own sessions, and of the password.
const NOT_HANDED_ON: [&str; 17] = [
    "application_name",
    "client_encoding",
    "dbname",
    "fallback_application_name",
    "host",
    "hostaddr",
    "passfile",
    "password",
    "port",
    "service",
    "servicefile",
    "sslcert",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslpassword",
    "user",
];

/// Keywords, and the major version whose libpq has brought them; all others are older than 12.
const NEW_KEYWORDS: [(&str, u32); 10] = [
    ("channel_binding", 13),
    ("gssdelegation", 17),
    ("load_balance_hosts", 16),
    ("max_protocol_version", 18),
    ("min_protocol_version", 18),
    ("require_auth", 16),
    ("ssl_max_protocol_version", 13),
    ("ssl_min_protocol_version", 13),
    ("sslnegotiation", 17),
    ("sslsni", 14),
];

/// What a connection string says of a server, for servers that are to reach it, too.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HandedOn {
    /// Its keywords, without the password.
    parameters: Parameters,
    /// The password of the text itself.
    password: Option<Secret>,
}

impl HandedOn {
    /// Takes what may be handed on; `given` are the keywords of the text, `all` also those of its service.
    pub(super) fn new(given: &Parameters, all: &Parameters) -> Self {
        let is_handed_on = |keyword: &str, value: &str| {
            let is_path = keyword == "sslrootcert" && value != "system";
            !NOT_HANDED_ON.contains(&keyword) && !is_path
        };
        let parameters = all
            .iter()
            .filter(|(keyword, value)| is_handed_on(keyword, value));
        Self {
            parameters: parameters
                .map(|(keyword, value)| (keyword.clone(), value.clone()))
                .collect(),
            password: given
                .get("password")
                .filter(|password| !password.is_empty())
                .map(Secret::new),
        }
    }

    /// The connection string for one database.
    pub(super) fn render(
        &self,
        hosts: &[Host],
        [user, database]: [&str; 2],
        target: ServerVersion,
    ) -> SubscriptionConninfo {
        let mut parameters = self.parameters.clone();
        parameters.retain(|keyword, _| is_known(keyword, target));
        let list = |part: fn(&Host) -> String| {
            let parts: Vec<String> = hosts.iter().map(part).collect();
            parts.join(",")
        };
        parameters.insert("host".to_owned(), list(host_name));
        let addresses = list(host_address);
        if addresses.chars().any(|part| part != ',') {
            parameters.insert("hostaddr".to_owned(), addresses);
        }
        parameters.insert("port".to_owned(), list(|host| host.port.to_string()));
        parameters.insert("user".to_owned(), user.to_owned());
        parameters.insert("dbname".to_owned(), database.to_owned());
        let secrets = Secrets {
            password: self.password.clone(),
            key_password: None,
        };
        SubscriptionConninfo::of(&parameters, &secrets)
    }
}

fn host_name(host: &Host) -> String {
    match &host.address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Unix(folder) => folder.display().to_string(),
    }
}

fn host_address(host: &Host) -> String {
    match &host.address {
        Address::Tcp {
            address: Some(address),
            ..
        } => address.to_string(),
        Address::Tcp { address: None, .. } | Address::Unix(_) => String::new(),
    }
}

/// Whether the libpq of a server of this version knows a keyword.
fn is_known(keyword: &str, target: ServerVersion) -> bool {
    let mut new = NEW_KEYWORDS.iter();
    let since = new.find(|(name, _)| *name == keyword);
    since.is_none_or(|(_, major)| target.major() >= *major)
}

/// The parts of a connection string that nobody may see.
#[derive(Clone, Default, PartialEq, Eq)]
struct Secrets {
    /// `password`.
    password: Option<Secret>,
    /// `sslpassword`.
    key_password: Option<Secret>,
}

impl Secrets {
    fn iter(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let both = [
            ("password", &self.password),
            ("sslpassword", &self.key_password),
        ];
        both.into_iter()
            .filter_map(|(keyword, secret)| Some((keyword, secret.as_ref()?)))
    }
}

/// A connection string for `CREATE SUBSCRIPTION`.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscriptionConninfo {
    text: Secret,
    has_password: bool,
    shown: String,
}

impl SubscriptionConninfo {
    fn of(parameters: &Parameters, secrets: &Secrets) -> Self {
        let quote = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
        let words = parameters
            .iter()
            .map(|(keyword, value)| format!("{keyword}='{}'", quote(value)));
        let shown = words.collect::<Vec<_>>().join(" ");
        let mut text = Secret::new(shown.as_str());
        for (keyword, secret) in secrets.iter() {
            let quoted = Secret::new(quote(secret.expose()));
            text = Secret::new(format!("{} {keyword}='{}'", text.expose(), quoted.expose()));
        }
        Self {
            text,
            has_password: secrets.iter().next().is_some(),
            shown,
        }
    }

    /// The text, for the one statement that sends it.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Whether it contains a password, which the target then stores.
    pub fn has_password(&self) -> bool {
        self.has_password
    }

    /// How the connection string that a subscription has differs from this one.
    pub fn compare(&self, current: &str) -> ConninfoDifference {
        let (Ok(now), Ok(wanted)) = (parse_conninfo(current), parse_conninfo(self.expose())) else {
            return ConninfoDifference::Other;
        };
        let without = |parameters: &Parameters| {
            let mut parameters = parameters.clone();
            parameters.remove("password");
            parameters.remove("sslpassword");
            parameters
        };
        match now.parameters == wanted.parameters {
            true => ConninfoDifference::Nothing,
            false if without(&now.parameters) == without(&wanted.parameters) => {
                ConninfoDifference::Password
            }
            false => ConninfoDifference::Other,
        }
    }

    /// Hosts and ports that it names.
    pub fn hosts(&self) -> Vec<(String, u16)> {
        let parsed = parse_conninfo(&self.shown).unwrap_or_default();
        let split = |keyword: &str| -> Vec<String> {
            let list = parsed.parameters.get(keyword);
            list.map(|list| list.split(',').map(str::to_owned).collect())
                .unwrap_or_default()
        };
        let ports = split("port");
        let port = |at: usize| {
            let port = ports.get(at).or(ports.first());
            port.and_then(|port| port.parse().ok()).unwrap_or(5432)
        };
        let hosts = split("host").into_iter().enumerate();
        hosts.map(|(at, host)| (host, port(at))).collect()
    }
}

/// How two connection strings differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConninfoDifference {
    /// Not at all.
    Nothing,
    /// In the password only.
    Password,
    /// Otherwise.
    Other,
}

/// Without the password.
impl fmt::Display for SubscriptionConninfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for SubscriptionConninfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscriptionConninfo({})", self.shown)
    }
}

/// Another way to the source, as the target's server sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscriptionSource {
    parameters: Parameters,
    secrets: Secrets,
}

impl fmt::Debug for SubscriptionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubscriptionSource")
    }
}

impl SubscriptionSource {
    /// Reads a URI or a `key=value` list. Its paths are those of the target's server.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parameters = parse_conninfo(text)?.parameters;
        let mut take = |keyword| parameters.remove(keyword).map(Secret::new);
        let secrets = Secrets {
            password: take("password"),
            key_password: take("sslpassword"),
        };
        Ok(Self {
            parameters,
            secrets,
        })
    }

    /// The connection string for one database of several, or for the only one.
    pub fn render(&self, database: &str, is_only: bool) -> SubscriptionConninfo {
        let mut parameters = self.parameters.clone();
        let is_given = parameters
            .get("dbname")
            .is_some_and(|name| !name.is_empty());
        if !(is_only && is_given) {
            parameters.insert("dbname".to_owned(), database.to_owned());
        }
        SubscriptionConninfo::of(&parameters, &self.secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::{Endpoint, Environment};

    fn rendered(url: &str, major: u32) -> SubscriptionConninfo {
        let environment = Environment {
            user: Some("me".to_owned()),
            password: Some(Secret::new("of-the-environment")),
            ..Environment::default()
        };
        let endpoint = Endpoint::parse(url, &environment).unwrap();
        endpoint.subscription_conninfo("app", ServerVersion::new(major * 10_000))
    }

    #[test]
    fn only_the_password_of_the_text_goes_with_it() {
        let without = rendered("postgres://h:5433/door", 17);
        assert!(!without.has_password());
        assert_eq!(
            without.expose(),
            "dbname='app' host='h' port='5433' user='me'"
        );
        let with = rendered("postgres://u:it%27s%5C@h/door?application_name=x", 17);
        assert!(with.has_password());
        assert_eq!(
            with.expose(),
            "dbname='app' host='h' port='5432' user='u' password='it\\'s\\\\'"
        );
        assert!(!format!("{with} {with:?}").contains("it"));
    }

    #[test]
    fn files_of_this_machine_and_unknown_keywords_stay_here() {
        let url = "postgres://h/d?sslmode=verify-full&sslrootcert=/a.crt&channel_binding=require&sslnegotiation=direct";
        let shown = |major| rendered(url, major).to_string();
        assert_eq!(
            shown(12),
            "dbname='app' host='h' port='5432' sslmode='verify-full' user='me'"
        );
        assert!(shown(16).contains("channel_binding") && !shown(16).contains("sslnegotiation"));
        assert!(shown(17).contains("sslnegotiation='direct'") && !shown(17).contains("a.crt"));
    }

    #[test]
    fn every_host_is_named_with_its_port() {
        let shown = rendered("postgres://a:1,b:2/d", 17);
        assert_eq!(shown.hosts(), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
        assert!(shown.to_string().contains("host='a,b' port='1,2'"));
    }

    #[test]
    fn a_changed_password_is_no_other_way() {
        let wanted = rendered("postgres://u:new@h/d", 17);
        for (current, expected) in [
            (wanted.expose(), ConninfoDifference::Nothing),
            (
                "host=h port=5432 user=u dbname=app password=old",
                ConninfoDifference::Password,
            ),
            (
                "host=h port=5432 user=u dbname=app",
                ConninfoDifference::Password,
            ),
            (
                "host=inside port=5432 user=u dbname=app password=new",
                ConninfoDifference::Other,
            ),
            ("nonsense", ConninfoDifference::Other),
        ] {
            assert_eq!(wanted.compare(current), expected, "{current}");
        }
    }

    #[test]
    fn another_way_is_taken_as_it_is() {
        let source = SubscriptionSource::parse(
            "host=inside sslrootcert=/target/ca.crt passfile=/target/pass dbname=door password=canary sslpassword=canary",
        )
        .unwrap();
        let of_several = source.render("app", false);
        assert_eq!(
            of_several.to_string(),
            "dbname='app' host='inside' passfile='/target/pass' sslrootcert='/target/ca.crt'"
        );
        assert!(of_several.has_password());
        assert!(
            source
                .render("app", true)
                .to_string()
                .contains("dbname='door'")
        );
        assert!(!format!("{source:?}{of_several:?}").contains("canary"));
    }
}
