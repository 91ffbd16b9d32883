//! Whether the server is who it should be.
//!
//! webpki judges first; what it refuses and libpq takes is looked at again (`exception`).
//!
//! Names are compared by libpq's rules (`names`), because webpki knows no common names.
//!
//! The signature of the handshake is checked in every mode. Without that check a man in
//! the middle could present the server's real certificate without its key. Channel binding, which
//! hashes only the certificate, would accept that.

use std::sync::{Arc, Once, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};

use super::certificate::Certificate;
use super::error::{Error, Refusal};
use super::files::Roots;
use super::grounds::Grounds;
use super::names::Match;
use super::refusal;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Verifier {
    /// Nothing: the server may be anybody.
    roots: Option<Roots>,
    /// Nothing: no CA is trusted.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    /// The name to look for.
    host: Option<String>,
    algorithms: WebPkiSupportedAlgorithms,
    refusal: OnceLock<Refusal>,
}

impl Verifier {
    /// A verifier that wants one of these roots behind the server, and this name on it.
    pub(super) fn new(
        roots: Option<Roots>,
        host: Option<String>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        Ok(Self {
            webpki: roots
                .as_ref()
                .map(|roots| webpki_verifier(roots, provider))
                .transpose()?
                .flatten(),
            roots,
            host,
            algorithms: provider.signature_verification_algorithms,
            refusal: OnceLock::new(),
        })
    }

    /// Why the handshake was broken off, if that was here.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.get()
    }

    /// Keeps the reason, which says more than the TLS library's error can.
    fn refuse_with(&self, refusal: Refusal) -> rustls::Error {
        let alert = refusal::to_alert(&refusal);
        drop(self.refusal.set(refusal));
        rustls::Error::InvalidCertificate(alert)
    }

    fn check_chain(
        &self,
        roots: &Roots,
        presented: &Presented<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let error = match self.verify_by_webpki(presented, name, now) {
            // webpki looks at the name last: all the rest is good.
            Ok(())
            | Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => return Ok(()),
            Err(error) => error,
        };
        let grounds = Grounds {
            roots,
            algorithms: self.algorithms.all,
            now,
        };
        grounds
            .judge(presented.leaf, &presented.certificate)
            .unwrap_or_else(|| Err(refusal::from_webpki(error, &presented.certificate, roots)))
    }

    fn verify_by_webpki(
        &self,
        presented: &Presented<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let Some(webpki) = &self.webpki else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        webpki
            .verify_server_cert(presented.leaf, presented.intermediates, name, &[], now)
            .map(|_| ())
    }

    fn check_name(&self, certificate: &Certificate<'_>) -> Result<(), Refusal> {
        let Some(host) = &self.host else {
            return Ok(());
        };
        let names = certificate.names().map_err(|_| Refusal::Malformed)?;
        match names.find(host) {
            Some(Match::Alternative) => Ok(()),
            Some(Match::CommonName) => {
                warn_of_common_name();
                Ok(())
            }
            None => Err(Refusal::NameMismatch {
                host: host.clone(),
                names: names.shown(),
            }),
        }
    }

    fn accept_certificate(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Some(roots) = &self.roots else {
            return Ok(());
        };
        let presented = Presented {
            leaf,
            intermediates,
            certificate: Certificate::parse(leaf).map_err(|_| Refusal::Malformed)?,
        };
        self.check_chain(roots, &presented, name, now)?;
        self.check_name(&presented.certificate)
    }

    /// A signature of the handshake that could not be verified: mostly because the key is short.
    fn refuse_signature(&self, leaf: &CertificateDer<'_>, error: rustls::Error) -> rustls::Error {
        let bits = Certificate::parse(leaf)
            .ok()
            .and_then(|leaf| leaf.key.rsa_bits());
        match bits {
            Some(bits) if bits < refusal::RSA_BITS => self.refuse_with(Refusal::WeakKey { bits }),
            Some(_) | None => {
                if matches!(
                    error,
                    rustls::Error::InvalidCertificate(CertificateError::BadSignature)
                ) {
                    drop(self.refusal.set(Refusal::BadSignature));
                }
                error
            }
        }
    }

    /// TLS 1.2 does not say which curve goes with a scheme; the key does.
    fn verify_tls12_by_key(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let leaf = Certificate::parse(leaf).map_err(|_| CertificateError::BadEncoding)?;
        let mut schemes = self.algorithms.mapping.iter();
        let (_, candidates) = schemes
            .find(|(scheme, _)| *scheme == signed.scheme)
            .ok_or(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let is_valid = candidates
            .iter()
            .any(|algorithm| leaf.key.verifies(*algorithm, message, signed.signature()));
        if is_valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }
}

/// What the server presents.
struct Presented<'a> {
    leaf: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    certificate: Certificate<'a>,
}

fn webpki_verifier(
    roots: &Roots,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<WebPkiServerVerifier>>, Error> {
    if roots.anchors.is_empty() {
        return Ok(None);
    }
    // As libpq: with lists, each certificate up to the root needs one that is up to date.
    let anchors = Arc::new(roots.anchors.clone());
    WebPkiServerVerifier::builder_with_provider(anchors, Arc::clone(provider))
        .with_crls(roots.revoked.iter().cloned())
        .enforce_revocation_expiration()
        .build()
        .map(Some)
        .map_err(|error| Error::RevocationList {
            reason: error.to_string(),
        })
}

fn warn_of_common_name() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "the server's certificate names its host only as the Subject's common name; \
             issue one with a subjectAltName"
        );
    });
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.accept_certificate(end_entity, intermediates, server_name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(refusal) => Err(self.refuse_with(refusal)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verified = if is_version_3(cert) {
            verify_tls12_signature(message, cert, dss, &self.algorithms)
        } else {
            self.verify_tls12_by_key(message, cert, dss)
        };
        verified.map_err(|error| self.refuse_signature(cert, error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verified = match Certificate::parse(cert) {
            Ok(leaf) if leaf.version < 3 => verify_tls13_signature_with_raw_key(
                message,
                &leaf.key.to_rustls(),
                dss,
                &self.algorithms,
            ),
            Ok(_) | Err(_) => verify_tls13_signature(message, cert, dss, &self.algorithms),
        };
        verified.map_err(|error| self.refuse_signature(cert, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What webpki can read.
fn is_version_3(certificate: &CertificateDer<'_>) -> bool {
    Certificate::parse(certificate).map_or(true, |parsed| parsed.version >= 3)
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::{ServerConfig, SupportedProtocolVersion};
    use tokio_rustls::TlsAcceptor;

    use super::super::{Root, Settings, SslMode, TlsVersion, handshake};
    use super::*;

    macro_rules! pem {
        ($name:literal) => {
            &include_bytes!(concat!("../../../tests/cases/certificates/", $name))[..]
        };
    }

    /// A server that shows a certificate and signs with a key of its own choice.
    fn acceptor(certificate: &[u8], key: &[u8], version: TlsVersion) -> TlsAcceptor {
        let provider = aws_lc_rs::default_provider();
        let key = PrivateKeyDer::from_pem_slice(key).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(certificate).unwrap()];
        let pair = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let version: &SupportedProtocolVersion = match version {
            TlsVersion::Tls13 => &rustls::version::TLS13,
            TlsVersion::Tls10 | TlsVersion::Tls11 | TlsVersion::Tls12 => &rustls::version::TLS12,
        };
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(pair));
        TlsAcceptor::from(Arc::new(config))
    }

    /// Why we do not speak to such a server; nothing if we do.
    async fn meet(server: TlsAcceptor, settings: &Settings) -> Option<Refusal> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let client = handshake(Box::new(ours), settings, "localhost");
        match tokio::join!(client, server.accept(theirs)).0 {
            Ok(_) => None,
            Err(Error::Certificate(refusal)) => Some(refusal),
            Err(error) => panic!("{error:?}"),
        }
    }

    #[tokio::test]
    async fn the_handshake_is_signed_by_the_certificates_key() {
        let require = Settings {
            mode: SslMode::Require,
            ..Settings::default()
        };
        let verify = Settings {
            root: Some(Root::File("tests/cases/certificates/ca.crt".into())),
            ..require.clone()
        };
        let (rsa, ec) = (pem!("common-name.key"), pem!("v1-ec.key"));
        let stranger = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for (certificate, own, other) in [
            (pem!("common-name.crt"), rsa, pem!("v1.key")),
            (pem!("v1.crt"), pem!("v1.key"), rsa),
            (pem!("v1-ec.crt"), ec, stranger.as_bytes()),
        ] {
            for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
                for settings in [&require, &verify] {
                    let good = acceptor(certificate, own, version);
                    assert_eq!(meet(good, settings).await, None);
                    let bad = acceptor(certificate, other, version);
                    assert_eq!(meet(bad, settings).await, Some(Refusal::BadSignature));
                }
            }
        }
    }

    #[tokio::test]
    async fn outdated_signatures_are_named() {
        let settings = Settings {
            root: Some(Root::File("tests/cases/certificates/ca.crt".into())),
            ..Settings::default()
        };
        for (certificate, expected) in [
            (pem!("sha1.crt"), "SHA-1 with RSA"),
            (pem!("v1-sha1.crt"), "SHA-1 with RSA"),
        ] {
            let server = acceptor(certificate, pem!("v1.key"), TlsVersion::Tls13);
            let algorithm = expected.to_owned();
            assert_eq!(
                meet(server, &settings).await,
                Some(Refusal::UnsupportedSignature { algorithm })
            );
        }
    }
}
