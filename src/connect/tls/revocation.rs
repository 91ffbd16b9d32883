//! Lists of revoked certificates, for the certificates that webpki does not judge.

use rustls::pki_types::UnixTime;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;

use super::certificate::{Certificate, PublicKey, Signed};
use super::error::{Moment, Refusal};
use super::grounds::Grounds;

/// Checks that a certificate was not taken back. As libpq: where there are any lists, there must
/// be one of the certificate's issuer, signed and up to date.
pub(super) fn check_revocation(
    certificate: &Certificate<'_>,
    issuer: &PublicKey<'_>,
    grounds: &Grounds<'_>,
) -> Result<(), Refusal> {
    let lists = &grounds.roots.revoked;
    if lists.is_empty() {
        return Ok(());
    }
    for der in lists {
        let (Ok(list), Ok(signed)) = (
            CertificateList::<Rfc5280>::from_der(der),
            Signed::parse(der),
        ) else {
            continue;
        };
        if !certificate.is_issued_by(&list.tbs_cert_list.issuer) {
            continue;
        }
        if !signed.is_signed_by(issuer, grounds.algorithms) || has_unread_limits(&list) {
            return Err(Refusal::RevocationListUntrusted);
        }
        return check_list(&list, certificate, grounds.now);
    }
    Err(Refusal::RevocationUnknown)
}

/// A critical extension may say that the list is for some certificates only.
fn has_unread_limits(list: &CertificateList) -> bool {
    let extensions = list.tbs_cert_list.crl_extensions.iter().flatten();
    extensions.into_iter().any(|extension| extension.critical)
}

fn check_list(
    list: &CertificateList,
    certificate: &Certificate<'_>,
    now: UnixTime,
) -> Result<(), Refusal> {
    let content = &list.tbs_cert_list;
    if let Some(next) = content.next_update
        && next.to_unix_duration().as_secs() < now.as_secs()
    {
        return Err(Refusal::RevocationListExpired {
            next_update: Moment::since_1970(next.to_unix_duration()),
        });
    }
    let mut revoked = content.revoked_certificates.iter().flatten();
    if revoked.any(|one| {
        significant_bytes(one.serial_number.as_bytes()) == significant_bytes(certificate.serial)
    }) {
        return Err(Refusal::Revoked);
    }
    Ok(())
}

/// A number without leading zeros: DER puts one before a set sign bit.
fn significant_bytes(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0);
    start.and_then(|start| bytes.get(start..)).unwrap_or(&[])
}
