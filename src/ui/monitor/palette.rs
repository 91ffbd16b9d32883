//! Colours of the monitor, where they are wanted. No colour is the only sign of anything.

use ratatui::style::{Color, Modifier, Style};

use crate::ui::replication::Grade;

/// The styles of what is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    is_colored: bool,
}

impl Palette {
    pub(super) const fn new(is_colored: bool) -> Self {
        Self { is_colored }
    }

    fn color(self, color: Color) -> Style {
        match self.is_colored {
            true => Style::new().fg(color),
            false => Style::new(),
        }
    }

    /// For a grade.
    pub(super) fn grade(self, grade: Grade) -> Style {
        self.color(match grade {
            Grade::Good => Color::Green,
            Grade::Doubtful => Color::Yellow,
            Grade::Bad => Color::Red,
        })
    }

    /// For headings.
    pub(super) fn heading(self) -> Style {
        self.color(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// For charts.
    pub(super) fn chart(self) -> Style {
        self.color(Color::Cyan)
    }

    /// For what is less important.
    pub(super) fn quiet(self) -> Style {
        match self.is_colored {
            true => Style::new().add_modifier(Modifier::DIM),
            false => Style::new(),
        }
    }

    /// For the selected row, and for the keys.
    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
