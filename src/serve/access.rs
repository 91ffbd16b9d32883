//! Who may read: clients of this machine, or those with the token.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;

use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::Error;
use crate::connect::Secret;

/// The shortest token: with fewer characters it could be guessed.
const LEAST_TOKEN: usize = 16;

/// The name of the cookie.
const COOKIE_NAME: &str = "seren_status";

/// A digest of a secret. Its length does not depend on that of the secret.
type SecretDigest = [u8; 32];

/// What a client must send.
#[derive(Debug)]
pub(super) struct Access {
    /// The names by which clients may call the server; any if this is empty.
    hosts: Vec<String>,
    token: Option<Token>,
}

/// The token, as it is compared.
struct Token {
    token: SecretDigest,
    /// The value of the cookie: it does not reveal the token, and ends with the process.
    session: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Access {
    /// Decides what protects an address.
    ///
    /// # Errors
    /// Nothing does, or the token is too short.
    pub(super) fn new(address: SocketAddr, token: Option<&Secret>) -> Result<Self, Error> {
        let is_loopback = address.ip().to_canonical().is_loopback();
        if token.is_some_and(|token| token.expose().len() < LEAST_TOKEN) {
            return Err(Error::ShortToken { least: LEAST_TOKEN });
        }
        match token {
            None if !is_loopback => Err(Error::NoToken { address }),
            token => Ok(Self {
                hosts: if is_loopback {
                    hosts(address)
                } else {
                    Vec::new()
                },
                token: token.map(Token::new),
            }),
        }
    }

    /// Whether the client calls the server by a name of this machine. A browser sends the name of a web site that was
    /// bound to the address of this machine.
    pub(super) fn accepts_host(&self, headers: &HeaderMap) -> bool {
        if self.hosts.is_empty() {
            return true;
        }
        let Some(host) = single(headers, &HOST) else {
            return false;
        };
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// Whether a token is set.
    pub(super) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether the client has sent the token, or the cookie that follows from it.
    pub(super) fn permits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let bearer = single(headers, &AUTHORIZATION).and_then(bearer);
        let cookies = headers.get_all(COOKIE).iter();
        let mut cookies = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'));
        bearer.is_some_and(|offered| token.is(offered))
            || cookies.any(|cookie| token.is_session(cookie))
    }

    /// Whether the client has sent something that is not the token: it may be guessing.
    pub(super) fn is_guess(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(AUTHORIZATION) && !self.permits(headers)
    }

    /// Returns the cookie of a client that has entered the token.
    pub(super) fn cookie(&self, offered: &str) -> Option<String> {
        let token = self.token.as_ref().filter(|token| token.is(offered))?;
        let session = &token.session;
        Some(format!(
            "{COOKIE_NAME}={session}; Path=/; HttpOnly; SameSite=Strict"
        ))
    }
}

impl Token {
    fn new(token: &Secret) -> Self {
        let salt = RandomState::new().build_hasher().finish();
        let session = Sha256::new()
            .chain_update(salt.to_be_bytes())
            .chain_update(token.expose());
        let session = session.finalize();
        Self {
            token: digest(token.expose()),
            session: session.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Compares in constant time: how long it takes does not depend on where the first difference is.
    fn is(&self, offered: &str) -> bool {
        self.token.ct_eq(&digest(offered)).into()
    }

    fn is_session(&self, cookie: &str) -> bool {
        let value = cookie.trim().strip_prefix(COOKIE_NAME);
        let value = value.and_then(|rest| rest.strip_prefix('='));
        value.is_some_and(|value| digest(&self.session).ct_eq(&digest(value)).into())
    }
}

fn digest(text: &str) -> SecretDigest {
    Sha256::digest(text).into()
}

/// The names of a server on a loopback address.
fn hosts(address: SocketAddr) -> Vec<String> {
    let names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
    let own = SocketAddr::new(address.ip(), 0).to_string();
    let own = own.trim_end_matches(":0").to_owned();
    let names = names.into_iter().chain([own]);
    let port = address.port();
    // A browser omits the usual port.
    let names = names.flat_map(|name| {
        let short = (port == 80).then(|| name.clone());
        short.into_iter().chain([format!("{name}:{port}")])
    });
    names.collect()
}

/// The value of a header that occurs once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The token of `Bearer …`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("Bearer");
    is_bearer.then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn access(address: &str, token: Option<&str>) -> Result<Access, Error> {
        let token = token.map(Secret::new);
        Access::new(address.parse().unwrap(), token.as_ref())
    }

    fn headers(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn an_address_that_others_reach_requires_a_token() {
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
            assert!(matches!(access(address, None), Err(Error::NoToken { .. })));
            assert!(access(address, Some(TOKEN)).is_ok());
            let short = access(address, Some("short"));
            assert!(matches!(short, Err(Error::ShortToken { .. })));
        }
        for address in [
            "127.0.0.1:1",
            "127.0.0.2:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(access(address, None).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_server_of_this_machine_is_called_by_a_name_of_this_machine() {
        let access = access("127.0.0.1:8080", None).unwrap();
        let accepts = |host: &str| access.accepts_host(&headers(&[(HOST, host)]));
        for host in [
            "localhost:8080",
            "LocalHost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
        ] {
            assert!(accepts(host), "{host}");
        }
        for host in [
            "localhost",
            "localhost:80",
            "evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "localhost:8080.evil.example",
            "",
        ] {
            assert!(!accepts(host), "{host}");
        }
        assert!(!access.accepts_host(&HeaderMap::new()));
        let two = headers(&[(HOST, "localhost:8080"), (HOST, "localhost:8080")]);
        assert!(!access.accepts_host(&two));
    }

    #[test]
    fn the_usual_port_may_be_omitted() {
        let access = access("[::1]:80", None).unwrap();
        for host in ["localhost", "[::1]", "[::1]:80"] {
            assert!(access.accepts_host(&headers(&[(HOST, host)])), "{host}");
        }
    }

    #[test]
    fn the_token_or_its_cookie_is_required() {
        let access = access("0.0.0.0:1", Some(TOKEN)).unwrap();
        let permits = |pairs: &[(HeaderName, &str)]| access.permits(&headers(pairs));
        assert!(access.accepts_host(&headers(&[(HOST, "db.example.com")])));
        assert!(!permits(&[]));
        assert!(permits(&[(AUTHORIZATION, "Bearer 0123456789abcdef")]));
        for wrong in [
            "Bearer 0123456789abcdeF",
            "Bearer",
            "Bearer ",
            "Basic 0123456789abcdef",
            TOKEN,
        ] {
            assert!(!permits(&[(AUTHORIZATION, wrong)]), "{wrong}");
            assert!(access.is_guess(&headers(&[(AUTHORIZATION, wrong)])));
        }
        assert_eq!(access.cookie("other"), None);
        let cookie = access.cookie(TOKEN).unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"));
        assert!(!cookie.contains(TOKEN));
        let pair = cookie.split(';').next().unwrap();
        assert!(permits(&[(COOKIE, pair)]));
        assert!(permits(&[(COOKIE, &format!("a=b; {pair}"))]));
        assert!(!permits(&[(COOKIE, &format!("{pair}0"))]));
        assert!(!permits(&[(COOKIE, "seren_status=0123456789abcdef")]));
    }

    #[test]
    fn nothing_shows_the_token() {
        let access = access("0.0.0.0:1", Some(TOKEN)).unwrap();
        assert!(!format!("{access:?}").contains("0123"));
    }
}
