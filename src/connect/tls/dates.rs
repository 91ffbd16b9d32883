use rustls::pki_types::UnixTime;

use super::certificate::Certificate;
use super::error::{Moment, Refusal};

/// Checks that a certificate's time has come and is not over.
pub(super) fn check_dates(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), Refusal> {
    let not_before = certificate.validity.not_before.to_unix_duration();
    let not_after = certificate.validity.not_after.to_unix_duration();
    if now.as_secs() < not_before.as_secs() {
        return Err(Refusal::NotYetValid {
            not_before: Moment::since_1970(not_before),
            now: Moment::of(now),
        });
    }
    if now.as_secs() > not_after.as_secs() {
        return Err(Refusal::Expired {
            not_after: Moment::since_1970(not_after),
        });
    }
    Ok(())
}
