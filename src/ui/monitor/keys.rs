//! What keys do.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// End the monitor.
    Quit,
    /// End the help, or the monitor.
    Close,
    /// Show or hide the help.
    Help,
    /// Sort by the next column.
    Sort,
    /// Select the row above.
    Up,
    /// Select the row below.
    Down,
    /// Select the first row.
    First,
    /// Select the last row.
    Last,
    /// Show earlier lines of the details.
    ScrollUp,
    /// Show later lines of the details.
    ScrollDown,
    /// Draw again: the terminal has another size.
    Redraw,
    /// Nothing.
    Ignore,
}

/// The keys and what they do, for the help.
pub(super) const HELP: [(&str, &str); 7] = [
    ("q, Esc, Ctrl-C", "quit"),
    ("?, h", "show or hide this help"),
    ("s", "sort by name, lag, verdict or retained WAL"),
    ("Up, Down, k, j", "select a database"),
    ("Home, End, g, G", "select the first or the last database"),
    ("PgUp, PgDn", "scroll the details"),
    ("Ctrl-L", "draw again"),
];

/// Returns what an event of the terminal asks for.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these of the library's keys have a meaning"
)]
pub(super) fn action(event: &Event) -> Action {
    let key = match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        Event::Resize(..) => return Action::Redraw,
        _ => return Action::Ignore,
    };
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return control(*key);
    }
    match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Esc => Action::Close,
        KeyCode::Char('?' | 'h') => Action::Help,
        KeyCode::Char('s') => Action::Sort,
        KeyCode::Up | KeyCode::Char('k') => Action::Up,
        KeyCode::Down | KeyCode::Char('j') => Action::Down,
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::PageUp => Action::ScrollUp,
        KeyCode::PageDown => Action::ScrollDown,
        _ => Action::Ignore,
    }
}

/// In raw mode a terminal sends no signal for Ctrl-C.
fn control(key: KeyEvent) -> Action {
    if key.code == KeyCode::Char('c') || key.code == KeyCode::Char('d') {
        Action::Quit
    } else if key.code == KeyCode::Char('l') {
        Action::Redraw
    } else {
        Action::Ignore
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Action {
        action(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn three_keys_quit() {
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('q'), none), Action::Quit);
        assert_eq!(key(KeyCode::Esc, none), Action::Close);
        let control = KeyModifiers::CONTROL;
        assert_eq!(key(KeyCode::Char('c'), control), Action::Quit);
        assert_eq!(key(KeyCode::Char('c'), none), Action::Ignore);
    }

    #[test]
    fn a_key_counts_when_it_is_pressed_and_a_resize_is_drawn() {
        let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(action(&Event::Key(released)), Action::Ignore);
        assert_eq!(action(&Event::Resize(80, 24)), Action::Redraw);
        assert_eq!(action(&Event::FocusGained), Action::Ignore);
    }
}
