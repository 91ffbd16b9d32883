//! From a connection string to keywords and values: URIs and `key = value` lists, as the manual has
//! them in "Connection Strings". What the values mean is decided elsewhere.
//!
//! Errors name keywords and positions, never the text around a password.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::conninfo_error::ConninfoError;
use super::keyword::{self, Treatment};
use super::secret::is_secret_name;

/// Keywords with their values; every keyword is an accepted one.
pub(super) type Parameters = BTreeMap<String, String>;

/// What a connection string says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) parameters: Parameters,
    /// Keywords without effect, with the reason.
    pub(super) warnings: Vec<String>,
    /// Whether the text is a list, whose words may be pieces of an unquoted value.
    in_list: bool,
}

impl Parsed {
    /// Adds a parameter as the user wrote it.
    pub(super) fn set(&mut self, keyword: &str, value: String) -> Result<(), ConninfoError> {
        match keyword::keyword_treatment(keyword) {
            // It may be a piece of a password that holds a blank.
            None if self.in_list && self.parameters.contains_key("password") => {
                let problem =
                    "an unknown keyword follows the password; put quotes around values with blanks";
                Err(ConninfoError::Malformed { problem })
            }
            None => Err(ConninfoError::Unknown {
                keyword: keyword.to_owned(),
                nearest: keyword::nearest_keyword(keyword),
            }),
            Some(Treatment::Refused(reason)) => Err(ConninfoError::Refused {
                keyword: keyword.to_owned(),
                reason,
            }),
            Some(Treatment::Ignored(reason)) => {
                self.warnings.push(format!(
                    "connection parameter {keyword} is ignored: {reason}"
                ));
                Ok(())
            }
            Some(Treatment::Accepted) => match self.parameters.get(keyword) {
                Some(other) if *other != value => Err(ConninfoError::Twice {
                    keyword: keyword.to_owned(),
                }),
                _ => {
                    self.parameters.insert(keyword.to_owned(), value);
                    Ok(())
                }
            },
        }
    }
}

/// Parses a connection string of either form.
pub(super) fn parse_conninfo(text: &str) -> Result<Parsed, ConninfoError> {
    let uri = ["postgresql://", "postgres://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    if text.contains('\0') {
        return Err(ConninfoError::Malformed {
            problem: "it contains a NUL character",
        });
    }
    match uri {
        Some(rest) => parse_uri(rest),
        None if has_scheme(text) => {
            let problem = "its scheme is neither postgresql:// nor postgres://";
            Err(ConninfoError::Malformed { problem })
        }
        None if text.trim().is_empty() => Err(ConninfoError::Malformed {
            problem: "it is empty",
        }),
        None if lacks_scheme(text) => Err(ConninfoError::NoScheme),
        None => parse_list(text),
    }
}

/// A connection string of the server's catalogs for people: as a list, with passwords masked. All of
/// one that cannot be parsed is masked.
pub fn masked_conninfo(text: &str) -> String {
    let Ok(parsed) = parse_conninfo(text) else {
        return "***".to_owned();
    };
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
    let shown = parsed.parameters.iter().map(|(keyword, value)| {
        let value = if is_secret_name(keyword) {
            "***"
        } else {
            value
        };
        format!("{keyword}='{}'", quoted(value))
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Whether a text begins as a URI does; in a list, `://` may be part of a value.
fn has_scheme(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.contains(['=', ' ']))
}

/// Whether a text is a URI but for its scheme: its first word is no keyword, since it holds what separates the
/// parts of a URI, or is not followed by a value.
fn lacks_scheme(text: &str) -> bool {
    let word = text.trim_start();
    let end = word.find(|c: char| c == '=' || c.is_whitespace());
    let (word, rest) = word.split_at(end.unwrap_or(word.len()));
    word.contains(['@', '/', ':', '?']) || rest.trim_start().is_empty()
}

/// What is said of a URI whose password seems to have ended too early. Nothing of it is shown.
const UNENCODED: ConninfoError = ConninfoError::Malformed {
    problem: "an @ follows the host: write / as %2F, ? as %3F, # as %23 and @ as %40 in the password",
};

/// `[user[:password]@][host[:port][,…]][/database][?key=value&…]`
fn parse_uri(text: &str) -> Result<Parsed, ConninfoError> {
    let (authority, rest) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    // A / or ? in a password ends the authority, and pieces of the password pass for a port, a
    // database or a parameter.
    let cut = !authority.contains('@') && rest.contains('@');
    let path = rest.split('?').next().unwrap_or_default();
    if cut && path.contains('@') {
        return Err(UNENCODED);
    }
    parse_parts(text).map_err(|error| if cut { UNENCODED } else { error })
}

fn parse_parts(text: &str) -> Result<Parsed, ConninfoError> {
    let mut parsed = Parsed::default();
    let (text, query) = split_once(text, '?');
    let (authority, database) = split_once(text, '/');
    // A password may hold an @ that its writer forgot to encode, a host never does.
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(credentials), hosts),
        None => (None, authority),
    };
    if let Some(credentials) = credentials {
        let (user, password) = split_once(credentials, ':');
        set_decoded(&mut parsed, "user", user)?;
        set_decoded(&mut parsed, "password", password.unwrap_or_default())?;
    }
    parse_hosts(&mut parsed, hosts)?;
    set_decoded(&mut parsed, "dbname", database.unwrap_or_default())?;
    for pair in query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let Some((keyword, value)) = pair.split_once('=') else {
            return Err(ConninfoError::Malformed {
                problem: "a parameter after ? has no =",
            });
        };
        set_query(
            &mut parsed,
            &decode_percent("parameter name", keyword)?,
            value,
        )?;
    }
    Ok(parsed)
}

fn set_query(parsed: &mut Parsed, keyword: &str, value: &str) -> Result<(), ConninfoError> {
    let value = decode_percent(keyword, value)?;
    // libpq's JDBC-friendly spelling.
    if keyword == "ssl" && value == "true" {
        return parsed.set("sslmode", "require".to_owned());
    }
    parsed.set(keyword, value)
}

/// `host[:port][,host[:port]…]`, an IPv6 address in brackets.
fn parse_hosts(parsed: &mut Parsed, text: &str) -> Result<(), ConninfoError> {
    if text.is_empty() {
        return Ok(());
    }
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for entry in text.split(',') {
        let (host, rest) = match entry.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(ConninfoError::Malformed {
                problem: "the bracket around an IPv6 address is not closed",
            })?,
            None => entry.split_at(entry.find(':').unwrap_or(entry.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => port,
            None if rest.is_empty() => "",
            None => {
                let problem = "something other than a port follows a host";
                return Err(ConninfoError::Malformed { problem });
            }
        };
        let host = decode_percent("host", host)?;
        if host.contains(',') {
            return Err(ConninfoError::Malformed {
                problem: "a host contains a comma",
            });
        }
        hosts.push(host);
        ports.push(decode_percent("port", port)?);
    }
    if hosts.iter().any(|host| !host.is_empty()) {
        parsed.set("host", hosts.join(","))?;
    }
    if ports.iter().any(|port| !port.is_empty()) {
        parsed.set("port", ports.join(","))?;
    }
    Ok(())
}

fn split_once(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn set_decoded(parsed: &mut Parsed, keyword: &str, value: &str) -> Result<(), ConninfoError> {
    if value.is_empty() {
        return Ok(());
    }
    parsed.set(keyword, decode_percent(keyword, value)?)
}

fn decode_percent(part: &str, text: &str) -> Result<String, ConninfoError> {
    let wrong = || ConninfoError::Encoding {
        part: part.to_owned(),
    };
    let complete = |(at, _): (usize, &str)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.match_indices('%').all(complete) {
        return Err(wrong());
    }
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| wrong())?;
    if decoded.contains('\0') {
        Err(wrong())
    } else {
        Ok(decoded.into_owned())
    }
}

/// `key = value key='it\'s quoted'`
fn parse_list(text: &str) -> Result<Parsed, ConninfoError> {
    let mut parsed = Parsed {
        in_list: true,
        ..Parsed::default()
    };
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (keyword, after) = rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            return Err(ConninfoError::Malformed {
                problem: "a keyword has no =",
            });
        };
        let (value, after) = list_value(value.trim_start())?;
        parsed.set(keyword, value)?;
        rest = after.trim_start();
    }
    Ok(parsed)
}

/// A value, bare or in single quotes, with `\` before any character taken as it is.
fn list_value(text: &str) -> Result<(String, &str), ConninfoError> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &body[at + 1..])),
            c if !quoted && c.is_whitespace() => return Ok((value, &body[at..])),
            c => value.push(c),
        }
    }
    if quoted {
        Err(ConninfoError::Malformed {
            problem: "a quoted value is not closed",
        })
    } else {
        Ok((value, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn get(text: &str, keyword: &str) -> Option<String> {
        parse_conninfo(text)
            .unwrap()
            .parameters
            .get(keyword)
            .cloned()
    }

    #[test]
    fn every_part_of_a_uri_is_found_and_decoded() {
        let text =
            "postgresql://us%40er:p%3A%2F%25@h1:1,[::1]:2/d%2Fb?sslmode=require&options=-c%20a%3Db";
        let expected = [
            ("dbname", "d/b"),
            ("host", "h1,::1"),
            ("options", "-c a=b"),
            ("password", "p:/%"),
            ("port", "1,2"),
            ("sslmode", "require"),
            ("user", "us@er"),
        ];
        let parameters = parse_conninfo(text).unwrap().parameters;
        let found: Vec<_> = parameters
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn sockets_may_be_hosts() {
        assert_eq!(
            get("postgresql://%2Ftmp%2Fa:5/d", "host").unwrap(),
            "/tmp/a"
        );
        assert_eq!(get("postgres:///d?host=/tmp/a", "host").unwrap(), "/tmp/a");
        assert_eq!(
            get("postgres:///d?application_name=a@b", "application_name").unwrap(),
            "a@b"
        );
    }

    #[test]
    fn a_list_has_quotes_and_backslashes() {
        let text = r"host = 'a b' user=it\'s password='\\q\'' dbname = d";
        assert_eq!(get(text, "host").unwrap(), "a b");
        assert_eq!(get(text, "user").unwrap(), "it's");
        assert_eq!(get(text, "password").unwrap(), r"\q'");
        assert_eq!(get("host='' user=u", "host").unwrap(), "");
        assert_eq!(get("password='a://b' host=h", "password").unwrap(), "a://b");
    }

    #[test]
    fn unknown_refused_and_contradictory_parameters_are_named() {
        let error = parse_conninfo("postgres://h/d?ssl_mode=require").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown connection parameter \"ssl_mode\"; did you mean \"sslmode\"?"
        );
        assert!(matches!(
            parse_conninfo("host=a requiressl=1"),
            Err(ConninfoError::Refused { .. })
        ));
        assert!(matches!(
            parse_conninfo("postgres://a/d?host=b"),
            Err(ConninfoError::Twice { .. })
        ));
        assert_eq!(
            parse_conninfo("host=a sslcompression=1")
                .unwrap()
                .warnings
                .len(),
            1
        );
    }

    #[test]
    fn a_uri_without_a_scheme_is_recognized_and_not_shown() {
        for text in [
            "postgres@h/d",
            "u:canary@h/d?sslmode=require",
            "h:5432/d",
            "canary",
            "h/d?canary=x",
        ] {
            let error = parse_conninfo(text).unwrap_err();
            assert_eq!(error, ConninfoError::NoScheme, "{text}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn malformed_texts_are_refused_without_being_shown() {
        for text in [
            "",
            "mysql://h/d",
            "postgres://[::1/d",
            "postgres://[::1]x/d",
            "postgres://h/d?a",
            "postgres://u:%zz@h/d",
            "postgres://u:%ff@h/d",
            "host",
            "host='a",
            "host = a b",
        ] {
            let error = parse_conninfo(text).unwrap_err().to_string();
            assert!(!error.contains("%zz"), "{error}");
        }
    }

    #[test]
    fn pieces_of_an_unencoded_password_are_not_shown() {
        for text in [
            "postgresql://u:canary/rest@h/d",
            "postgresql://u:1/canary@h/d",
            "postgresql://u:ab?canary=x@h/d",
            "postgresql://u:12?canary=x@h/d",
            "host=h password=my canary=x",
        ] {
            let error = parse_conninfo(text).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_masked_string_shows_no_password() {
        assert_eq!(
            masked_conninfo("host=h password='it''s' dbname='a\\'b'"),
            "***"
        );
        assert_eq!(
            masked_conninfo("host=h password=s3cret dbname='a\\'b'"),
            "dbname='a\\'b' host='h' password='***'"
        );
        assert_eq!(
            masked_conninfo("postgresql://u:s3cret@h/d"),
            "dbname='d' host='h' password='***' user='u'"
        );
    }

    proptest! {
        #[test]
        fn any_value_survives_a_uri(user in "\\PC{1,20}", password in "\\PC{1,20}", database in "\\PC{1,20}") {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let text = format!("postgres://{}:{}@h/{}", encode(&user), encode(&password), encode(&database));
            prop_assert_eq!(get(&text, "user"), Some(user));
            prop_assert_eq!(get(&text, "password"), Some(password));
            prop_assert_eq!(get(&text, "dbname"), Some(database));
        }

        #[test]
        fn any_value_survives_a_list(value in "\\PC{0,20}") {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            prop_assert_eq!(get(&format!("password='{quoted}' host=h"), "password"), Some(value));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,60}") {
            drop(parse_conninfo(&text));
            drop(parse_conninfo(&format!("postgres://{text}")));
        }
    }
}
