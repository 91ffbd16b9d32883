//! The fields of a certificate that webpki keeps to itself or does not read: those of version 1,
//! the common name, the signature's algorithm.
//!
//! The parts are slices of the certificate as it came, because signatures and name comparisons
//! are over those bytes. Nothing here says that a certificate is good.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls::pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{self, Decode, ErrorKind, Reader, SliceReader, Tag, TagMode, Tagged};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::time::Validity;

use super::names::Names;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// `keyCertSign` among the bits of the key usage.
const CERT_SIGN: usize = 5;

/// Something signed: a certificate, or a list of those taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// What was signed.
    pub(super) content: &'a [u8],
    /// The algorithm's identifier, without the header of its SEQUENCE.
    pub(super) algorithm: &'a [u8],
    signature: &'a [u8],
}

/// A public key and its kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicKey<'a> {
    /// The whole `SubjectPublicKeyInfo`.
    der: &'a [u8],
    /// The algorithm's identifier, without the header of its SEQUENCE.
    algorithm: &'a [u8],
    bits: &'a [u8],
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    pub(super) signed: Signed<'a>,
    /// 1, 2 or 3.
    pub(super) version: u8,
    /// The number its issuer gave it.
    pub(super) serial: &'a [u8],
    /// The issuer's name, without the header of its SEQUENCE.
    pub(super) issuer: &'a [u8],
    /// The subject's name, without the header of its SEQUENCE.
    pub(super) subject: &'a [u8],
    pub(super) validity: Validity,
    pub(super) key: PublicKey<'a>,
    extensions: Vec<Extension>,
    subject_name: Name,
    issuer_name: Name,
}

/// One element: whole, and without its header.
fn read_element<'a>(reader: &mut SliceReader<'a>) -> der::Result<(&'a [u8], AnyRef<'a>)> {
    let whole = reader.tlv_bytes()?;
    Ok((whole, AnyRef::from_der(whole)?))
}

/// The elements of a SEQUENCE.
fn read_sequence<'a>(any: AnyRef<'a>) -> der::Result<SliceReader<'a>> {
    any.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(any.value())
}

impl<'a> Signed<'a> {
    /// Takes content, algorithm and signature apart.
    pub(super) fn parse(der: &'a [u8]) -> der::Result<Self> {
        let mut parts = read_sequence(AnyRef::from_der(der)?)?;
        let (content, _) = read_element(&mut parts)?;
        let (_, algorithm) = read_element(&mut parts)?;
        algorithm.tag().assert_eq(Tag::Sequence)?;
        let signature = BitStringRef::decode(&mut parts)?;
        parts.finish()?;
        let signature = signature.as_bytes().ok_or(ErrorKind::Failed)?;
        Ok(Self {
            content,
            algorithm: algorithm.value(),
            signature,
        })
    }

    /// Whether the key's holder signed this, by an algorithm that is still trusted.
    pub(super) fn is_signed_by(
        &self,
        key: &PublicKey<'_>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        algorithms.iter().any(|algorithm| {
            algorithm.signature_alg_id().as_ref() == self.algorithm
                && key.verifies(*algorithm, self.content, self.signature)
        })
    }
}

impl<'a> PublicKey<'a> {
    /// Takes a `SubjectPublicKeyInfo` apart.
    pub(super) fn parse(der: &'a [u8]) -> der::Result<Self> {
        let mut parts = read_sequence(AnyRef::from_der(der)?)?;
        let (_, algorithm) = read_element(&mut parts)?;
        algorithm.tag().assert_eq(Tag::Sequence)?;
        let bits = BitStringRef::decode(&mut parts)?;
        parts.finish()?;
        Ok(Self {
            der,
            algorithm: algorithm.value(),
            bits: bits.as_bytes().ok_or(ErrorKind::Failed)?,
        })
    }

    /// Whether the algorithm is for such keys, and the signature is this key's.
    pub(super) fn verifies(
        &self,
        algorithm: &dyn SignatureVerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        algorithm.public_key_alg_id().as_ref() == self.algorithm
            && algorithm
                .verify_signature(self.bits, message, signature)
                .is_ok()
    }

    /// As rustls wants it.
    pub(super) fn to_rustls(self) -> SubjectPublicKeyInfoDer<'a> {
        SubjectPublicKeyInfoDer::from(self.der)
    }

    /// The length of an RSA key, in bits; nothing for other kinds.
    pub(super) fn rsa_bits(&self) -> Option<u32> {
        let kind: ObjectIdentifier = SliceReader::new(self.algorithm).ok()?.decode().ok()?;
        let key = AnyRef::from_der(self.bits).ok().filter(|_| kind == RSA)?;
        let modulus: UintRef<'_> = read_sequence(key).ok()?.decode().ok()?;
        let bytes = modulus.as_bytes();
        let leading = bytes.first()?.leading_zeros();
        Some(u32::try_from(bytes.len()).ok()?.checked_mul(8)? - leading)
    }
}

impl<'a> Certificate<'a> {
    /// Takes a certificate apart.
    pub(super) fn parse(der: &'a [u8]) -> der::Result<Self> {
        let signed = Signed::parse(der)?;
        let mut parts = read_sequence(AnyRef::from_der(signed.content)?)?;
        let version = read_version(&mut parts)?;
        let (_, serial) = read_element(&mut parts)?;
        let (_, _signature_again) = read_element(&mut parts)?;
        let (issuer_der, issuer) = read_element(&mut parts)?;
        let (validity, _) = read_element(&mut parts)?;
        let (subject_der, subject) = read_element(&mut parts)?;
        let (key, _) = read_element(&mut parts)?;
        Ok(Self {
            signed,
            version,
            serial: serial.value(),
            issuer: issuer.value(),
            subject: subject.value(),
            validity: Validity::from_der(validity)?,
            key: PublicKey::parse(key)?,
            extensions: read_extensions(&mut parts)?,
            subject_name: Name::from_der(subject_der)?,
            issuer_name: Name::from_der(issuer_der)?,
        })
    }

    /// The issuer, for a message.
    pub(super) fn issuer_shown(&self) -> String {
        self.issuer_name.to_string()
    }

    /// Whether there are any extensions; version 1 has none.
    pub(super) fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Whether this name is the issuer's.
    pub(super) fn is_issued_by(&self, name: &Name) -> bool {
        self.issuer_name == *name
    }

    /// Whether its name constraints allow some names only.
    pub(super) fn has_name_constraints(&self) -> bool {
        self.extension(NAME_CONSTRAINTS).is_some()
    }

    /// Whether the subject claims to have issued it itself.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it may have issued others, by OpenSSL's reading: version 1 may, later ones
    /// have to say so.
    pub(super) fn may_issue(&self) -> bool {
        if self.version < 3 {
            return true;
        }
        match self.extension(BASIC_CONSTRAINTS) {
            Some(constraints) => is_authority(constraints).unwrap_or(false),
            None => self.extension(KEY_USAGE).is_some_and(|usage| {
                BitStringRef::from_der(usage).is_ok_and(|bits| bits.get(CERT_SIGN) == Some(true))
            }),
        }
    }

    /// Whether it is an authority's and good for a server, too, with nothing to heed that is not
    /// heeded here.
    pub(super) fn is_authority_for_servers(&self) -> bool {
        let heeded = [
            BASIC_CONSTRAINTS,
            KEY_USAGE,
            ALTERNATIVE_NAMES,
            EXTENDED_KEY_USAGE,
        ];
        let mut critical = self.extensions.iter().filter(|one| one.critical);
        self.extension(BASIC_CONSTRAINTS)
            .is_some_and(|constraints| is_authority(constraints).unwrap_or(false))
            && critical.all(|one| heeded.contains(&one.extn_id))
            && self.extension(EXTENDED_KEY_USAGE).is_none_or(|usage| {
                Vec::<ObjectIdentifier>::from_der(usage)
                    .is_ok_and(|purposes| purposes.contains(&SERVER))
            })
    }

    /// All names it is issued to.
    ///
    /// # Errors
    /// The list of alternative names is broken; the common name must not step in for it.
    pub(super) fn names(&self) -> der::Result<Names> {
        let mut names = Names {
            common: self.common_name(),
            ..Names::default()
        };
        if let Some(list) = self.extension(ALTERNATIVE_NAMES) {
            alternative_names(list, &mut names)?;
        }
        Ok(names)
    }

    /// The first, as libpq.
    fn common_name(&self) -> Option<String> {
        let mut attributes = self.subject_name.iter();
        let common = attributes.find(|attribute| attribute.oid == COMMON_NAME)?;
        String::from_utf8(common.value.value().to_vec()).ok()
    }

    fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        let found = self.extensions.iter().find(|one| one.extn_id == oid)?;
        Some(found.extn_value.as_bytes())
    }
}

/// `[0] EXPLICIT`, absent for version 1.
fn read_version(parts: &mut SliceReader<'_>) -> der::Result<u8> {
    let version = parts.context_specific::<u8>(der::TagNumber(0), TagMode::Explicit)?;
    Ok(version.unwrap_or(0).saturating_add(1))
}

/// `[3] EXPLICIT`, after two optional identifiers that nobody uses.
fn read_extensions(parts: &mut SliceReader<'_>) -> der::Result<Vec<Extension>> {
    while !parts.is_finished() {
        let (_, any) = read_element(parts)?;
        if any.tag().number() == der::TagNumber(3) && any.tag().is_context_specific() {
            return Vec::<Extension>::from_der(any.value());
        }
    }
    Ok(Vec::new())
}

fn is_authority(constraints: &[u8]) -> der::Result<bool> {
    let mut parts = read_sequence(AnyRef::from_der(constraints)?)?;
    Ok(Tag::peek(&parts).ok() == Some(Tag::Boolean) && parts.decode()?)
}

/// Only `dNSName` and `iPAddress` are of interest; x509-cert refuses some of the other kinds.
fn alternative_names(list: &[u8], names: &mut Names) -> der::Result<()> {
    let mut entries = read_sequence(AnyRef::from_der(list)?)?;
    while !entries.is_finished() {
        let (_, entry) = read_element(&mut entries)?;
        if !entry.tag().is_context_specific() {
            continue;
        }
        match entry.tag().number().0 {
            2 => names
                .dns
                .extend(String::from_utf8(entry.value().to_vec()).ok()),
            7 => names.ip.extend(read_address(entry.value())),
            _ => {}
        }
    }
    Ok(())
}

fn read_address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(octets).ok()?;
    Some(Ipv6Addr::from(octets).into())
}
