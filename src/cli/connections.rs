//! What is said of the connection strings and the selection of a command.

use crate::connect::Endpoint;
use crate::ui::Ui;

/// Shows what in connection strings has no effect, or should be looked at.
pub(super) fn warn_about<'e>(ui: &Ui, endpoints: impl IntoIterator<Item = &'e Endpoint>) {
    for warning in endpoints.into_iter().flat_map(Endpoint::warnings) {
        ui.warn(&warning.to_string());
    }
}

/// Shows what was noticed while databases and tables were selected.
pub(super) fn log_selection(warnings: &[String], notes: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    for note in notes {
        tracing::info!("{note}");
    }
}
