//! Our own certificate and its key, for servers that ask who we are.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::error::Error;
use super::files;
use super::settings::{Place, Settings};
use crate::connect::Secret;

/// How a PEM file of OpenSSL's old format says that it is encrypted.
const LEGACY_ENCRYPTION: &str = "Proc-Type: 4,ENCRYPTED";

/// The label of an encrypted PKCS#8 key.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// A certificate, those above it, and its key.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Our identity, if we have one: a named certificate must be there, that of the home folder may.
pub(super) fn load(settings: &Settings) -> Result<Option<Identity>, Error> {
    let place = settings.certificate_file();
    let Some(certificate) = place.path() else {
        return Ok(None);
    };
    let chain = files::certificates("sslcert", certificate)?;
    let missing = |key| Error::MissingKey {
        certificate: certificate.to_owned(),
        key,
    };
    match settings.key_file() {
        Place::Named(path) | Place::Default(path) => {
            if !path.exists() {
                return Err(missing(Some(path)));
            }
            let key = read_key(&path, settings.key_password.as_ref())?;
            Ok(Some((chain, key)))
        }
        Place::Absent(path) => Err(missing(path)),
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
    let bytes = Zeroizing::new(files::read("sslkey", path)?);
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(LEGACY_ENCRYPTION) => Err(Error::KeyLegacyEncryption {
            path: path.to_owned(),
        }),
        Ok(text) if text.contains(ENCRYPTED) => decrypt(text, path, password),
        Ok(_) | Err(_) => plain_key(&bytes).ok_or_else(|| unusable(path)),
    }
}

fn unusable(path: &Path) -> Error {
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

fn decrypt(
    text: &str,
    path: &Path,
    password: Option<&Secret>,
) -> Result<PrivateKeyDer<'static>, Error> {
    let password = password.ok_or_else(|| Error::KeyPasswordMissing {
        path: path.to_owned(),
    })?;
    let start = text.find("-----BEGIN").ok_or_else(|| unusable(path))?;
    let pem = text.get(start..).ok_or_else(|| unusable(path))?;
    let (_, encrypted) = SecretDocument::from_pem(pem).map_err(|_| unusable(path))?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes());
    let encrypted = encrypted.map_err(|_| unusable(path))?;
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
    use std::path::PathBuf;

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
        settings: Settings,
    }

    /// A certificate of our own, and a key file with this text and mode.
    fn files(key: &str, mode: u32) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["me".to_owned()]).unwrap();
        let certificate = folder.path().join("me.crt");
        let path = folder.path().join("me.key");
        fs::write(&certificate, own.cert.pem()).unwrap();
        fs::write(&path, key).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let settings = Settings {
            certificate: Some(certificate),
            key: Some(path),
            ..Settings::default()
        };
        Files { folder, settings }
    }

    fn key_pem() -> String {
        rcgen::KeyPair::generate().unwrap().serialize_pem()
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
        let files = files(&key_pem(), 0o600);
        let (chain, _) = load(&files.settings).unwrap().unwrap();
        assert_eq!(chain.len(), 1);
        drop(files.folder);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        for mode in [0o604, 0o660, 0o644, 0o602] {
            let files = files(&key_pem(), mode);
            let error = load(&files.settings).unwrap_err();
            assert!(matches!(error, Error::KeyPermissions { .. }), "{mode:o}");
        }
    }

    #[test]
    fn a_group_may_read_a_key_of_root() {
        let files = files(&key_pem(), 0o640);
        let owner = fs::metadata(files.settings.key.as_ref().unwrap())
            .unwrap()
            .uid();
        assert_eq!(load(&files.settings).is_ok(), owner == 0);
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error() {
        let mut files = files(&key_pem(), 0o600);
        files.settings.key = Some("/nowhere/me.key".into());
        let error = load(&files.settings).unwrap_err();
        assert!(error.to_string().contains("/nowhere/me.key"), "{error}");
    }

    #[test]
    fn an_encrypted_key_needs_its_password() {
        let mut files = files(
            include_str!("../../../tests/cases/certificates/encrypted.key"),
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
        let error = load(&files(legacy, 0o600).settings).unwrap_err();
        assert!(
            matches!(error, Error::KeyLegacyEncryption { .. }),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("openssl pkcs8 -topk8"));
    }
}
