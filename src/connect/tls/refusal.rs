//! Between our reasons and those of the TLS library.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's errors are many and will be more"
)]

use rustls::pki_types::UnixTime;
use rustls::{CertRevocationListError, CertificateError};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Reader, SliceReader};

use super::certificate::Certificate;
use super::dates::check_dates;
use super::error::{Moment, Refusal};
use super::files::Roots;
use super::grounds::Grounds;

/// The least RSA key, in bits.
pub(super) const RSA_BITS: u32 = 2048;

impl Moment {
    /// The library's moment.
    pub(super) fn of(time: UnixTime) -> Self {
        Self::since_1970(std::time::Duration::from_secs(time.as_secs()))
    }
}

/// What to answer the server: the library derives the alert from it.
pub(super) fn to_alert(refusal: &Refusal) -> CertificateError {
    match refusal {
        Refusal::Expired { .. } => CertificateError::Expired,
        Refusal::NotYetValid { .. } => CertificateError::NotValidYet,
        Refusal::UnknownIssuer { .. } | Refusal::RootExpired { .. } => {
            CertificateError::UnknownIssuer
        }
        Refusal::NameMismatch { .. } => CertificateError::NotValidForName,
        Refusal::Revoked => CertificateError::Revoked,
        Refusal::RevocationUnknown
        | Refusal::RevocationListExpired { .. }
        | Refusal::RevocationListUntrusted => CertificateError::UnknownRevocationStatus,
        Refusal::BadSignature => CertificateError::BadSignature,
        Refusal::Purpose => CertificateError::InvalidPurpose,
        Refusal::Malformed => CertificateError::BadEncoding,
        Refusal::WeakKey { .. } | Refusal::UnsupportedSignature { .. } | Refusal::Other { .. } => {
            CertificateError::ApplicationVerificationFailure
        }
    }
}

/// Why webpki refuses a certificate.
pub(super) fn from_webpki(
    error: rustls::Error,
    certificate: &Certificate<'_>,
    roots: &Roots,
) -> Refusal {
    match error {
        rustls::Error::InvalidCertificate(error) => from_certificate(error, certificate, roots),
        rustls::Error::InvalidCertRevocationList(CertRevocationListError::BadSignature) => {
            Refusal::RevocationListUntrusted
        }
        other => Refusal::Other {
            reason: other.to_string(),
        },
    }
}

fn from_certificate(
    error: CertificateError,
    certificate: &Certificate<'_>,
    roots: &Roots,
) -> Refusal {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => Refusal::Expired {
            not_after: Moment::of(not_after),
        },
        CertificateError::NotValidYetContext { time, not_before } => Refusal::NotYetValid {
            not_before: Moment::of(not_before),
            now: Moment::of(time),
        },
        CertificateError::UnknownIssuer => unknown_issuer(certificate, roots),
        CertificateError::Revoked => Refusal::Revoked,
        CertificateError::UnknownRevocationStatus => Refusal::RevocationUnknown,
        CertificateError::ExpiredRevocationListContext { next_update, .. } => {
            Refusal::RevocationListExpired {
                next_update: Moment::of(next_update),
            }
        }
        CertificateError::BadSignature => bad_signature(certificate, roots),
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            ..
        } => Refusal::UnsupportedSignature {
            algorithm: algorithm_name(&signature_algorithm_id),
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Refusal::Purpose
        }
        CertificateError::BadEncoding => Refusal::Malformed,
        other => Refusal::Other {
            reason: other.to_string(),
        },
    }
}

/// No trusted CA issued it, or only an expired one.
pub(super) fn unknown_issuer(certificate: &Certificate<'_>, roots: &Roots) -> Refusal {
    let now = UnixTime::now();
    let mut issuers = roots_named_as_issuer(certificate, roots);
    if let Some(Err(Refusal::Expired { not_after })) = issuers
        .find(|root| check_dates(root, now).is_err())
        .map(|root| check_dates(&root, now))
    {
        return Refusal::RootExpired {
            roots: roots.origin.clone(),
            not_after,
        };
    }
    Refusal::UnknownIssuer {
        issuer: certificate.issuer_shown(),
        roots: roots.origin.clone(),
    }
}

/// The roots that have the name of the certificate's issuer.
fn roots_named_as_issuer<'a>(
    certificate: &Certificate<'_>,
    roots: &'a Roots,
) -> impl Iterator<Item = Certificate<'a>> {
    let issuers = roots.certificates.iter();
    let issuers = issuers.filter_map(|root| Certificate::parse(root).ok());
    issuers.filter(|root| root.subject == certificate.issuer)
}

/// webpki calls a signature bad when it means that the signer's key is short. Else a root has
/// only the name of the true issuer: usually an authority that was created again.
fn bad_signature(certificate: &Certificate<'_>, roots: &Roots) -> Refusal {
    let mut weak =
        roots_named_as_issuer(certificate, roots).filter_map(|issuer| issuer.key.rsa_bits());
    match weak.find(|bits| *bits < RSA_BITS) {
        Some(bits) => Refusal::WeakKey { bits },
        None => unknown_issuer(certificate, roots),
    }
}

/// Why a signature in the name of this root was not accepted.
pub(super) fn unverified(
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    grounds: &Grounds<'_>,
) -> Refusal {
    let is_known = |id: &[u8]| {
        let mut all = grounds.algorithms.iter();
        all.any(|algorithm| algorithm.signature_alg_id().as_ref() == id)
    };
    match issuer.key.rsa_bits() {
        Some(bits) if bits < RSA_BITS => Refusal::WeakKey { bits },
        Some(_) | None if is_known(certificate.signed.algorithm) => {
            unknown_issuer(certificate, grounds.roots)
        }
        Some(_) | None => Refusal::UnsupportedSignature {
            algorithm: algorithm_name(certificate.signed.algorithm),
        },
    }
}

/// An algorithm's name, for a message.
fn algorithm_name(id: &[u8]) -> String {
    let oid = SliceReader::new(id).and_then(|mut reader| reader.decode::<ObjectIdentifier>());
    let Ok(oid) = oid else {
        return "an unreadable algorithm".to_owned();
    };
    let oid = oid.to_string();
    match oid.as_str() {
        "1.2.840.113549.1.1.4" => "MD5 with RSA".to_owned(),
        "1.2.840.113549.1.1.5" => "SHA-1 with RSA".to_owned(),
        "1.2.840.113549.1.1.14" => "SHA-224 with RSA".to_owned(),
        "1.2.840.10045.4.1" => "SHA-1 with ECDSA".to_owned(),
        "1.2.840.10040.4.3" | "2.16.840.1.101.3.4.3.2" => "DSA".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        _ => format!("algorithm {oid}"),
    }
}
