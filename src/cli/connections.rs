//! What the connection strings of a command say.

use crate::connect::Endpoint;
use crate::ui::Ui;

/// Shows what in connection strings has no effect, or should be looked at.
pub(super) fn warn_about<'e>(ui: &Ui, endpoints: impl IntoIterator<Item = &'e Endpoint>) {
    for warning in endpoints.into_iter().flat_map(Endpoint::warnings) {
        ui.warn(&warning.to_string());
    }
}
