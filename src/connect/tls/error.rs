use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::settings::{SslMode, TlsVersion};

/// A moment, shown in UTC: that of a certificate, or of our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(Duration);

impl Moment {
    /// A moment so long after 1970.
    pub const fn since_1970(duration: Duration) -> Self {
        Self(duration)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_second(seconds) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{seconds} seconds after 1970"),
        }
    }
}

/// Why the server's certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its time is over.
    #[error("the server's certificate expired at {not_after}")]
    Expired {
        /// The end of its time.
        not_after: Moment,
    },
    /// Its time has not come, or our clock is wrong.
    #[error("the server's certificate is valid from {not_before} on, and it is {now} here")]
    NotYetValid {
        /// The beginning of its time.
        not_before: Moment,
        /// Our clock.
        now: Moment,
    },
    /// No root that we trust has issued it.
    #[error("the server's certificate was issued by \"{issuer}\", which {roots} does not trust")]
    UnknownIssuer {
        /// The certificate's issuer.
        issuer: String,
        /// Whom we trust.
        roots: String,
    },
    /// The root that has issued it has expired.
    #[error("the root certificate in {roots} that issued the server's expired at {not_after}")]
    RootExpired {
        /// Whom we trust.
        roots: String,
        /// The end of the root's time.
        not_after: Moment,
    },
    /// It is issued to others.
    #[error("the server's certificate is for {}, not for \"{host}\"", shown_list(.names))]
    NameMismatch {
        /// The host that we called.
        host: String,
        /// The names in the certificate.
        names: Vec<String>,
    },
    /// Its issuer took it back.
    #[error("the server's certificate is revoked")]
    Revoked,
    /// Lists of revoked certificates are in force, and none is its issuer's.
    #[error("no list of revoked certificates is from an issuer of the server's certificate")]
    RevocationUnknown,
    /// The issuer's list of revoked certificates is out of date.
    #[error("the list of revoked certificates is out of date since {next_update}")]
    RevocationListExpired {
        /// When a newer one was due.
        next_update: Moment,
    },
    /// A list of revoked certificates is not signed by who it claims.
    #[error("the list of revoked certificates is not signed by the issuer it names")]
    RevocationListUntrusted,
    /// An RSA key that is too short to be trusted.
    #[error(
        "an RSA key of {bits} bits in the server's certificates is not supported; 2048 is the least"
    )]
    WeakKey {
        /// Its length.
        bits: u32,
    },
    /// A signature that can be forged, or that we do not know.
    #[error("the server's certificate is signed by {algorithm}, which is not supported")]
    UnsupportedSignature {
        /// The algorithm.
        algorithm: String,
    },
    /// The server does not have the certificate's key.
    #[error("the server's handshake is not signed by its certificate's key")]
    BadSignature,
    /// It is for something else than a server.
    #[error("the server's certificate is not for the use by a server")]
    Purpose,
    /// Not a certificate, or none that we can read.
    #[error("the server's certificate cannot be read")]
    Malformed,
    /// Anything else that the verifier finds.
    #[error("the server's certificate is not valid: {reason}")]
    Other {
        /// The verifier's words.
        reason: String,
    },
}

fn shown_list(names: &[String]) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

impl Refusal {
    /// What may help.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "renew the server's certificate and reload the server",
            Self::NotYetValid { .. } => "compare the clocks of this machine and of the server",
            Self::RootExpired { .. } => "give the authority's new certificate as sslrootcert",
            Self::UnknownIssuer { .. } => {
                "give the file with the certificate of the server's authority as sslrootcert"
            }
            Self::NameMismatch { .. } => {
                "connect by a name in the certificate (hostaddr may give the address), or use \
                 sslmode=verify-ca"
            }
            Self::Revoked => "have a new certificate issued for the server",
            Self::RevocationUnknown => {
                "add the lists of all issuers up to the root to sslcrl or sslcrldir"
            }
            Self::RevocationListExpired { .. } => "fetch the issuer's newest list",
            Self::RevocationListUntrusted => "fetch the list from the issuer again",
            Self::WeakKey { .. } => {
                "issue a certificate for the server with an RSA key of 2048 bits or more, or with an \
                 EC key"
            }
            Self::UnsupportedSignature { .. } => {
                "have the server's certificate signed again with SHA-256"
            }
            Self::BadSignature => {
                "somebody may be listening in: compare the server's certificate with the one \
                 presented here"
            }
            Self::Purpose => "have a certificate with the extended key usage serverAuth issued",
            Self::Malformed | Self::Other { .. } => {
                "look at the server's certificate with: openssl x509 -text -noout -in server.crt"
            }
        }
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mode verifies, and there is nothing to verify by.
    #[error("sslmode={mode} needs a root certificate, and there is no file {}", shown_text(.path.as_ref()))]
    MissingRoot {
        /// The mode.
        mode: SslMode,
        /// Where the file would be; nowhere without a home folder.
        path: Option<PathBuf>,
    },
    /// `sslrootcert=system` where the operating system has none.
    #[error("the operating system has no root certificates for sslrootcert=system")]
    NoSystemRoots,
    /// A file that was named cannot be read.
    #[error("read {parameter} {}", .path.display())]
    Unreadable {
        /// The connection parameter.
        parameter: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds nothing of what it should, or something broken.
    #[error("{parameter} {} holds no usable {content}", .path.display())]
    Unusable {
        /// The connection parameter.
        parameter: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        content: &'static str,
    },
    /// A certificate of ours has no key.
    #[error("there is a client certificate {}, but no key {}", .certificate.display(), shown_text(.key.as_ref()))]
    MissingKey {
        /// The certificate.
        certificate: PathBuf,
        /// Where the key would be.
        key: Option<PathBuf>,
    },
    /// Others can read our key.
    #[error("the key {} can be read by others", .path.display())]
    KeyPermissions {
        /// The key.
        path: PathBuf,
    },
    /// Our key is encrypted.
    #[error("the key {} is encrypted and there is no sslpassword", .path.display())]
    KeyPasswordMissing {
        /// The key.
        path: PathBuf,
    },
    /// Our key is encrypted, with another password.
    #[error("the key {} cannot be decrypted with sslpassword", .path.display())]
    KeyPassword {
        /// The key.
        path: PathBuf,
    },
    /// Our key is encrypted in the way of the 1990s.
    #[error("the key {} is encrypted in OpenSSL's old format, which is not supported", .path.display())]
    KeyLegacyEncryption {
        /// The key.
        path: PathBuf,
    },
    /// Certificate and key are not a pair.
    #[error("the key {} is not that of the client certificate {}", .key.display(), .certificate.display())]
    KeyMismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The bounds leave no version that we speak.
    #[error("no supported TLS version between {min} and {max}")]
    Versions {
        /// The lower bound.
        min: TlsVersion,
        /// The upper bound.
        max: TlsVersion,
    },
    /// There is no name to compare with.
    #[error("sslmode=verify-full needs the host's name")]
    HostMissing,
    /// A list of revoked certificates that the verifier does not read.
    #[error("a list of revoked certificates cannot be used: {reason}")]
    RevocationList {
        /// The verifier's words.
        reason: String,
    },
    /// Our settings are no valid configuration.
    #[error("set TLS up")]
    Setup(#[source] rustls::Error),
    /// The server's certificate is not accepted.
    #[error(transparent)]
    Certificate(#[from] Refusal),
    /// With direct negotiation, the server did not say that it is a PostgreSQL.
    #[error("the server does not speak PostgreSQL over direct TLS")]
    NotPostgres,
    /// The handshake broke off.
    #[error("TLS handshake")]
    Handshake(#[source] io::Error),
}

fn shown_text(path: Option<&PathBuf>) -> String {
    path.map_or_else(
        || "(nor a home directory to look into)".to_owned(),
        |path| path.display().to_string(),
    )
}

impl Error {
    /// Whether the same may succeed later: the network failed, not one of the two sides.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Handshake(error) => error
                .get_ref()
                .is_none_or(|inner| !inner.is::<rustls::Error>()),
            Self::MissingRoot { .. }
            | Self::NoSystemRoots
            | Self::Unreadable { .. }
            | Self::Unusable { .. }
            | Self::MissingKey { .. }
            | Self::KeyPermissions { .. }
            | Self::KeyPasswordMissing { .. }
            | Self::KeyPassword { .. }
            | Self::KeyLegacyEncryption { .. }
            | Self::KeyMismatch { .. }
            | Self::Versions { .. }
            | Self::HostMissing
            | Self::RevocationList { .. }
            | Self::Setup(_)
            | Self::Certificate(_)
            | Self::NotPostgres => false,
        }
    }

    /// Whether it is about our own files and settings, so that no server was asked. No other way to
    /// connect makes up for that.
    pub const fn is_local(&self) -> bool {
        match self {
            Self::Handshake(_) | Self::Certificate(_) | Self::NotPostgres => false,
            Self::MissingRoot { .. }
            | Self::NoSystemRoots
            | Self::Unreadable { .. }
            | Self::Unusable { .. }
            | Self::MissingKey { .. }
            | Self::KeyPermissions { .. }
            | Self::KeyPasswordMissing { .. }
            | Self::KeyPassword { .. }
            | Self::KeyLegacyEncryption { .. }
            | Self::KeyMismatch { .. }
            | Self::Versions { .. }
            | Self::HostMissing
            | Self::Setup(_)
            | Self::RevocationList { .. } => true,
        }
    }

    /// What may help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Certificate(refusal) => Some(refusal.hint()),
            Self::MissingRoot { .. } => Some(
                "give the certificate of the server's authority as sslrootcert, or \
                 sslrootcert=system for a public one",
            ),
            Self::NoSystemRoots => Some(
                "install the package ca-certificates, set SSL_CERT_FILE, or give a file as \
                 sslrootcert",
            ),
            Self::KeyPermissions { .. } => {
                Some("chmod 0600 the key; 0640 will do if it belongs to root")
            }
            Self::KeyPasswordMissing { .. } => Some("give the key's password as sslpassword"),
            Self::KeyLegacyEncryption { .. } => Some(
                "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.key -out new.key",
            ),
            Self::NotPostgres => {
                Some("sslnegotiation=direct requires PostgreSQL 17 or newer; remove it")
            }
            Self::RevocationList { .. } => {
                Some("have the list issued in version 2 of the format, with its number")
            }
            Self::Versions { .. } => Some("TLS 1.2 and 1.3 are supported"),
            Self::Unreadable { .. }
            | Self::Unusable { .. }
            | Self::MissingKey { .. }
            | Self::KeyPassword { .. }
            | Self::KeyMismatch { .. }
            | Self::HostMissing
            | Self::Setup(_)
            | Self::Handshake(_) => None,
        }
    }
}
