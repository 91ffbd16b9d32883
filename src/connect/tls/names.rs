//! Whether a certificate is issued to the host that we called.
//!
//! libpq's rules: any `dNSName` or `iPAddress` may match. The Subject's common name counts only
//! where the certificate has no entry of the host's own kind. A `*` matches exactly one label,
//! the leftmost, and for all of it.

use std::net::IpAddr;

/// The names in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// `dNSName` of the subject's alternative names.
    pub(super) dns: Vec<String>,
    /// `iPAddress` of the same.
    pub(super) ip: Vec<IpAddr>,
    /// The Subject's common name.
    pub(super) common: Option<String>,
}

/// By what a host was recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// An alternative name.
    Alternative,
    /// The common name, which RFC 6125 has given up.
    CommonName,
}

impl Names {
    /// How the certificate names the host, if it does.
    pub(super) fn find(&self, host: &str) -> Option<Match> {
        let address = host.parse::<IpAddr>().ok();
        if self.dns.iter().any(|name| matches_name(name, host))
            || address.is_some_and(|address| self.ip.contains(&address))
        {
            return Some(Match::Alternative);
        }
        let has_own_kind = match address {
            Some(_) => !self.ip.is_empty(),
            None => !self.dns.is_empty(),
        };
        let common = self.common.as_deref().filter(|_| !has_own_kind)?;
        matches_common(common, host, address).then_some(Match::CommonName)
    }

    /// The names, for a message: the common name where there are no others.
    pub(super) fn shown(&self) -> Vec<String> {
        let alternative = self.dns.iter().cloned();
        let alternative: Vec<_> = alternative
            .chain(self.ip.iter().map(IpAddr::to_string))
            .collect();
        if alternative.is_empty() {
            return self.common.iter().cloned().collect();
        }
        alternative
    }
}

/// As a name, or as another spelling of the same address.
fn matches_common(common: &str, host: &str, address: Option<IpAddr>) -> bool {
    let same_address = address.is_some() && common.parse::<IpAddr>().ok() == address;
    same_address || matches_name(common, host)
}

fn matches_name(pattern: &str, host: &str) -> bool {
    // A NUL would end the name early for whoever signed it.
    if pattern.is_empty() || pattern.contains('\0') {
        return false;
    }
    pattern.eq_ignore_ascii_case(host) || matches_wildcard(pattern, host)
}

fn matches_wildcard(pattern: &str, host: &str) -> bool {
    let Some(domain) = pattern.strip_prefix("*.") else {
        return false;
    };
    // An address has no labels to match.
    if domain.is_empty() || host.parse::<IpAddr>().is_ok() {
        return false;
    }
    host.split_once('.')
        .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dns: &[&str], ip: &[&str], common: Option<&str>) -> Names {
        Names {
            dns: dns.iter().map(|name| (*name).to_owned()).collect(),
            ip: ip.iter().map(|ip| ip.parse().unwrap()).collect(),
            common: common.map(str::to_owned),
        }
    }

    #[test]
    fn names_match_as_in_libpq() {
        for (pattern, host, expected) in [
            ("db.example.com", "db.example.com", true),
            ("DB.example.COM", "db.Example.com", true),
            ("db.example.com", "db2.example.com", false),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "DB.EXAMPLE.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("d*.example.com", "db.example.com", false),
            ("*b.example.com", "db.example.com", false),
            ("db.*.com", "db.example.com", false),
            ("*.*.com", "db.example.com", false),
            ("*", "localhost", false),
            ("*.", "db.", false),
            ("*.0.0.1", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("db.example.com\0.evil.org", "db.example.com", false),
            ("", "", false),
        ] {
            assert_eq!(
                matches_name(pattern, host),
                expected,
                "{pattern:?} {host:?}"
            );
        }
    }

    #[test]
    fn the_common_name_counts_without_an_entry_of_the_hosts_kind() {
        use Match::{Alternative, CommonName};
        for (names, host, expected) in [
            (names(&["a"], &[], Some("b")), "a", Some(Alternative)),
            (names(&["a"], &[], Some("b")), "b", None),
            (names(&[], &[], Some("b")), "b", Some(CommonName)),
            (names(&[], &["::1"], Some("b")), "b", Some(CommonName)),
            (names(&["a"], &[], Some("::1")), "::1", Some(CommonName)),
            (names(&[], &["::1"], Some("::2")), "::2", None),
            (names(&[], &["::1"], None), "0:0::1", Some(Alternative)),
            (names(&[], &[], Some("0:0::1")), "::1", Some(CommonName)),
            (
                names(&["127.0.0.1"], &[], None),
                "127.0.0.1",
                Some(Alternative),
            ),
            (names(&[], &[], None), "a", None),
        ] {
            assert_eq!(names.find(host), expected, "{names:?} {host}");
        }
    }

    #[test]
    fn the_common_name_is_shown_where_there_is_no_other() {
        let all = names(&["a", "*.b"], &["::1"], Some("c"));
        assert_eq!(all.shown(), ["a", "*.b", "::1"]);
        assert_eq!(names(&[], &[], Some("c")).shown(), ["c"]);
        assert!(names(&[], &[], None).shown().is_empty());
    }
}
