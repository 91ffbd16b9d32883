//! Results of the checks in words.

use crate::cluster::finding::{Finding, Level};
use crate::migrate::Prepared;
use crate::ui::remedy::{SettingName, with_remedies};
use crate::ui::{Style, Ui, text};

/// `error    source myapp: message; remedy`, free of control characters.
pub fn render_finding(finding: &Finding, name: SettingName) -> String {
    text::clean(&with_remedies(finding, &finding.remedies, name))
}

/// `message; remedy`: a finding without its level and place.
pub fn render_finding_text(finding: &Finding, name: SettingName) -> String {
    text::clean(&with_remedies(&finding.message, &finding.remedies, name))
}

/// Shows what the checks found, on standard error.
pub fn show_findings(ui: &Ui, prepared: &Prepared) {
    ui.catch_up();
    for finding in &prepared.findings {
        let line = render_finding(finding, ui.setting_name());
        match finding.level {
            Level::Ok => ui.screen().line_from_outside("", &line),
            Level::Note | Level::Warning | Level::Error => ui.finding(&line),
        }
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
