//! How to authenticate, and why it may not succeed.

use std::fmt;
use std::io;

use super::frontend::EncodeError;

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

/// Why we do not continue. A wrong password is none of these: the server says so itself.
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
        /// What prevents it.
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
