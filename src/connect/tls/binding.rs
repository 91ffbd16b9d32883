//! `tls-server-end-point` (RFC 5929): the hash of the server's certificate, by which SCRAM notices
//! a stranger in the middle.
//!
//! The hash is that of the certificate's own signature, except that MD5 and SHA-1 give way to
//! SHA-256. PostgreSQL asks OpenSSL for it (`be_tls_get_certificate_hash`); signatures without a
//! hash of their own (Ed25519, Ed448) have no binding.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_256};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{self, Decode, Reader, SliceReader, Tag, Tagged};

use super::certificate::Signed;
use crate::wire::ChannelBinding;

/// The hash functions that a signature can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512Of256,
}

const RSA_PSS: &str = "1.2.840.113549.1.1.10";

/// What a connection to the holder of this certificate can be bound to.
pub(super) fn binding_for(certificate: &[u8]) -> ChannelBinding {
    let hash = Signed::parse(certificate).and_then(|signed| hash_of(signed.algorithm));
    match hash {
        Ok(Some(hash)) => ChannelBinding::TlsServerEndPoint(hash.digest(certificate)),
        Ok(None) | Err(_) => ChannelBinding::Unsupported,
    }
}

impl Hash {
    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
            Self::Sha512Of256 => Sha512_256::digest(bytes).to_vec(),
        }
    }

    /// By the identifier of the function itself.
    fn of_function(oid: ObjectIdentifier) -> Option<Self> {
        match oid.to_string().as_str() {
            // MD5, SHA-1, SHA-256.
            "1.2.840.113549.2.5" | "1.3.14.3.2.26" | "2.16.840.1.101.3.4.2.1" => Some(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Self::Sha512),
            "2.16.840.1.101.3.4.2.4" => Some(Self::Sha224),
            "2.16.840.1.101.3.4.2.6" => Some(Self::Sha512Of256),
            _ => None,
        }
    }

    /// By the identifier of a signature that names its function.
    fn of_signature(oid: &str) -> Option<Self> {
        match oid {
            // RSA with MD5, SHA-1, SHA-256; ECDSA and DSA with SHA-1, SHA-256.
            "1.2.840.113549.1.1.4"
            | "1.2.840.113549.1.1.5"
            | "1.2.840.113549.1.1.11"
            | "1.2.840.10045.4.1"
            | "1.2.840.10045.4.3.2"
            | "1.2.840.10040.4.3"
            | "2.16.840.1.101.3.4.3.2" => Some(Self::Sha256),
            "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(Self::Sha384),
            "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(Self::Sha512),
            "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => Some(Self::Sha224),
            "1.2.840.113549.1.1.16" => Some(Self::Sha512Of256),
            _ => None,
        }
    }
}

/// The function within an algorithm's identifier, if it has one.
fn hash_of(identifier: &[u8]) -> der::Result<Option<Hash>> {
    let mut parts = SliceReader::new(identifier)?;
    let oid: ObjectIdentifier = parts.decode()?;
    let oid = oid.to_string();
    if oid != RSA_PSS {
        return Ok(Hash::of_signature(&oid));
    }
    if parts.is_finished() {
        return Ok(Some(Hash::Sha256));
    }
    pss_hash(parts.decode()?)
}

/// `RSASSA-PSS-params`: the function is first, as `[0]`; SHA-1 if it is missing.
fn pss_hash(parameters: AnyRef<'_>) -> der::Result<Option<Hash>> {
    parameters.tag().assert_eq(Tag::Sequence)?;
    let mut parts = SliceReader::new(parameters.value())?;
    if parts.is_finished() {
        return Ok(Some(Hash::Sha256));
    }
    let first: AnyRef<'_> = parts.decode()?;
    if !first.tag().is_context_specific() || first.tag().number().0 != 0 {
        return Ok(Some(Hash::Sha256));
    }
    let function = AnyRef::from_der(first.value())?;
    function.tag().assert_eq(Tag::Sequence)?;
    let oid: ObjectIdentifier = SliceReader::new(function.value())?.decode()?;
    Ok(Hash::of_function(oid))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn made_with(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(["db".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn hash(certificate: &[u8]) -> Option<Hash> {
        hash_of(Signed::parse(certificate).unwrap().algorithm).unwrap()
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (algorithm, expected) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(Hash::Sha256)),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Some(Hash::Sha384)),
            (&rcgen::PKCS_ED25519, None),
        ] {
            assert_eq!(hash(&made_with(algorithm)), expected);
        }
    }

    #[test]
    fn the_hash_of_a_pss_signature_is_among_its_parameters() {
        for (pem, expected) in [
            (
                &include_bytes!("../../../tests/cases/certificates/pss-sha384.crt")[..],
                Hash::Sha384,
            ),
            (
                &include_bytes!("../../../tests/cases/certificates/pss-sha1.crt")[..],
                Hash::Sha256,
            ),
            (
                &include_bytes!("../../../tests/cases/certificates/sha1.crt")[..],
                Hash::Sha256,
            ),
        ] {
            let certificate = CertificateDer::from_pem_slice(pem).unwrap();
            assert_eq!(hash(&certificate), Some(expected));
        }
    }

    #[test]
    fn the_whole_certificate_is_hashed() {
        let certificate = made_with(&rcgen::PKCS_ECDSA_P256_SHA256);
        let expected = Sha256::digest(&certificate).to_vec();
        assert_eq!(
            binding_for(&certificate),
            ChannelBinding::TlsServerEndPoint(expected)
        );
        assert_eq!(
            binding_for(&made_with(&rcgen::PKCS_ED25519)),
            ChannelBinding::Unsupported
        );
        assert_eq!(binding_for(b"no certificate"), ChannelBinding::Unsupported);
    }
}
