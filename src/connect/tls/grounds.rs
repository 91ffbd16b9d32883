use rustls::pki_types::{SignatureVerificationAlgorithm, UnixTime};

use super::files::Roots;

/// The basis of a decision.
#[derive(Clone, Copy)]
pub(super) struct Grounds<'a> {
    pub(super) roots: &'a Roots,
    pub(super) algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    pub(super) now: UnixTime,
}
