//! Whether the source allows `pgoutput` as an output plugin. Minor releases of August 2026 have added
//! `output_plugin_libraries`: the libraries that logical decoding may load, by exact names. An empty list allows none.

use crate::cluster::finding::{Code, Finding, Level};
use crate::pg::{Literal, Side, Sql};
use crate::remedy::Remedy;
use crate::sql;

const PLUGIN: &str = "pgoutput";

/// Reports a list that does not contain `pgoutput`. `setting` is `None` on servers without the setting, and for roles
/// that may not read it: then the creation of the slot reports it.
pub(super) fn judge_output_plugins(setting: Option<&str>) -> Option<Finding> {
    let setting = setting?;
    let mut names = split_names(setting);
    if names.iter().any(|name| name == PLUGIN) {
        return None;
    }
    names.insert(0, PLUGIN.to_owned());
    // Each name is a value of its own: one string with commas would be one name.
    let list = Sql::join(names.iter().map(|name| Literal(name)), ", ");
    let alter = sql!(
        "ALTER SYSTEM SET output_plugin_libraries = {}; SELECT pg_catalog.pg_reload_conf()",
        list
    );
    let message = format!("output_plugin_libraries is '{setting}', which does not allow {PLUGIN}");
    let code = Code::OutputPluginNotAllowed;
    let finding = Finding::new(code, Level::Error, Side::Source, message).about(PLUGIN);
    Some(
        finding
            .remedy(Remedy::RunOn(Side::Source, alter))
            .remedy(Remedy::copy_once()),
    )
}

/// Splits a list of libraries as the server does: commas separate, double quotes enclose names with blanks or
/// commas, and two of them within are one.
fn split_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut name, mut is_quoted) = (String::new(), false);
    let mut parts = list.chars().peekable();
    while let Some(part) = parts.next() {
        match part {
            '"' if is_quoted && parts.next_if_eq(&'"').is_some() => name.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => names.push(std::mem::take(&mut name)),
            _ if part.is_whitespace() && !is_quoted => {}
            _ => name.push(part),
        }
    }
    names.push(name);
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_at_commas_outside_of_quotes() {
        for (list, expected) in [
            ("", &[][..]),
            (" , ", &[]),
            ("pgoutput", &["pgoutput"]),
            ("pgoutput, test_decoding", &["pgoutput", "test_decoding"]),
            (r#""pgoutput",wal2json"#, &["pgoutput", "wal2json"]),
            (r#""a, b" , "c""d""#, &["a, b", "c\"d"]),
        ] {
            assert_eq!(split_names(list), expected, "{list}");
        }
    }

    #[test]
    fn only_a_list_without_pgoutput_is_an_error() {
        for (setting, is_allowed) in [
            (None, true),
            (Some("pgoutput, test_decoding"), true),
            (Some("wal2json,\"pgoutput\""), true),
            (Some(""), false),
            (Some("wal2json"), false),
            (Some("PGOUTPUT"), false),
            (Some("$libdir/pgoutput"), false),
            (Some("\"pgoutput, wal2json\""), false),
        ] {
            let finding = judge_output_plugins(setting);
            assert_eq!(finding.is_none(), is_allowed, "{setting:?}");
        }
    }

    #[test]
    fn the_statement_keeps_the_other_libraries() {
        let finding = judge_output_plugins(Some("wal2json, \"a b\"")).unwrap();
        assert_eq!(finding.level, Level::Error);
        let Some(Remedy::RunOn(Side::Source, alter)) = finding.remedies.first() else {
            panic!("{finding:?}");
        };
        assert_eq!(
            alter.as_str(),
            "ALTER SYSTEM SET output_plugin_libraries = 'pgoutput', 'wal2json', 'a b'; \
             SELECT pg_catalog.pg_reload_conf()"
        );
    }
}
