//! Reports for programs: one object, whose fields keep their meaning within a schema version.

use serde::Serialize;
use serde_json::Value;

/// Version of the object's form.
const SCHEMA: u32 = 1;

/// The one object of a command.
#[derive(Debug, Serialize)]
pub(super) struct Object {
    schema: u32,
    command: &'static str,
    ok: bool,
    exit_code: u8,
    databases: Vec<Value>,
    /// What would be run, as one script for `psql`.
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
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
    /// All statements that a server refused, where others were run behind them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<Value>,
    /// What was not attempted because it needs one of those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_attempted: Vec<Value>,
}

impl Object {
    /// The object of a command that ends with `exit_code`; 0 alone is success.
    pub(super) fn new(command: &'static str, exit_code: u8) -> Self {
        Self {
            schema: SCHEMA,
            command,
            ok: exit_code == 0,
            exit_code,
            databases: Vec::new(),
            script: None,
            warnings: Vec::new(),
            error: None,
        }
    }

    pub(super) fn with_databases(self, databases: Vec<Value>) -> Self {
        Self { databases, ..self }
    }

    pub(super) fn with_script(self, script: Option<&str>) -> Self {
        let script = script.map(str::to_owned);
        Self { script, ..self }
    }

    pub(super) fn with_warnings(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    pub(super) fn with_error(self, error: Failed) -> Self {
        Self {
            error: Some(error),
            ..self
        }
    }

    /// The object on one line.
    pub(super) fn line(&self) -> String {
        let text = serde_json::to_string(self).expect("strings and numbers are JSON");
        format!("{text}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_exit_code_zero() {
        assert_eq!(
            Object::new("verify", 0)
                .with_warnings(vec!["w".to_owned()])
                .line(),
            "{\"schema\":1,\"command\":\"verify\",\"ok\":true,\"exit_code\":0,\
             \"databases\":[],\"warnings\":[\"w\"],\"error\":null}\n"
        );
        assert!(Object::new("verify", 5).line().contains("\"ok\":false"));
    }
}
