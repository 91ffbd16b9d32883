//! Whom we accept: every kind of certificate in every mode, as libpq does.

use rcgen::{CertificateParams, SerialNumber};
use seren_replicator::connect::tls::{Error, Refusal, Settings, SslMode};

use super::certificates::{
    self, Authority, CASES_AUTHORITY, Pair, common_name, expired, not_yet_valid, self_signed,
    self_signed_authority, server, version_1, version_1_ec,
};
use super::{Server, builder, rooted, settings};

/// What becomes of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Expired,
    NotYetValid,
    UnknownIssuer,
    NameMismatch,
    Revoked,
    RevocationUnknown,
    RevocationListExpired,
    WeakKey,
    Purpose,
    RootExpired,
}

fn outcome(result: Result<(), Error>) -> Outcome {
    let refusal = match result {
        Ok(()) => return Outcome::Accepted,
        Err(Error::Certificate(refusal)) => refusal,
        Err(other) => panic!("{other:?}"),
    };
    assert!(!refusal.hint().is_empty());
    match refusal {
        Refusal::Expired { .. } => Outcome::Expired,
        Refusal::NotYetValid { .. } => Outcome::NotYetValid,
        Refusal::UnknownIssuer { .. } => Outcome::UnknownIssuer,
        Refusal::NameMismatch { .. } => Outcome::NameMismatch,
        Refusal::Revoked => Outcome::Revoked,
        Refusal::RevocationUnknown => Outcome::RevocationUnknown,
        Refusal::RevocationListExpired { .. } => Outcome::RevocationListExpired,
        Refusal::WeakKey { .. } => Outcome::WeakKey,
        Refusal::Purpose => Outcome::Purpose,
        Refusal::RootExpired { .. } => Outcome::RootExpired,
        Refusal::RevocationListUntrusted
        | Refusal::UnsupportedSignature { .. }
        | Refusal::BadSignature
        | Refusal::Malformed
        | Refusal::Other { .. } => panic!("{refusal:?}"),
    }
}

async fn handshake(server: &Server, settings: &Settings, host: &str) -> Outcome {
    outcome(server.encrypt(settings, host).await.map(drop))
}

/// A server's certificate, and what comes of it with a root file: with the modes that check the
/// chain only (all others, with a root file), and with verify-full to `localhost`.
#[derive(Clone)]
struct Case {
    name: &'static str,
    pair: Pair,
    root: String,
    chain: Outcome,
    full: Outcome,
}

fn case(root: &str, (name, pair, chain, full): (&'static str, Pair, Outcome, Outcome)) -> Case {
    Case {
        name,
        pair,
        root: root.to_owned(),
        chain,
        full,
    }
}

/// What the authority of the root file signed, or should have.
fn under_a_root() -> Vec<Case> {
    use Outcome::{Accepted, Expired, NameMismatch, NotYetValid, Purpose, UnknownIssuer};
    let root = Authority::new("root");
    let middle = root.intermediate("middle");
    let (stranger, namesake) = (Authority::new("stranger"), Authority::new("root"));
    let local = server(&["localhost"]);
    let mut below = middle.sign(&local);
    below.certificates.push_str(&middle.pem());
    let two = root.sign(&server(&["a", "localhost"]));
    let elsewhere = root.sign(&server(&["elsewhere"]));
    let wildcard = root.sign(&server(&["*.localhost"]));
    let address = root.sign(&server(&["127.0.0.1"]));
    let expired = root.sign(&expired(&["localhost"]));
    let future = root.sign(&not_yet_valid(&["localhost"]));
    let user = root.sign(&certificates::client("localhost"));
    let authority = root.sign(&certificates::authority("localhost"));
    let lone = self_signed_authority(&["localhost"]);
    [
        ("alternative name", root.sign(&local), Accepted, Accepted),
        ("several names", two, Accepted, Accepted),
        ("below an intermediate", below, Accepted, Accepted),
        ("wrong name", elsewhere, Accepted, NameMismatch),
        ("wrong wildcard", wildcard, Accepted, NameMismatch),
        ("address alone", address, Accepted, NameMismatch),
        ("expired", expired, Expired, Expired),
        ("not yet valid", future, NotYetValid, NotYetValid),
        (
            "intermediate missing",
            middle.sign(&local),
            UnknownIssuer,
            UnknownIssuer,
        ),
        ("self-signed", lone, UnknownIssuer, UnknownIssuer),
        (
            "version 1 of a stranger",
            version_1(),
            UnknownIssuer,
            UnknownIssuer,
        ),
        (
            "stranger",
            stranger.sign(&local),
            UnknownIssuer,
            UnknownIssuer,
        ),
        (
            "namesake",
            namesake.sign(&local),
            UnknownIssuer,
            UnknownIssuer,
        ),
        ("a user's", user, Purpose, Purpose),
        ("an authority's", authority, Accepted, Accepted),
    ]
    .into_iter()
    .map(|row| case(&root.pem(), row))
    .collect()
}

/// What lies in the root file itself.
fn self_signed_ones() -> Vec<Case> {
    use Outcome::{Accepted, Expired, NameMismatch};
    let authority = self_signed_authority(&["localhost"]);
    let leaf = self_signed(&server(&["localhost"]));
    let elsewhere = self_signed_authority(&["elsewhere"]);
    let old = self_signed(&expired(&["localhost"]));
    [
        ("self-signed authority", authority, Accepted, Accepted),
        ("self-signed leaf", leaf, Accepted, Accepted),
        ("self-signed, wrong name", elsewhere, Accepted, NameMismatch),
        ("self-signed, expired", old, Expired, Expired),
    ]
    .into_iter()
    .map(|row| case(&row.1.certificates.clone(), row))
    .collect()
}

/// What the openssl command makes.
fn checked_in() -> Vec<Case> {
    use Outcome::Accepted;
    [
        ("version 1", version_1(), Accepted, Accepted),
        ("version 1, EC key", version_1_ec(), Accepted, Accepted),
        ("common name", common_name(), Accepted, Accepted),
    ]
    .into_iter()
    .map(|row| case(CASES_AUTHORITY, row))
    .collect()
}

#[tokio::test]
async fn certificates_are_judged_as_by_libpq() {
    use SslMode::{Allow, Prefer, Require, VerifyCa, VerifyFull};
    let cases = [under_a_root(), self_signed_ones(), checked_in()].concat();
    let server = Server::start(&builder(17, &cases[0].pair));
    for case in &cases {
        server.present(&case.pair).await;
        let root = server.root(&case.root);
        // Without a root file anybody is good enough, and the handshake is signed all the same.
        for mode in [Allow, Prefer, Require] {
            let outcome = handshake(&server, &settings(mode), "localhost").await;
            assert_eq!(outcome, Outcome::Accepted, "{}, {mode}, no root", case.name);
        }
        for mode in [Allow, Prefer, Require, VerifyCa] {
            let outcome = handshake(&server, &rooted(mode, &root), "localhost").await;
            assert_eq!(outcome, case.chain, "{}, {mode}", case.name);
        }
        let outcome = handshake(&server, &rooted(VerifyFull, &root), "localhost").await;
        assert_eq!(outcome, case.full, "{}, verify-full", case.name);
    }
}

/// As OpenSSL; webpki would not look.
#[tokio::test]
async fn a_root_must_be_within_its_dates() {
    let mut params = certificates::authority("root");
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let root = Authority::of(params);
    let server = Server::start(&builder(17, &root.sign(&server(&["localhost"]))));
    let settings = rooted(SslMode::Require, &server.root(&root.pem()));
    assert_eq!(
        handshake(&server, &settings, "").await,
        Outcome::RootExpired
    );
}

#[tokio::test]
async fn the_host_is_the_one_that_was_called() {
    use Outcome::{Accepted, NameMismatch};
    let root = Authority::new("root");
    let names = ["db.example.com", "*.eu.example.com", "127.0.0.1", "::1"];
    let server = Server::start(&builder(17, &root.sign(&certificates::server(&names))));
    let settings = rooted(SslMode::VerifyFull, &server.root(&root.pem()));
    for (host, expected) in [
        ("db.example.com", Accepted),
        ("DB.example.COM", Accepted),
        ("a.eu.example.com", Accepted),
        ("eu.example.com", NameMismatch),
        ("a.b.eu.example.com", NameMismatch),
        ("127.0.0.1", Accepted),
        ("::1", Accepted),
        ("0:0:0::1", Accepted),
        ("127.0.0.2", NameMismatch),
        ("no name at all", NameMismatch),
    ] {
        assert_eq!(
            handshake(&server, &settings, host).await,
            expected,
            "{host}"
        );
    }
    let error = server
        .encrypt(&settings, "other")
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server's certificate is for \"db.example.com\", \"*.eu.example.com\", \
         \"127.0.0.1\", \"::1\", not for \"other\""
    );
    let error = server.encrypt(&settings, "").await.map(drop).unwrap_err();
    assert!(matches!(error, Error::HostMissing), "{error:?}");
}

/// A server's parameters with this number.
fn numbered(serial: u64) -> CertificateParams {
    let mut params = server(&["localhost"]);
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

#[tokio::test]
async fn a_revoked_certificate_is_refused() {
    use Outcome::{Accepted, RevocationListExpired, RevocationUnknown, Revoked};
    let (root, other) = (Authority::new("root"), Authority::new("other"));
    let server = Server::start(&builder(17, &root.sign(&numbered(7))));
    let trusting = rooted(SslMode::VerifyCa, &server.root(&root.pem()));
    for (name, list, expected) in [
        ("revoked", root.revoke(&[6, 7]), Revoked),
        ("others are revoked", root.revoke(&[6, 8]), Accepted),
        ("nobody is revoked", root.revoke(&[]), Accepted),
        (
            "out of date",
            root.revoke_until(&[], 2002),
            RevocationListExpired,
        ),
        (
            "of another authority",
            other.revoke(&[7]),
            RevocationUnknown,
        ),
        ("of both", other.revoke(&[]) + &root.revoke(&[7]), Revoked),
    ] {
        let path = server.file("root.crl", &list);
        let by_file = Settings {
            crl: Some(path.clone()),
            ..trusting.clone()
        };
        assert_eq!(handshake(&server, &by_file, "").await, expected, "{name}");
        let folder = path.with_file_name("lists");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("0a1b2c3d.r0"), &list).unwrap();
        let by_folder = Settings {
            crl_dir: Some(folder),
            ..trusting.clone()
        };
        assert_eq!(handshake(&server, &by_folder, "").await, expected, "{name}");
    }
}

#[tokio::test]
async fn revocation_holds_for_certificates_that_webpki_does_not_read() {
    use Outcome::{Accepted, RevocationUnknown, Revoked};
    let server = Server::start(&builder(17, &version_1()));
    let trusting = rooted(SslMode::VerifyCa, &server.root(CASES_AUTHORITY));
    for (list, expected) in [
        (certificates::CASES_REVOKED, Revoked),
        (certificates::CASES_NONE_REVOKED, Accepted),
        (&Authority::new("other").revoke(&[]), RevocationUnknown),
    ] {
        let settings = Settings {
            crl: Some(server.file("root.crl", list)),
            ..trusting.clone()
        };
        assert_eq!(handshake(&server, &settings, "").await, expected);
    }
}

/// OpenSSL's default would not load such a key at all.
#[tokio::test]
async fn a_short_key_is_named() {
    let server =
        builder(17, &certificates::weak()).with_setting("ssl_ciphers", "DEFAULT@SECLEVEL=0");
    let server = Server::start(&server);
    for settings in [
        settings(SslMode::Require),
        rooted(SslMode::VerifyCa, &server.root(CASES_AUTHORITY)),
    ] {
        assert_eq!(handshake(&server, &settings, "").await, Outcome::WeakKey);
    }
}
