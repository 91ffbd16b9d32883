//! Certificates that libpq takes and webpki does not. PostgreSQL's own instructions create them:
//!
//! - a self-signed certificate that is in the file of roots itself (`openssl req -x509`).
//!   webpki refuses an authority as a server. It is compared byte for byte.
//! - a certificate of version 1 (`openssl x509 -req`), of which webpki reads nothing, and an
//!   authority's (`openssl req -x509 -CA`). A root of the file must have signed it directly.
//!
//! Each is accepted with a warning, and only within its dates and if it is not revoked.

use std::sync::Once;

use rustls::pki_types::CertificateDer;

use super::certificate::{Certificate, PublicKey};
use super::dates::check_dates;
use super::error::Refusal;
use super::grounds::Grounds;
use super::{refusal, revocation};

impl Grounds<'_> {
    /// Judges a certificate of the kinds above; nothing for all others.
    pub(super) fn judge(
        &self,
        der: &CertificateDer<'_>,
        certificate: &Certificate<'_>,
    ) -> Option<Result<(), Refusal>> {
        let is_root = self.roots.certificates.iter().any(|root| root == der);
        if is_root && certificate.is_self_issued() {
            return Some(self.judge_root(certificate));
        }
        let is_version_1 = certificate.version == 1 && !certificate.has_extensions();
        if is_version_1 || certificate.is_authority_for_servers() {
            return Some(self.judge_directly_signed(certificate));
        }
        None
    }

    fn judge_root(&self, certificate: &Certificate<'_>) -> Result<(), Refusal> {
        static WARNED: Once = Once::new();
        self.check_life(certificate, &certificate.key)?;
        WARNED.call_once(|| {
            tracing::warn!(
                "the server's certificate is self-signed; it is trusted because it is in {}",
                self.roots.origin
            );
        });
        Ok(())
    }

    fn judge_directly_signed(&self, certificate: &Certificate<'_>) -> Result<(), Refusal> {
        static WARNED: Once = Once::new();
        let issuers = self.roots.certificates.iter();
        let issuers = issuers.filter_map(|root| Certificate::parse(root).ok());
        let mut reason = refusal::unknown_issuer(certificate, self.roots);
        for issuer in issuers.filter(|root| self.may_vouch(root, certificate)) {
            if !certificate
                .signed
                .is_signed_by(&issuer.key, self.algorithms)
            {
                reason = refusal::unverified(certificate, &issuer, self);
                continue;
            }
            self.check_life(certificate, &issuer.key)?;
            WARNED.call_once(|| {
                tracing::warn!(
                    "the server's certificate is of X.509 version 1, or an authority's; \
                     have one of version 3 with CA:FALSE issued"
                );
            });
            return Ok(());
        }
        Err(reason)
    }

    /// Constraints of names are for webpki to read.
    fn may_vouch(&self, root: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
        root.subject == certificate.issuer
            && root.may_issue()
            && !root.has_name_constraints()
            && check_dates(root, self.now).is_ok()
    }

    fn check_life(
        &self,
        certificate: &Certificate<'_>,
        issuer: &PublicKey<'_>,
    ) -> Result<(), Refusal> {
        check_dates(certificate, self.now)?;
        revocation::check_revocation(certificate, issuer, self)
    }
}
