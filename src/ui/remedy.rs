//! Remedies in words.

use std::fmt::Display;

use crate::pg::Sql;
use crate::remedy::{Command, Invocation, Remedy, Setting};

/// The program's name in commands that a user can copy.
const PROGRAM: &str = "postgres-seren-replicator";

/// What a setting is called where the user can write it.
pub type SettingName = fn(Setting) -> &'static str;

/// All ways out as one sentence: `a`, `a, or b`, `a, b, or c`; none without any.
pub fn render_remedies(remedies: &[Remedy], name: SettingName) -> Option<String> {
    let mut ways: Vec<String> = remedies
        .iter()
        .map(|one| render_remedy(one, name))
        .collect();
    let last = ways.pop()?;
    if ways.is_empty() {
        return Some(last);
    }
    let mut sentence = String::new();
    for way in ways {
        let comma = if way.ends_with(';') { "" } else { "," };
        sentence.push_str(&way);
        sentence.push_str(comma);
        sentence.push(' ');
    }
    Some(format!("{sentence}or {last}"))
}

/// A fact with its ways out, on one line.
pub(super) fn with_remedies(fact: &impl Display, remedies: &[Remedy], name: SettingName) -> String {
    match render_remedies(remedies, name) {
        Some(remedies) => format!("{fact}; {remedies}"),
        None => fact.to_string(),
    }
}

fn render_remedy(remedy: &Remedy, name: SettingName) -> String {
    match remedy {
        Remedy::Do(what) => what.to_string(),
        Remedy::Pass(setting) => format!("pass {}", name(*setting)),
        Remedy::PassTo(setting, purpose) => format!("pass {} to {purpose}", name(*setting)),
        Remedy::PassValue(setting, value) => format!("pass {} {value}", name(*setting)),
        Remedy::PassAll(settings, purpose) => {
            let names: Vec<_> = settings.iter().map(|setting| name(*setting)).collect();
            format!("pass {} {purpose}", names.join(" and "))
        }
        Remedy::With(action, setting) => format!("{action} with {}", name(*setting)),
        Remedy::Raise(setting) => format!("raise {}", name(*setting)),
        Remedy::Lower(setting) => format!("lower {}", name(*setting)),
        Remedy::Omit(setting) => format!("run without {}", name(*setting)),
        Remedy::Correct(setting) => format!("correct or omit {}", name(*setting)),
        Remedy::Run(statement) => format!("run: {}", render_statement(statement)),
        Remedy::RunOn(side, statement) => {
            format!("run on the {side}: {}", render_statement(statement))
        }
        Remedy::Steps(steps) => {
            let steps = steps.iter().map(|step| render_remedy(step, name));
            join_parts(steps, "then ")
        }
        Remedy::Each(objects) => {
            let objects = objects
                .iter()
                .map(|one| format!("{}: {}", one.object, render_remedy(&one.remedy, name)));
            join_parts(objects, "")
        }
        Remedy::Invoke(invocation) => render_invocation(invocation, name),
    }
}

/// The semicolon ends the statement in `psql`, into which it is copied.
fn render_statement(statement: &Sql) -> String {
    format!("{};", statement.as_str().trim_end_matches(';'))
}

/// Several parts, each of which may end with a statement.
fn join_parts(parts: impl Iterator<Item = String>, word: &str) -> String {
    let mut all = String::new();
    for part in parts {
        if !all.is_empty() {
            let end = if all.ends_with(';') { " " } else { "; " };
            all.push_str(end);
            all.push_str(word);
        }
        all.push_str(&part);
    }
    all
}

fn render_invocation(invocation: &Invocation, name: SettingName) -> String {
    let Invocation {
        purpose,
        command,
        setting,
    } = invocation;
    let command = Command::name(*command);
    match setting {
        None => format!("{purpose} with: {PROGRAM} {command}"),
        Some((setting, value)) => {
            let (flag, value) = (name(*setting), shell_quoted(value));
            format!("{purpose} with: {PROGRAM} {command} {flag} {value}")
        }
    }
}

/// An argument as a shell takes it, in quotes only where it needs them.
pub fn shell_quoted(text: &str) -> String {
    let is_plain = |part: char| part.is_ascii_alphanumeric() || "_-.=".contains(part);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        shell_quote(text)
    }
}

/// An argument in a shell's quotes.
pub fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Side;
    use crate::remedy::ObjectRemedy;

    fn name(_: Setting) -> &'static str {
        "--x"
    }

    #[test]
    fn ways_out_are_alternatives() {
        let (once, raise) = (Remedy::copy_once(), Remedy::Raise(Setting::Jobs));
        let render = |remedies: &[Remedy]| render_remedies(remedies, name);
        assert_eq!(render(&[]), None);
        assert_eq!(
            render(std::slice::from_ref(&once)).unwrap(),
            "copy once with --x"
        );
        assert_eq!(
            render(&["create it".into(), raise, once]).unwrap(),
            "create it, raise --x, or copy once with --x"
        );
    }

    #[test]
    fn steps_and_objects_are_no_alternatives() {
        let drop = |name: &'static str| Remedy::RunOn(Side::Target, Sql::fixed(name));
        let teardown = || Remedy::invoke("remove it", Command::Teardown);
        assert_eq!(
            render_remedy(
                &Remedy::Steps(vec![teardown(), drop("DROP DATABASE x")]),
                name
            ),
            "remove it with: postgres-seren-replicator teardown; then run on the target: DROP DATABASE x;"
        );
        let each = |object: &str, remedy| ObjectRemedy {
            object: object.to_owned(),
            remedy,
        };
        let both = vec![each("a", drop("DROP TABLE a")), each("b", teardown())];
        assert_eq!(
            render_remedy(&Remedy::Each(both), name),
            "a: run on the target: DROP TABLE a; b: remove it with: postgres-seren-replicator teardown"
        );
    }

    #[test]
    fn commands_can_be_copied_into_a_shell() {
        let remove = |value: &str| {
            Remedy::invoke_with("remove it", Command::Teardown, Setting::MapDatabase, value)
        };
        assert_eq!(
            render_remedy(&remove("a=b"), name),
            "remove it with: postgres-seren-replicator teardown --x a=b"
        );
        assert!(render_remedy(&remove("it's=b"), name).ends_with(r"--x 'it'\''s=b'"));
    }
}
