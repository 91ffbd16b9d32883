//! Statements that hold passwords and the like, and how they are shown.
//!
//! A foreign data wrapper names its options as it likes, so the name of an option decides
//! ([`is_secret_name`]). A value that is a connection string with a password counts as well.

use super::one_line::without_constants;
use crate::connect::{has_credentials, is_secret_name};
use crate::pg::Sql;

/// Whether an option or a parameter of this name and value may not be shown.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    is_secret_name(name) && !is_switch(value) || has_credentials(value)
}

/// Whether any of these options may not be shown.
pub(super) fn any_secret<'o>(options: impl IntoIterator<Item = &'o (String, String)>) -> bool {
    let mut options = options.into_iter();
    options.any(|(name, value)| is_secret(name, value))
}

/// A flag such as `key 'true'`, which marks a column.
fn is_switch(value: &str) -> bool {
    const SWITCHES: [&str; 6] = ["true", "false", "on", "off", "yes", "no"];
    SWITCHES
        .iter()
        .any(|switch| value.eq_ignore_ascii_case(switch))
}

/// The statement on one line with all of its constants replaced by `'***'`.
pub(super) fn masked(sql: &Sql) -> Sql {
    without_constants(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_connection_strings_decide() {
        for (name, value) in [
            ("password", "x"),
            ("Passwd", "x"),
            ("key", "x"),
            ("aws_secret_access_key", "x"),
            ("app.jwt_secret", "x"),
            ("bearer_token", "x"),
            ("options", "host=h password=x"),
            ("url", "https://me:x@h/p"),
        ] {
            assert!(is_secret(name, value), "{name} {value}");
        }
        for (name, value) in [
            ("host", "h"),
            ("key", "true"),
            ("password_required", "false"),
            ("url", "https://h:1/p"),
            ("password_encryption", "md5"),
            ("note", "no password here"),
            ("monkey_business", "x"),
        ] {
            assert!(!is_secret(name, value), "{name} {value}");
        }
    }

    #[test]
    fn nothing_of_a_constant_remains() {
        let sql = Sql::fixed("CREATE SERVER \"s\"\nOPTIONS (\"a\" 'x''y', b E'\\'z', c $$w$$)");
        assert_eq!(
            masked(&sql).as_str(),
            "CREATE SERVER \"s\" OPTIONS (\"a\" '***', b E'***', c '***')"
        );
    }
}
