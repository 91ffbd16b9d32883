//! Results of the checks: in words, and for programs.

use std::borrow::Cow;

use serde::Serialize;

use crate::cluster::finding::{Finding, Level, group_findings};
use crate::ui::remedy::{SettingName, render_remedies, with_remedies};
use crate::ui::{LogKind, LogLine, Severity, Style, Ui, text};

/// A result of the checks, for programs.
#[derive(Clone, Debug, Serialize)]
pub(in crate::ui) struct FindingBody {
    level: &'static str,
    code: &'static str,
    side: &'static str,
    database: Option<String>,
    object: Option<String>,
    message: String,
    remedy: Option<String>,
}

impl FindingBody {
    /// The form of a finding, whose remedies call settings as `name` does.
    pub(in crate::ui) fn new(finding: &Finding, name: SettingName) -> Self {
        let remedy = render_remedies(&finding.remedies, name);
        Self {
            level: finding.level.name(),
            code: finding.code.name(),
            side: finding.servers(),
            database: finding.database.clone(),
            object: finding.object.clone(),
            message: text::clean(&finding.message),
            remedy: remedy.as_deref().map(text::clean),
        }
    }

    /// `level side: message`.
    pub(in crate::ui) fn headline(&self) -> String {
        format!("{} {}: {}", self.level, self.side, self.message)
    }

    /// What to do about it.
    pub(in crate::ui) fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

/// `error    source myapp: message; remedy`, free of control characters.
pub fn render_finding(finding: &Finding, name: SettingName) -> String {
    text::clean(&with_remedies(finding, &finding.remedies, name))
}

/// Shows what the checks found, on standard error. Findings of one kind are one line unless `verbose`; programs get
/// each.
pub fn show_findings(ui: &Ui, findings: &[Finding], verbose: bool) {
    ui.catch_up();
    let each = verbose || ui.screen().is_for_programs();
    for finding in listed(findings, each).iter() {
        ui.screen().show(&finding_line(finding, ui.setting_name()));
    }
}

fn finding_line(finding: &Finding, name: SettingName) -> LogLine {
    let body = FindingBody::new(finding, name);
    let severity = match finding.level {
        Level::Ok | Level::Note => Severity::Info,
        Level::Warning => Severity::Warn,
        Level::Error => Severity::Error,
    };
    LogLine::new(LogKind::Finding, &body.message)
        .with_severity(severity)
        .shown_as(render_finding(finding, name))
        .with_fields(&body)
}

/// The findings as people see them.
pub(super) fn listed(findings: &[Finding], verbose: bool) -> Cow<'_, [Finding]> {
    match verbose {
        true => Cow::Borrowed(findings),
        false => Cow::Owned(group_findings(findings)),
    }
}

/// A finding in the colour of its level.
pub(super) fn colored(finding: &Finding, name: SettingName, style: Style) -> String {
    let line = render_finding(finding, name);
    match finding.level {
        Level::Error => style.bad(&line),
        Level::Warning => style.doubtful(&line),
        Level::Note | Level::Ok => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::finding::Code;
    use crate::pg::Side;

    #[test]
    fn people_see_one_line_for_many_findings_of_a_kind() {
        let table = |number: u32| {
            let message = format!("table t{number} is not readable");
            Finding::new(Code::TableNotReadable, Level::Error, Side::Source, message)
                .about(&format!("t{number}"))
                .remedy("grant it")
        };
        let findings: Vec<_> = (0..12).map(table).collect();
        let render = |verbose| {
            let shown = listed(&findings, verbose);
            let lines = shown
                .iter()
                .map(|finding| render_finding(finding, |_| "--x"));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(render(true).len(), 12);
        assert_eq!(
            render(false),
            ["error    source: 12 tables are not readable: t0, t1, t2 and 9 more; grant it"]
        );
    }

    #[test]
    fn programs_read_the_parts_of_a_finding() {
        let finding = Finding::new(
            Code::NotEmpty,
            Level::Error,
            Side::Target,
            "not empty\u{1b}",
        )
        .in_database("shop")
        .about("copy")
        .remedy("drop it");
        let body = FindingBody::new(&finding, |_| "--x");
        assert_eq!(
            serde_json::to_value(&body).unwrap(),
            serde_json::json!({
                "level": "error",
                "code": "not-empty",
                "side": "target",
                "database": "shop",
                "object": "copy",
                "message": "not empty ",
                "remedy": "drop it",
            })
        );
        let pair = Finding::of_pair(Code::SameCluster, Level::Note, "one");
        let body = serde_json::to_value(FindingBody::new(&pair, |_| "--x")).unwrap();
        assert_eq!(body["side"], "both");
        assert!(body["database"].is_null() && body["object"].is_null() && body["remedy"].is_null());
    }
}
