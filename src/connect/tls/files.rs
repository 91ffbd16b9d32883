//! The files behind the settings: roots, lists of revoked certificates, our own certificate.
//!
//! They are read for each connection, so that a renewed certificate is used without a restart.
//! All are small; reading them does not block for long.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use super::certificate::Certificate;
use super::dates::check_dates;
use super::error::Error;
use super::settings::{Place, Root, Settings};

/// Whom we trust.
#[derive(Debug)]
pub(super) struct Roots {
    /// The CAs that are trusted.
    pub(super) anchors: RootCertStore,
    /// All certificates of the file, for servers that are trusted directly.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Lists of what they took back.
    pub(super) revoked: Vec<CertificateRevocationListDer<'static>>,
    /// Where they are from, for messages.
    pub(super) origin: String,
}

/// The bytes of a file.
pub(super) fn read_file(parameter: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Unreadable {
        parameter,
        path: path.to_owned(),
        source,
    })
}

/// The roots, and what comes with them; nothing where the server is not to be verified.
pub(super) fn load_roots(settings: &Settings) -> Result<Option<Roots>, Error> {
    if settings.root == Some(Root::System) {
        return system_roots(settings).map(Some);
    }
    let mode = settings.effective_mode();
    match settings.root_file() {
        // libpq continues without verifying where a named file is missing and the mode is weak.
        // Whoever names a file wants it used.
        Place::Named(path) if !path.exists() => Err(Error::MissingRoot {
            mode,
            path: Some(path),
        }),
        Place::Named(path) | Place::Default(path) => file_roots(&path, settings).map(Some),
        Place::Absent(path) if mode.wants_root() => Err(Error::MissingRoot { mode, path }),
        Place::Absent(_) => Ok(None),
    }
}

fn file_roots(path: &Path, settings: &Settings) -> Result<Roots, Error> {
    let unusable = || Error::Unusable {
        parameter: "sslrootcert",
        path: path.to_owned(),
        content: "certificate",
    };
    let certificates = load_certificates("sslrootcert", path)?;
    let mut anchors = RootCertStore::empty();
    for certificate in &certificates {
        let parsed = Certificate::parse(certificate).map_err(|_| unusable())?;
        // A server's certificate in the file is trusted for itself: webpki would accept it as a CA
        // regardless of its own constraints. And it does not look at a root's dates, as OpenSSL does.
        if parsed.may_issue() && check_dates(&parsed, UnixTime::now()).is_ok() {
            anchors.add(certificate.clone()).map_err(|_| unusable())?;
        }
    }
    Ok(Roots {
        anchors,
        certificates,
        revoked: load_revoked(settings)?,
        origin: path.display().to_string(),
    })
}

fn system_roots(settings: &Settings) -> Result<Roots, Error> {
    let mut anchors = RootCertStore::empty();
    // Systems carry a few roots that nobody reads any more; the others are good all the same.
    let found = rustls_native_certs::load_native_certs();
    anchors.add_parsable_certificates(found.certs);
    if anchors.is_empty() {
        return Err(Error::NoSystemRoots);
    }
    Ok(Roots {
        anchors,
        certificates: Vec::new(),
        revoked: load_revoked(settings)?,
        origin: "the operating system".to_owned(),
    })
}

/// The certificates of a PEM file; at least one.
pub(super) fn load_certificates(
    parameter: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read_file(parameter, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(Error::Unusable {
            parameter,
            path: path.to_owned(),
            content: "certificate",
        }),
    }
}

/// All lists of revoked certificates, of the file and of the folder.
fn load_revoked(settings: &Settings) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let mut lists = Vec::new();
    if let Some(path) = settings.crl_file().path() {
        lists.extend(revocation_lists("sslcrl", path)?);
    }
    if let Some(folder) = &settings.crl_dir {
        for path in files_of(folder)? {
            lists.extend(revocation_lists("sslcrldir", &path)?);
        }
    }
    Ok(lists)
}

fn revocation_lists(
    parameter: &'static str,
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let bytes = read_file(parameter, path)?;
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        Ok(_) | Err(_) => Err(Error::Unusable {
            parameter,
            path: path.to_owned(),
            content: "list of revoked certificates",
        }),
    }
}

/// OpenSSL finds a list by the hash in its file's name; we read them all.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Unreadable {
        parameter: "sslcrldir",
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tls::SslMode;

    fn settings(mode: SslMode, root: Option<Root>) -> Settings {
        Settings {
            mode,
            root,
            home: Some("/home/nobody".into()),
            ..Settings::default()
        }
    }

    #[test]
    fn only_the_verifying_modes_need_a_root() {
        use SslMode::{Allow, Prefer, Require, VerifyCa, VerifyFull};
        for mode in [Allow, Prefer, Require] {
            assert!(
                load_roots(&settings(mode, None)).unwrap().is_none(),
                "{mode}"
            );
        }
        for mode in [VerifyCa, VerifyFull] {
            let error = load_roots(&settings(mode, None)).unwrap_err().to_string();
            assert!(error.contains(&mode.to_string()), "{error}");
            assert!(
                error.contains("/home/nobody/.postgresql/root.crt"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_named_root_must_be_there_in_any_mode() {
        for mode in [SslMode::Prefer, SslMode::Require, SslMode::VerifyFull] {
            let named = Some(Root::File("/nowhere/ca.crt".into()));
            let error = load_roots(&settings(mode, named)).unwrap_err();
            assert!(matches!(error, Error::MissingRoot { .. }));
            assert!(error.to_string().contains("/nowhere/ca.crt"), "{error}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_no_root() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let named = Some(Root::File(file.path().to_owned()));
        let error = load_roots(&settings(SslMode::Require, named)).unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error}");
    }
}
