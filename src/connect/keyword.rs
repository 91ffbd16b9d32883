//! Every keyword that libpq of 12 to 18 knows, and what becomes of it here.
//!
//! Manual, "Parameter Key Words". A keyword is never dropped in silence. One that cannot be honoured is
//! refused where omitting it would change what the user asked for. Any other is ignored with a warning.

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It means what it means to libpq.
    Accepted,
    /// It has no effect, with the reason.
    Ignored(&'static str),
    /// It is an error, with the reason.
    Refused(&'static str),
}

use Treatment::{Accepted, Ignored, Refused};

const NO_GSS: &str = "GSSAPI is not supported";
const NO_OAUTH: &str = "OAuth is not supported";
const NO_SCRAM_KEYS: &str = "SCRAM keys are not supported; give a password";

const KEYWORDS: &[(&str, Treatment)] = &[
    ("application_name", Accepted),
    ("authtype", Ignored("it has had no effect for many years")),
    ("channel_binding", Accepted),
    (
        "client_encoding",
        Ignored("the program chooses its encoding itself"),
    ),
    ("connect_timeout", Accepted),
    ("dbname", Accepted),
    ("fallback_application_name", Accepted),
    ("gssdelegation", Ignored(NO_GSS)),
    ("gssencmode", Accepted),
    ("gsslib", Ignored(NO_GSS)),
    ("host", Accepted),
    ("hostaddr", Accepted),
    ("keepalives", Accepted),
    ("keepalives_count", Accepted),
    ("keepalives_idle", Accepted),
    ("keepalives_interval", Accepted),
    ("krbsrvname", Ignored(NO_GSS)),
    ("load_balance_hosts", Accepted),
    (
        "max_protocol_version",
        Ignored("the program speaks protocol 3.0"),
    ),
    ("min_protocol_version", Accepted),
    ("oauth_client_id", Refused(NO_OAUTH)),
    ("oauth_client_secret", Refused(NO_OAUTH)),
    ("oauth_issuer", Refused(NO_OAUTH)),
    ("oauth_scope", Refused(NO_OAUTH)),
    ("options", Accepted),
    ("passfile", Accepted),
    ("password", Accepted),
    ("port", Accepted),
    (
        "replication",
        Refused("the program opens its replication connections itself"),
    ),
    ("require_auth", Accepted),
    (
        "requirepeer",
        Refused("the owner of the server's process is not looked at; use TLS or file modes"),
    ),
    (
        "requiressl",
        Refused("write sslmode=require or sslmode=prefer"),
    ),
    ("scram_client_key", Refused(NO_SCRAM_KEYS)),
    ("scram_server_key", Refused(NO_SCRAM_KEYS)),
    ("service", Accepted),
    ("servicefile", Accepted),
    ("ssl_max_protocol_version", Accepted),
    ("ssl_min_protocol_version", Accepted),
    ("sslcert", Accepted),
    ("sslcertmode", Accepted),
    (
        "sslcompression",
        Ignored("compression within TLS is not safe and not offered"),
    ),
    ("sslcrl", Accepted),
    ("sslcrldir", Accepted),
    ("sslkey", Accepted),
    (
        "sslkeylogfile",
        Refused("session keys are not written to files"),
    ),
    ("sslmode", Accepted),
    ("sslnegotiation", Accepted),
    ("sslpassword", Accepted),
    ("sslrootcert", Accepted),
    ("sslsni", Accepted),
    ("target_session_attrs", Accepted),
    ("tcp_user_timeout", Accepted),
    ("tty", Ignored("it has had no effect for many years")),
    ("user", Accepted),
];

/// What becomes of a keyword; `None` if libpq does not know it either.
pub(super) fn keyword_treatment(keyword: &str) -> Option<Treatment> {
    let found = KEYWORDS.iter().find(|(name, _)| *name == keyword);
    found.map(|(_, treatment)| *treatment)
}

/// The accepted keyword that a wrong one was probably meant to be.
pub(super) fn nearest_keyword(wrong: &str) -> Option<&'static str> {
    // A third of the letters may be wrong, and two in a short word.
    let most = (wrong.chars().count() / 3).max(2);
    let accepted = KEYWORDS
        .iter()
        .filter(|(_, treatment)| *treatment == Accepted);
    let distances = accepted.map(|(name, _)| (strsim::levenshtein(wrong, name), *name));
    let (distance, name) = distances.min()?;
    (distance <= most).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_no_doubles() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_typing_mistake_finds_its_keyword() {
        assert_eq!(nearest_keyword("ssl_mode"), Some("sslmode"));
        assert_eq!(nearest_keyword("keepalive_idle"), Some("keepalives_idle"));
        assert_eq!(nearest_keyword("dbnam"), Some("dbname"));
        assert_eq!(nearest_keyword("foo"), None);
        assert_eq!(keyword_treatment("ssl_mode"), None);
    }
}
