//! What a user may say about TLS, with libpq's words and libpq's meaning.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::connect::Secret;

/// `sslmode`: whether TLS is used, and what is checked of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only where the server refuses without.
    Allow,
    /// TLS where the server can; the default.
    #[default]
    Prefer,
    /// TLS or nothing.
    Require,
    /// And the server's certificate comes from an authority that we trust.
    VerifyCa,
    /// And it is issued to the host that we called.
    VerifyFull,
}

impl SslMode {
    /// Whether there is no connection without a root certificate.
    pub const fn wants_root(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is none of those allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is none of {allowed}")]
pub struct UnknownWord {
    /// What was given.
    pub given: String,
    /// What may be given.
    pub allowed: &'static str,
}

impl FromStr for SslMode {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let modes = [
            Self::Disable,
            Self::Allow,
            Self::Prefer,
            Self::Require,
            Self::VerifyCa,
            Self::VerifyFull,
        ];
        let found = modes.into_iter().find(|mode| mode.name() == word);
        found.ok_or_else(|| UnknownWord {
            given: word.to_owned(),
            allowed: "disable, allow, prefer, require, verify-ca, verify-full",
        })
    }
}

/// A version of TLS, for `ssl_min_protocol_version` and `ssl_max_protocol_version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.0: understood as a bound, never spoken.
    Tls10,
    /// TLS 1.1: understood as a bound, never spoken.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls10 => "TLSv1",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        })
    }
}

impl FromStr for TlsVersion {
    type Err = UnknownWord;

    /// As libpq, without regard to case.
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let versions = [Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];
        let found = versions
            .into_iter()
            .find(|version| version.to_string().eq_ignore_ascii_case(word));
        found.ok_or_else(|| UnknownWord {
            given: word.to_owned(),
            allowed: "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
        })
    }
}

/// `sslrootcert`: whom we trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// The certificates of a file.
    File(PathBuf),
    /// Those of the operating system; the server is then verified in full.
    System,
}

/// All that a user may say about TLS. A file that is named must exist; the files of
/// `~/.postgresql` are used where they exist.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sslmode`.
    pub mode: SslMode,
    /// `sslrootcert`.
    pub root: Option<Root>,
    /// `sslcert`: our own certificate, and those between it and a root.
    pub certificate: Option<PathBuf>,
    /// `sslkey`: the key to [`certificate`](Self::certificate).
    pub key: Option<PathBuf>,
    /// `sslpassword`: opens the key.
    pub key_password: Option<Secret>,
    /// `sslcrl`: certificates that were taken back.
    pub crl: Option<PathBuf>,
    /// `sslcrldir`: a folder of such files.
    pub crl_dir: Option<PathBuf>,
    /// `sslsni`: whether the host's name is sent in clear, for proxies to route by.
    pub sni: bool,
    /// `ssl_min_protocol_version`.
    pub min_version: Option<TlsVersion>,
    /// `ssl_max_protocol_version`.
    pub max_version: Option<TlsVersion>,
    /// `sslnegotiation=direct`: the handshake comes first, without asking for TLS.
    pub direct: bool,
    /// The user's home folder, for the files of `~/.postgresql`.
    pub home: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: SslMode::default(),
            root: None,
            certificate: None,
            key: None,
            key_password: None,
            crl: None,
            crl_dir: None,
            sni: true,
            min_version: None,
            max_version: None,
            direct: false,
            home: None,
        }
    }
}

/// A file that the user named, or that is where libpq looks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It was named, and must exist.
    Named(PathBuf),
    /// It exists at the default place.
    Default(PathBuf),
    /// It was not named, and is not there (or there is no home folder to look into).
    Absent(Option<PathBuf>),
}

impl Place {
    fn of(named: Option<&Path>, default: Option<PathBuf>) -> Self {
        match (named, default) {
            (Some(path), _) => Self::Named(path.to_owned()),
            (None, Some(path)) if path.exists() => Self::Default(path),
            (None, default) => Self::Absent(default),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Named(path) | Self::Default(path) => Some(path),
            Self::Absent(_) => None,
        }
    }
}

impl Settings {
    /// The mode in force: with the roots of the operating system, any public authority would
    /// otherwise be accepted for any host, so libpq verifies in full.
    pub fn effective_mode(&self) -> SslMode {
        if self.root == Some(Root::System) {
            SslMode::VerifyFull
        } else {
            self.mode
        }
    }

    fn default_file(&self, name: &str) -> Option<PathBuf> {
        let home = self.home.as_deref()?;
        Some(home.join(".postgresql").join(name))
    }

    /// The file of roots; meaningless with [`Root::System`].
    pub(super) fn root_file(&self) -> Place {
        let named = match &self.root {
            Some(Root::File(path)) => Some(path.as_path()),
            Some(Root::System) | None => None,
        };
        Place::of(named, self.default_file("root.crt"))
    }

    pub(super) fn certificate_file(&self) -> Place {
        Place::of(
            self.certificate.as_deref(),
            self.default_file("postgresql.crt"),
        )
    }

    pub(super) fn key_file(&self) -> Place {
        Place::of(self.key.as_deref(), self.default_file("postgresql.key"))
    }

    /// With a folder of lists, libpq does not look at the default file.
    pub(super) fn crl_file(&self) -> Place {
        let default = self.default_file("root.crl");
        let default = default.filter(|_| self.crl_dir.is_none());
        Place::of(self.crl.as_deref(), default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_versions_are_parsed_as_they_are_shown() {
        for word in [
            "disable",
            "allow",
            "prefer",
            "require",
            "verify-ca",
            "verify-full",
        ] {
            assert_eq!(word.parse::<SslMode>().unwrap().to_string(), word);
        }
        for word in ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
            assert_eq!(word.parse::<TlsVersion>().unwrap().to_string(), word);
        }
        assert_eq!("tlsv1.3".parse(), Ok(TlsVersion::Tls13));
        assert!("Require".parse::<SslMode>().is_err());
        assert!("TLSv2".parse::<TlsVersion>().is_err());
    }

    #[test]
    fn the_roots_of_the_system_verify_in_full() {
        let mut settings = Settings::default();
        assert_eq!(settings.effective_mode(), SslMode::Prefer);
        settings.root = Some(Root::System);
        assert_eq!(settings.effective_mode(), SslMode::VerifyFull);
    }

    #[test]
    fn a_named_file_goes_before_that_of_the_home_folder() {
        let home = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            home: Some(home.path().to_owned()),
            ..Settings::default()
        };
        let default = home.path().join(".postgresql/root.crt");
        assert_eq!(settings.root_file(), Place::Absent(Some(default.clone())));
        std::fs::create_dir(home.path().join(".postgresql")).unwrap();
        std::fs::write(&default, "").unwrap();
        assert_eq!(settings.root_file(), Place::Default(default));
        settings.root = Some(Root::File("/nowhere".into()));
        assert_eq!(settings.root_file(), Place::Named("/nowhere".into()));
    }

    #[test]
    fn the_key_password_is_not_shown() {
        let settings = Settings {
            key_password: Some(Secret::new("hunter2")),
            ..Settings::default()
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
