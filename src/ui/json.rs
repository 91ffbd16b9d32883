//! Reports for programs: one object, whose fields keep their meaning within a schema version. `docs/json.md` describes
//! all of them.

use serde::Serialize;

use super::conclusion::Conclusion;
use super::report::FindingBody;
use super::text;

/// Version of the object's form.
const SCHEMA: u32 = 3;

/// The one object of a command: fields that all commands have, and the command's own.
#[derive(Debug, Serialize)]
pub(super) struct Object<B> {
    schema: u32,
    command: String,
    ok: bool,
    exit_code: u8,
    /// What the command reports; none where it has failed.
    #[serde(flatten)]
    body: Option<B>,
    #[serde(flatten)]
    shown: Shown,
    /// None if the exit code is 0.
    error: Option<Failed>,
    /// What to do next; none where the command has no report.
    next: Option<String>,
}

/// The end of a command that has a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending<'a> {
    pub(super) conclusion: &'a Conclusion,
    /// What to do next.
    pub(super) next: &'a str,
}

/// What a command has shown before its end.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Shown {
    /// The results of the checks.
    pub(super) findings: Vec<FindingBody>,
    /// Warnings that are no findings.
    pub(super) warnings: Vec<String>,
}

/// What went wrong.
#[derive(Debug, Default, Serialize)]
pub(super) struct Failed {
    pub(super) message: String,
    #[serde(rename = "where")]
    pub(super) place: Option<String>,
    pub(super) cause: Vec<String>,
    pub(super) sqlstate: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// All statements that a server refused, where others were run after them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<RefusedBody>,
    /// What was not attempted because it depends on one of those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_attempted: Vec<NotAttemptedBody>,
}

/// A statement that the target refused.
#[derive(Debug, Serialize)]
pub(super) struct RefusedBody {
    pub(super) object: String,
    pub(super) statement: Option<String>,
    pub(super) sqlstate: Option<String>,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// What the program knows to do about it.
    pub(super) next: Option<&'static str>,
}

/// An object that was not attempted.
#[derive(Debug, Serialize)]
pub(super) struct NotAttemptedBody {
    pub(super) object: String,
    /// What it depends on.
    pub(super) needs: String,
}

/// A report of many, each on a line of its own, while the command continues.
#[derive(Debug, Serialize)]
pub(super) struct Line<B> {
    schema: u32,
    command: &'static str,
    #[serde(flatten)]
    body: B,
}

impl<B: Serialize> Line<B> {
    pub(super) fn new(command: &'static str, body: B) -> Self {
        Self {
            schema: SCHEMA,
            command,
            body,
        }
    }

    /// The object on one line.
    pub(super) fn render(&self) -> String {
        render(self)
    }
}

fn render(object: &impl Serialize) -> String {
    let text = serde_json::to_string(object).expect("strings and numbers are JSON");
    format!("{text}\n")
}

impl<B: Serialize> Object<B> {
    /// The object of a command that has a report.
    pub(super) fn reported(command: &str, end: Ending<'_>, body: B, shown: Shown) -> Self {
        let exit_code = end.conclusion.exit_code();
        Self {
            schema: SCHEMA,
            command: command.to_owned(),
            ok: exit_code == 0,
            exit_code,
            body: Some(body),
            shown,
            next: Some(text::clean(end.next)),
            error: match end.conclusion {
                Conclusion::Done => None,
                Conclusion::Failed { message, .. } => Some(Failed {
                    message: message.clone(),
                    ..Failed::default()
                }),
            },
        }
    }

    /// The object on one line.
    pub(super) fn line(&self) -> String {
        render(self)
    }
}

impl Object<()> {
    /// The object of a command that has failed.
    pub(super) fn failed(command: &str, exit_code: u8, error: Failed, shown: Shown) -> Self {
        Self {
            schema: SCHEMA,
            command: command.to_owned(),
            ok: false,
            exit_code,
            body: None,
            shown,
            error: Some(error),
            next: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Body {
        databases: [&'static str; 1],
    }

    fn body() -> Body {
        Body { databases: ["a"] }
    }

    fn ending(conclusion: &Conclusion) -> Ending<'_> {
        let next = "rest";
        Ending { conclusion, next }
    }

    #[test]
    fn success_has_no_error() {
        let shown = Shown {
            findings: Vec::new(),
            warnings: vec!["w".to_owned()],
        };
        assert_eq!(
            Object::reported("verify", ending(&Conclusion::Done), body(), shown).line(),
            "{\"schema\":3,\"command\":\"verify\",\"ok\":true,\"exit_code\":0,\
             \"databases\":[\"a\"],\"findings\":[],\"warnings\":[\"w\"],\"error\":null,\"next\":\"rest\"}\n"
        );
    }

    #[test]
    fn any_other_exit_code_has_an_error() {
        let end = Conclusion::Failed {
            exit_code: 5,
            message: "1 table could not be compared".to_owned(),
        };
        let line = Object::reported("verify", ending(&end), body(), Shown::default()).line();
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["ok"], false);
        assert_eq!(object["exit_code"], 5);
        assert_eq!(object["error"]["message"], "1 table could not be compared");
        assert_eq!(object["error"]["cause"], serde_json::json!([]));
        assert_eq!(object["databases"][0], "a");
    }
}
