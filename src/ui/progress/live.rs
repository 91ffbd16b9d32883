//! Bars on a terminal: one per database at work.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::state::State;
use crate::ui::{Screen, text};

/// Work whose extent is known.
const BAR: &str = "{prefix} [{bar:12}] {wide_msg}";

/// Work whose extent is not.
const SPINNER: &str = "{prefix} {spinner} {wide_msg}";

/// The bars drawn so far, by database.
#[derive(Debug)]
pub(super) struct Live {
    screen: Screen,
    bars: BTreeMap<String, ProgressBar>,
}

impl Live {
    pub(super) fn new(screen: &Screen) -> Self {
        Self {
            screen: screen.clone(),
            bars: BTreeMap::new(),
        }
    }

    /// Updates the bars to the state.
    pub(super) fn draw(&mut self, state: &State, now: Duration) {
        let bars = self.screen.bars().clone();
        self.bars.retain(|name, bar| {
            let stays = state.databases().any(|(other, _)| other == name);
            if !stays {
                bar.finish_and_clear();
            }
            stays
        });
        for (name, database) in state.databases() {
            let has_extent = database.fraction().is_some();
            let bar = self.bars.entry(name.to_owned()).or_insert_with(|| {
                // Its style comes first: adding it draws it.
                bars.add(ProgressBar::no_length().with_style(style(has_extent)))
            });
            bar.set_prefix(text::clean(name));
            bar.set_message(database.summary(now));
            bar.set_style(style(has_extent));
            if let Some((done, total)) = database.fraction() {
                bar.set_length(total);
                bar.set_position(done);
            }
            bar.tick();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
    }
}

fn style(has_extent: bool) -> ProgressStyle {
    let template = if has_extent { BAR } else { SPINNER };
    ProgressStyle::with_template(template)
        .expect("the templates are constants")
        .progress_chars("=> ")
}
