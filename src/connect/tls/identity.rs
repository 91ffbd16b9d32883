//! Our own certificate and its key, for servers that ask who we are.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::error::Error;
use super::files;
use super::settings::{Place, Settings};
use crate::connect::Secret;

/// How a PEM file of OpenSSL's old format says that it is encrypted.
const LEGACY_ENCRYPTION: &str = "Proc-Type: 4,ENCRYPTED";

/// The label of an encrypted PKCS#8 key.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Our identity, if we have one: a named certificate must be there, that of the home folder may.
///
/// rustls would pair certificate and key itself, but reads no certificates of version 1, which
/// `openssl x509 -req` makes for users, too.
pub(super) fn load_identity(
    settings: &Settings,
    provider: &CryptoProvider,
) -> Result<Option<CertifiedKey>, Error> {
    let place = settings.certificate_file();
    let Some(certificate) = place.path() else {
        return Ok(None);
    };
    let chain = files::load_certificates("sslcert", certificate)?;
    let path = key_path(settings, certificate)?;
    let key = read_key(&path, settings.key_password.as_ref())?;
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|_| unusable_error(&path))?;
    if !are_a_pair(&chain, key.as_ref()) {
        return Err(Error::KeyMismatch {
            certificate: certificate.to_owned(),
            key: path,
        });
    }
    Ok(Some(CertifiedKey::new(chain, key)))
}

fn key_path(settings: &Settings, certificate: &Path) -> Result<PathBuf, Error> {
    let key = match settings.key_file() {
        Place::Named(path) | Place::Default(path) if path.exists() => return Ok(path),
        Place::Named(path) | Place::Default(path) => Some(path),
        Place::Absent(path) => path,
    };
    Err(Error::MissingKey {
        certificate: certificate.to_owned(),
        key,
    })
}

/// Whether the first certificate is for the key.
fn are_a_pair(chain: &[CertificateDer<'_>], key: &dyn SigningKey) -> bool {
    let certificate = chain.first().map(|first| Certificate::parse(first));
    match (certificate, key.public_key()) {
        (Some(Ok(certificate)), Some(public)) => certificate.key.to_rustls() == public,
        (Some(Ok(_)), None) => true,
        (Some(Err(_)) | None, _) => false,
    }
}

fn read_key(path: &Path, password: Option<&Secret>) -> Result<PrivateKeyDer<'static>, Error> {
    let metadata = fs::metadata(path).map_err(|source| Error::Unreadable {
        parameter: "sslkey",
        path: path.to_owned(),
        source,
    })?;
    if is_open_to_others(&metadata) {
        return Err(Error::KeyPermissions {
            path: path.to_owned(),
        });
    }
    let bytes = Zeroizing::new(files::read_file("sslkey", path)?);
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(LEGACY_ENCRYPTION) => Err(Error::KeyLegacyEncryption {
            path: path.to_owned(),
        }),
        Ok(text) if text.contains(ENCRYPTED) => decrypt_key(text, path, password),
        Ok(_) | Err(_) => plain_key(&bytes).ok_or_else(|| unusable_error(path)),
    }
}

fn unusable_error(path: &Path) -> Error {
    Error::Unusable {
        parameter: "sslkey",
        path: path.to_owned(),
        content: "private key",
    }
}

/// PKCS#8, PKCS#1 or SEC1; PEM, or as bare DER.
fn plain_key(bytes: &[u8]) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(bytes)
        .ok()
        .or_else(|| Some(PrivateKeyDer::try_from(bytes).ok()?.clone_key()))
}

fn decrypt_key(
    text: &str,
    path: &Path,
    password: Option<&Secret>,
) -> Result<PrivateKeyDer<'static>, Error> {
    let password = password.ok_or_else(|| Error::KeyPasswordMissing {
        path: path.to_owned(),
    })?;
    let start = text
        .find("-----BEGIN")
        .ok_or_else(|| unusable_error(path))?;
    let pem = text.get(start..).ok_or_else(|| unusable_error(path))?;
    let (_, encrypted) = SecretDocument::from_pem(pem).map_err(|_| unusable_error(path))?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes());
    let encrypted = encrypted.map_err(|_| unusable_error(path))?;
    let key = encrypted
        .decrypt(password.expose())
        .map_err(|_| Error::KeyPassword {
            path: path.to_owned(),
        })?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

/// libpq's rule: nobody but the owner; where that is root, its group may read, so that a
/// machine's certificate can be shared by its services.
fn is_open_to_others(key: &Metadata) -> bool {
    let forbidden = if key.uid() == 0 { 0o037 } else { 0o077 };
    key.permissions().mode() & forbidden != 0
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use rustls::crypto::aws_lc_rs;

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
        settings: Settings,
    }

    fn load(settings: &Settings) -> Result<Option<CertifiedKey>, Error> {
        super::load_identity(settings, &aws_lc_rs::default_provider())
    }

    /// A certificate and a key that are a pair.
    fn pair() -> (String, String) {
        let own = rcgen::generate_simple_self_signed(["me".to_owned()]).unwrap();
        (own.cert.pem(), own.signing_key.serialize_pem())
    }

    /// A certificate file, and a key file of this mode.
    fn files((certificate_text, key): &(String, String), mode: u32) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("me.crt");
        let path = folder.path().join("me.key");
        fs::write(&certificate, certificate_text).unwrap();
        fs::write(&path, key).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let settings = Settings {
            certificate: Some(certificate),
            key: Some(path),
            ..Settings::default()
        };
        Files { folder, settings }
    }

    fn checked_in(key: &str) -> (String, String) {
        let certificate = include_str!("../../../tests/cases/certificates/encrypted.crt");
        (certificate.to_owned(), key.to_owned())
    }

    #[test]
    fn without_a_certificate_there_is_no_identity() {
        let settings = Settings {
            home: Some(PathBuf::from("/nowhere")),
            ..Settings::default()
        };
        assert!(load(&settings).unwrap().is_none());
    }

    #[test]
    fn a_key_of_our_own_is_read() {
        let files = files(&pair(), 0o600);
        assert_eq!(load(&files.settings).unwrap().unwrap().cert.len(), 1);
        drop(files.folder);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        for mode in [0o604, 0o660, 0o644, 0o602] {
            let files = files(&pair(), mode);
            let error = load(&files.settings).unwrap_err();
            assert!(matches!(error, Error::KeyPermissions { .. }), "{mode:o}");
        }
    }

    #[test]
    fn a_group_may_read_a_key_of_root() {
        let files = files(&pair(), 0o640);
        let owner = fs::metadata(files.settings.key.as_ref().unwrap())
            .unwrap()
            .uid();
        assert_eq!(load(&files.settings).is_ok(), owner == 0);
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error() {
        let mut files = files(&pair(), 0o600);
        files.settings.key = Some("/nowhere/me.key".into());
        let error = load(&files.settings).unwrap_err();
        assert!(error.to_string().contains("/nowhere/me.key"), "{error}");
    }

    #[test]
    fn the_key_must_be_the_certificates() {
        let files = files(&(pair().0, pair().1), 0o600);
        let error = load(&files.settings).unwrap_err();
        assert!(matches!(error, Error::KeyMismatch { .. }), "{error}");
    }

    #[test]
    fn an_encrypted_key_needs_its_password() {
        let mut files = files(
            &checked_in(include_str!(
                "../../../tests/cases/certificates/encrypted.key"
            )),
            0o600,
        );
        let error = load(&files.settings).unwrap_err();
        assert!(matches!(error, Error::KeyPasswordMissing { .. }), "{error}");
        files.settings.key_password = Some(Secret::new("wrong"));
        let error = load(&files.settings).unwrap_err();
        assert!(matches!(error, Error::KeyPassword { .. }), "{error}");
        files.settings.key_password = Some(Secret::new("open sesame"));
        assert!(load(&files.settings).unwrap().is_some());
    }

    #[test]
    fn the_old_encryption_is_named() {
        let legacy = include_str!("../../../tests/cases/certificates/legacy.key");
        let error = load(&files(&checked_in(legacy), 0o600).settings).unwrap_err();
        assert!(
            matches!(error, Error::KeyLegacyEncryption { .. }),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("openssl pkcs8 -topk8"));
    }
}
