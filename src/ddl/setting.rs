//! Run-time settings that belong to a role, a database or a routine.

use crate::catalog::cluster::Setting;
use crate::pg::{Fragment, Ident, Literal, Sql};
use crate::sql;

/// Parameters whose stored value is a list of quoted elements (`GUC_LIST_QUOTE`). Written back
/// as one literal it would become a single element, so it is split again.
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Renders `"name" TO value`, what follows `SET`.
pub fn render_setting(setting: &Setting) -> Sql {
    let name = Ident::from_catalog(setting.name.as_str());
    let is_list = LISTS
        .iter()
        .any(|list| list.eq_ignore_ascii_case(&setting.name));
    let elements = is_list.then(|| split_list(&setting.value)).flatten();
    match elements {
        Some(elements) if !elements.is_empty() => {
            let elements = elements.iter().map(|element| Literal(element));
            sql!("{} TO {}", name, Sql::join(elements, ", "))
        }
        _ => sql!("{} TO {}", name, Literal(&setting.value)),
    }
}

/// Splits at commas outside double quotes and removes the quotes, as the server's
/// `SplitGUCList` does. None where quotes do not match.
fn split_list(value: &str) -> Option<Vec<String>> {
    let mut elements = Vec::new();
    let mut rest = value.trim_start();
    if rest.is_empty() {
        return Some(elements);
    }
    loop {
        let (element, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_element(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), &rest[end..])
            }
        };
        elements.push(element);
        let after = after.trim_start();
        if after.is_empty() {
            return Some(elements);
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

/// The element whose opening quote has been read, and the text behind its closing quote.
fn quoted_element(text: &str) -> Option<(String, &str)> {
    let mut element = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        element.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                element.push('"');
                rest = more;
            }
            None => return Some((element, rest)),
        }
    }
}

/// `SET` clauses in front of a statement's object, e.g. `ALTER ROLE "a"`.
pub(super) fn alter(object: &impl Fragment, setting: &Setting) -> Sql {
    sql!("ALTER {} SET {}", object, render_setting(setting))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(entry: &str) -> String {
        render_setting(&Setting::parse(entry)).as_str().to_owned()
    }

    #[test]
    fn lists_are_split_and_other_values_are_not() {
        assert_eq!(
            rendered(r#"search_path="$user", public, "a,""b""#),
            r#""search_path" TO '$user', 'public', 'a,"b'"#
        );
        assert_eq!(rendered("work_mem=64MB"), r#""work_mem" TO '64MB'"#);
        assert_eq!(
            rendered("DateStyle=ISO, DMY"),
            r#""DateStyle" TO 'ISO, DMY'"#
        );
        assert_eq!(rendered(r#"search_path="""#), r#""search_path" TO ''"#);
        assert_eq!(rendered("search_path="), r#""search_path" TO ''"#);
    }

    #[test]
    fn a_list_that_does_not_parse_stays_whole() {
        assert_eq!(rendered(r#"search_path="a"#), r#""search_path" TO '"a'"#);
    }
}
