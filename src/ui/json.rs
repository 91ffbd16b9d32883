//! Reports for programs: one object, whose fields keep their meaning within a schema version.

use serde::Serialize;
use serde_json::Value;

/// Version of the object's form.
const SCHEMA: u32 = 2;

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
    warnings: Vec<String>,
    error: Option<Failed>,
}

/// What went wrong.
#[derive(Debug, Serialize)]
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
    pub(super) refused: Vec<Value>,
    /// What was not attempted because it depends on one of those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_attempted: Vec<Value>,
}

impl<B: Serialize> Object<B> {
    /// The object of a command that has come to its end; 0 alone is success.
    pub(super) fn done(command: &str, exit_code: u8, body: B, warnings: Vec<String>) -> Self {
        Self {
            schema: SCHEMA,
            command: command.to_owned(),
            ok: exit_code == 0,
            exit_code,
            body: Some(body),
            warnings,
            error: None,
        }
    }

    /// The object on one line.
    pub(super) fn line(&self) -> String {
        let text = serde_json::to_string(self).expect("strings and numbers are JSON");
        format!("{text}\n")
    }
}

impl Object<()> {
    /// The object of a command that has failed.
    pub(super) fn failed(
        command: &str,
        exit_code: u8,
        error: Failed,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            schema: SCHEMA,
            command: command.to_owned(),
            ok: false,
            exit_code,
            body: None,
            warnings,
            error: Some(error),
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

    #[test]
    fn success_is_exit_code_zero() {
        let body = || Body { databases: ["a"] };
        let warnings = vec!["w".to_owned()];
        assert_eq!(
            Object::done("verify", 0, body(), warnings).line(),
            "{\"schema\":2,\"command\":\"verify\",\"ok\":true,\"exit_code\":0,\
             \"databases\":[\"a\"],\"warnings\":[\"w\"],\"error\":null}\n"
        );
        let different = Object::done("verify", 5, body(), Vec::new());
        assert!(different.line().contains("\"ok\":false"));
    }
}
