//! Proving who we are, and letting the server prove the same: trust, cleartext, md5,
//! SCRAM-SHA-256 and, on TLS, SCRAM-SHA-256-PLUS ("SASL Authentication"). GSSAPI, SSPI and OAuth
//! are refused by name.
//!
//! [`Exchange`] is the conversation without its I/O. It lets a server in only after the steps
//! that the user demanded: an `AuthenticationOk` that comes early, before the server's signature
//! was checked or without the demanded channel binding, is an error, because a stranger in the
//! middle would send just that.

use std::fmt;
use std::io;

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    self, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};

use super::backend::AuthenticationRequest;
use super::frontend::{self, EncodeError};

/// The most SCRAM iterations we compute, as `postgres_protocol` has it: the count comes from a
/// server that has proven nothing yet. PostgreSQL's default is 4096.
pub const SCRAM_ITERATION_LIMIT: u32 = 100_000;

/// A way to authenticate, as `require_auth` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The server asks for nothing.
    None,
    /// The password in clear.
    Password,
    /// The password hashed by MD5.
    Md5,
    /// SCRAM-SHA-256, with or without channel binding.
    ScramSha256,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no authentication",
            Self::Password => "a cleartext password",
            Self::Md5 => "an MD5 password",
            Self::ScramSha256 => "SCRAM-SHA-256",
        })
    }
}

/// What the stream can bind an authentication to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// The stream is not encrypted by TLS.
    Plain,
    /// It is, by a certificate for which no binding is defined (Ed25519, Ed448).
    Unsupported,
    /// It is: the hash of the server's certificate (RFC 5929).
    TlsServerEndPoint(Vec<u8>),
}

/// What the user wants of channel binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelBindingPolicy {
    /// Not used.
    Disable,
    /// Used where both sides can.
    #[default]
    Prefer,
    /// No connection without it.
    Require,
}

/// Who we are and how far we go to show it.
#[derive(Clone)]
pub struct Authentication<'a> {
    /// The user.
    pub user: &'a str,
    /// The password, if there is one.
    pub password: Option<&'a str>,
    /// What the stream can be bound to.
    pub channel_binding: ChannelBinding,
    /// Whether that is wanted.
    pub policy: ChannelBindingPolicy,
    /// Whether the password may be sent as it is: over TLS, or to a socket of this machine.
    pub allow_cleartext: bool,
    /// The methods allowed by `require_auth`; all, if there is none.
    pub methods: Option<&'a [Method]>,
}

/// The password is not shown.
impl fmt::Debug for Authentication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication")
            .field("user", &self.user)
            .field("password", &self.password.map(|_| "***"))
            .field("policy", &self.policy)
            .field("allow_cleartext", &self.allow_cleartext)
            .field("methods", &self.methods)
            .finish_non_exhaustive()
    }
}

/// Why we do not go on. A wrong password is none of these: the server says so itself.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// A password is needed and none was given.
    #[error("the server asks for a password ({method}) and none was given")]
    NoPassword {
        /// For which method.
        method: Method,
    },
    /// `require_auth` does not allow what the server wants.
    #[error("the server asks for {method}, which require_auth does not allow")]
    MethodRefused {
        /// What it wants.
        method: Method,
    },
    /// The password would cross the network in clear.
    #[error("the server asks for the password in clear on a connection that is not encrypted")]
    CleartextRefused,
    /// A method that this program does not speak.
    #[error("the server asks for {method} authentication, which is not supported")]
    MethodUnsupported {
        /// The method.
        method: &'static str,
    },
    /// SASL mechanisms that this program does not speak, such as OAUTHBEARER.
    #[error("the server offers only the unsupported SASL mechanisms {}", offered.join(", "))]
    MechanismUnsupported {
        /// What it offers.
        offered: Vec<String>,
    },
    /// `channel_binding=require` cannot be kept.
    #[error("channel binding is required, but {reason}")]
    ChannelBindingRequired {
        /// What stands in the way.
        reason: &'static str,
    },
    /// Someone took the encryption away between the server and us.
    #[error("the server offers channel binding on a connection that is not encrypted")]
    ChannelBindingOnPlain,
    /// More work than a stranger may ask of us.
    #[error("the server asks for {count} SCRAM iterations; at most {limit} are supported")]
    TooManyIterations {
        /// Iterations asked for.
        count: u32,
        /// Iterations that we compute.
        limit: u32,
    },
    /// The server's SCRAM message is none, or answers someone else.
    #[error("the server's SCRAM message is invalid")]
    Scram(#[source] io::Error),
    /// The server does not know the password either.
    #[error("the server could not prove that it knows the password")]
    ServerSignature(#[source] io::Error),
    /// The server lets us in before it has proven anything.
    #[error("the server ended the SCRAM exchange without proving that it knows the password")]
    Unproven,
    /// A request that does not belong here.
    #[error("the server sent an authentication request out of order")]
    OutOfOrder,
    /// The password or the like cannot be put into a message.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// How far the conversation is.
enum State {
    /// Nothing was asked.
    Start,
    /// The password was sent.
    Answered,
    /// The SCRAM exchange has begun; the flag says whether it is bound to the channel.
    Scram(Box<ScramSha256>, bool),
    /// Our SCRAM proof was sent.
    Proven(Box<ScramSha256>, bool),
    /// The server's signature was checked.
    Verified(bool),
}

/// The conversation, without its I/O.
pub(super) struct Exchange<'a> {
    authentication: &'a Authentication<'a>,
    state: State,
}

impl<'a> Exchange<'a> {
    /// A conversation that has not begun.
    pub(super) const fn new(authentication: &'a Authentication<'a>) -> Self {
        Self {
            authentication,
            state: State::Start,
        }
    }

    /// Answers a request of the server into `out`; true when we are in.
    ///
    /// # Errors
    /// We cannot or do not want to do what the server asks.
    pub(super) fn answer(
        &mut self,
        request: &AuthenticationRequest<'_>,
        out: &mut BytesMut,
    ) -> Result<bool, AuthenticationError> {
        let state = std::mem::replace(&mut self.state, State::Answered);
        self.state = match (request, state) {
            (AuthenticationRequest::Ok, state) => return self.admitted(&state).map(|()| true),
            (AuthenticationRequest::Unsupported(method), _) => {
                return Err(AuthenticationError::MethodUnsupported { method });
            }
            (AuthenticationRequest::CleartextPassword, State::Start) => self.cleartext(out)?,
            (AuthenticationRequest::Md5Password(salt), State::Start) => self.md5(*salt, out)?,
            (AuthenticationRequest::Sasl(offered), State::Start) => self.sasl(offered, out)?,
            (AuthenticationRequest::SaslContinue(data), State::Scram(scram, bound)) => {
                proof(scram, bound, data, out)?
            }
            (AuthenticationRequest::SaslFinal(data), State::Proven(mut scram, bound)) => {
                scram
                    .finish(data)
                    .map_err(AuthenticationError::ServerSignature)?;
                State::Verified(bound)
            }
            _ => return Err(AuthenticationError::OutOfOrder),
        };
        Ok(false)
    }

    /// Whether the server may let us in now.
    fn admitted(&self, state: &State) -> Result<(), AuthenticationError> {
        let bound = match state {
            State::Start => {
                self.allow(Method::None)?;
                false
            }
            State::Answered => false,
            State::Scram(..) | State::Proven(..) => return Err(AuthenticationError::Unproven),
            State::Verified(bound) => *bound,
        };
        if self.authentication.policy == ChannelBindingPolicy::Require && !bound {
            let reason = "the server does not use it";
            return Err(AuthenticationError::ChannelBindingRequired { reason });
        }
        Ok(())
    }

    fn allow(&self, method: Method) -> Result<(), AuthenticationError> {
        match self.authentication.methods {
            Some(methods) if !methods.contains(&method) => {
                Err(AuthenticationError::MethodRefused { method })
            }
            _ => Ok(()),
        }
    }

    /// The password, if `method` may have it. An empty one counts as none, as in libpq.
    fn password_for(&self, method: Method) -> Result<&'a str, AuthenticationError> {
        self.allow(method)?;
        self.authentication
            .password
            .filter(|password| !password.is_empty())
            .ok_or(AuthenticationError::NoPassword { method })
    }

    /// Methods that bind nothing are refused before the password leaves the house.
    fn unbound(&self) -> Result<(), AuthenticationError> {
        if self.authentication.policy == ChannelBindingPolicy::Require {
            let reason = "the server asks for a password without SCRAM";
            return Err(AuthenticationError::ChannelBindingRequired { reason });
        }
        Ok(())
    }

    fn cleartext(&self, out: &mut BytesMut) -> Result<State, AuthenticationError> {
        self.unbound()?;
        self.allow(Method::Password)?;
        if !self.authentication.allow_cleartext {
            return Err(AuthenticationError::CleartextRefused);
        }
        let password = self.password_for(Method::Password)?;
        frontend::password(password.as_bytes(), out)?;
        Ok(State::Answered)
    }

    fn md5(&self, salt: [u8; 4], out: &mut BytesMut) -> Result<State, AuthenticationError> {
        self.unbound()?;
        let password = self.password_for(Method::Md5)?;
        let user = self.authentication.user.as_bytes();
        let hash = md5_hash(user, password.as_bytes(), salt);
        frontend::password(hash.as_bytes(), out)?;
        Ok(State::Answered)
    }

    fn sasl(&self, offered: &[&str], out: &mut BytesMut) -> Result<State, AuthenticationError> {
        let (mechanism, binding) = self.choose(offered)?;
        let password = self.password_for(Method::ScramSha256)?;
        let scram = ScramSha256::new(password.as_bytes(), binding);
        frontend::sasl_initial(mechanism, scram.message(), out)?;
        let bound = mechanism == SCRAM_SHA_256_PLUS;
        Ok(State::Scram(Box::new(scram), bound))
    }

    /// Picks the mechanism. The binding also tells the server what we could have done, so that
    /// it notices if somebody struck PLUS from its offer (RFC 5802, section 6).
    fn choose(
        &self,
        offered: &[&str],
    ) -> Result<(&'static str, sasl::ChannelBinding), AuthenticationError> {
        let plus_offered = offered.contains(&SCRAM_SHA_256_PLUS);
        let policy = self.authentication.policy;
        let usable = match &self.authentication.channel_binding {
            ChannelBinding::Plain if plus_offered => {
                return Err(AuthenticationError::ChannelBindingOnPlain);
            }
            ChannelBinding::TlsServerEndPoint(hash) if policy != ChannelBindingPolicy::Disable => {
                Some(hash)
            }
            ChannelBinding::TlsServerEndPoint(_)
            | ChannelBinding::Plain
            | ChannelBinding::Unsupported => None,
        };
        if let (Some(hash), true) = (usable, plus_offered) {
            let binding = sasl::ChannelBinding::tls_server_end_point(hash.clone());
            return Ok((SCRAM_SHA_256_PLUS, binding));
        }
        if policy == ChannelBindingPolicy::Require {
            let reason = self.why_unbound();
            return Err(AuthenticationError::ChannelBindingRequired { reason });
        }
        if !offered.contains(&SCRAM_SHA_256) {
            let offered = offered.iter().map(|&name| name.to_owned()).collect();
            return Err(AuthenticationError::MechanismUnsupported { offered });
        }
        let binding = if usable.is_some() {
            sasl::ChannelBinding::unrequested()
        } else {
            sasl::ChannelBinding::unsupported()
        };
        Ok((SCRAM_SHA_256, binding))
    }

    const fn why_unbound(&self) -> &'static str {
        match self.authentication.channel_binding {
            ChannelBinding::Plain => "the connection is not encrypted by TLS",
            ChannelBinding::Unsupported => "none is defined for the server's kind of certificate",
            ChannelBinding::TlsServerEndPoint(_) => "the server does not offer it",
        }
    }
}

/// Our proof, in answer to the server's salt.
fn proof(
    mut scram: Box<ScramSha256>,
    bound: bool,
    data: &[u8],
    out: &mut BytesMut,
) -> Result<State, AuthenticationError> {
    let limit = SCRAM_ITERATION_LIMIT;
    if let Some(count) = iterations(data).filter(|count| *count > limit) {
        return Err(AuthenticationError::TooManyIterations { count, limit });
    }
    scram.update(data).map_err(AuthenticationError::Scram)?;
    frontend::sasl_response(scram.message(), out)?;
    Ok(State::Proven(scram, bound))
}

/// The `i=` of the server's first message; saturates.
fn iterations(data: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(data).ok()?;
    let digits = text.split(',').find_map(|field| field.strip_prefix("i="))?;
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.parse().unwrap_or(u32::MAX))
}
