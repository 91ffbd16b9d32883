//! Certificates of every kind: most are made here, some by `tests/cases/certificates/make.sh`.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber, date_time_ymd,
};

/// A certificate chain and its key, as PEM.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) certificates: String,
    pub(crate) key: String,
}

/// One who vouches for others.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// An authority's parameters.
pub(crate) fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A server's parameters with these alternative names.
pub(crate) fn server(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// A server's parameters, valid in the past alone.
pub(crate) fn expired(names: &[&str]) -> CertificateParams {
    let mut params = server(names);
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    params
}

/// A server's parameters, valid in the future alone.
pub(crate) fn not_yet_valid(names: &[&str]) -> CertificateParams {
    let mut params = server(names);
    params.not_before = date_time_ymd(2090, 1, 1);
    params.not_after = date_time_ymd(2091, 1, 1);
    params
}

/// A user's parameters.
pub(crate) fn client(user: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, user);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

impl Authority {
    /// A root.
    pub(crate) fn new(name: &str) -> Self {
        Self::of(authority(name))
    }

    /// A root with these parameters.
    pub(crate) fn of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// One for whom this one vouches.
    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(authority(name), key, &self.0).unwrap())
    }

    /// The authority's own certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs a certificate.
    pub(crate) fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        self.sign_key(params, &key)
    }

    /// Signs a certificate for a key of another kind.
    pub(crate) fn sign_key(&self, params: &CertificateParams, key: &KeyPair) -> Pair {
        Pair {
            certificates: params.signed_by(key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A list of these certificates taken back, good for a long time.
    pub(crate) fn revoke(&self, serials: &[u64]) -> String {
        self.revoke_until(serials, 2090)
    }

    /// A list that a newer one follows at the beginning of a year.
    pub(crate) fn revoke_until(&self, serials: &[u64], year: i32) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2001, 1, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2001, 1, 1),
            next_update: date_time_ymd(year, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

/// A certificate that nobody else vouches for.
pub(crate) fn self_signed(params: &CertificateParams) -> Pair {
    let key = KeyPair::generate().unwrap();
    Pair {
        certificates: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

/// What PostgreSQL's manual has: `openssl req -new -x509`, which makes an authority.
pub(crate) fn self_signed_authority(names: &[&str]) -> Pair {
    let mut params = server(names);
    params.extended_key_usages.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    self_signed(&params)
}

macro_rules! case {
    ($name:literal) => {
        include_str!(concat!("../../../cases/certificates/", $name))
    };
}

/// The authority behind the checked-in certificates.
pub(crate) const CASES_AUTHORITY: &str = case!("ca.crt");

/// The checked-in certificate of version 1 is taken back.
pub(crate) const CASES_REVOKED: &str = case!("v1-revoked.crl");

/// No checked-in certificate is.
pub(crate) const CASES_NONE_REVOKED: &str = case!("none-revoked.crl");

fn checked_in(certificates: &str, key: &str) -> Pair {
    Pair {
        certificates: certificates.to_owned(),
        key: key.to_owned(),
    }
}

/// Version 1 with an RSA key, for `localhost`.
pub(crate) fn version_1() -> Pair {
    checked_in(case!("v1.crt"), case!("v1.key"))
}

/// Version 1 with an EC key, for `localhost`.
pub(crate) fn version_1_ec() -> Pair {
    checked_in(case!("v1-ec.crt"), case!("v1-ec.key"))
}

/// `CN=localhost`, and no alternative names.
pub(crate) fn common_name() -> Pair {
    checked_in(case!("common-name.crt"), case!("common-name.key"))
}

/// An RSA key of 1024 bits.
pub(crate) fn weak() -> Pair {
    checked_in(case!("weak.crt"), case!("weak.key"))
}

/// The user `postgres`, with a key that is encrypted with "open sesame".
pub(crate) fn encrypted() -> Pair {
    checked_in(case!("encrypted.crt"), case!("encrypted.key"))
}

/// Self-signed with Ed25519.
pub(crate) fn ed25519() -> Pair {
    checked_in(case!("ed25519.crt"), case!("ed25519.key"))
}
