//! The terminal while the monitor draws on it, and the keyboard.

use std::io::{self, BufWriter, Stdout};
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{Event, poll, read};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Position, Rect};
use tokio::sync::mpsc;

use super::draw::draw;
use super::palette::Palette;
use super::state::State;
use crate::ui::Screen;

/// How long the keyboard is read before it is decided whether to end. The end of the monitor waits for that.
const KEYBOARD_PERIOD: Duration = Duration::from_millis(100);

/// Keys that wait. A key that nobody can wait for is better lost than late.
const WAITING_KEYS: usize = 64;

/// One write for a whole frame.
const FRAME_BYTES: usize = 64 << 10;

/// What a panic is reported with.
type Hook = Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The terminal, which is as it was before once this is dropped.
pub(super) struct LiveTerminal {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    keyboard: Keyboard,
    // The last field: what has waited is written to the terminal as it was before.
    _modes: Modes,
}

impl LiveTerminal {
    /// Shows an empty screen. `holds_lines` if standard error is the terminal too.
    ///
    /// # Errors
    /// The terminal is broken, or no thread could be started.
    pub(super) fn open(screen: &Screen, holds_lines: bool) -> io::Result<Self> {
        let modes = Modes::enter(holds_lines.then(|| screen.clone()))?;
        let out = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        let mut terminal = Terminal::new(CrosstermBackend::new(out))?;
        terminal.hide_cursor()?;
        Ok(Self {
            terminal,
            keyboard: Keyboard::start()?,
            _modes: modes,
        })
    }

    /// Draws the state.
    ///
    /// # Errors
    /// The terminal is broken.
    pub(super) fn draw(&mut self, state: &State, palette: Palette) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame, state, palette))?;
        Ok(())
    }

    /// Erases everything: something else may have written on the terminal.
    ///
    /// # Errors
    /// The terminal is broken.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // The library's `clear` asks the terminal for the place of the cursor, and the keyboard gets the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Waits for a key or another size. None if the keyboard has ended. Cancel safe.
    pub(super) async fn next_event(&mut self) -> Option<io::Result<Event>> {
        self.keyboard.events.recv().await
    }
}

/// Raw mode and the alternate screen.
struct Modes {
    screen: Option<Screen>,
    hook: Hook,
    is_entered: Arc<AtomicBool>,
}

impl Modes {
    fn enter(screen: Option<Screen>) -> io::Result<Self> {
        if let Some(screen) = &screen {
            screen.hold_lines();
        }
        // A panic is reported on the terminal as it was before, where it can be read afterwards.
        let hook: Hook = Arc::from(std::panic::take_hook());
        let is_entered = Arc::new(AtomicBool::new(true));
        let (reports, entered) = (Arc::clone(&hook), Arc::clone(&is_entered));
        std::panic::set_hook(Box::new(move |panic| {
            restore(&entered);
            reports(panic);
        }));
        // From here on a failure restores what was changed.
        let modes = Self {
            screen,
            hook,
            is_entered,
        };
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        Ok(modes)
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        restore(&self.is_entered);
        // A thread that panics cannot change the hook.
        if !std::thread::panicking() {
            let hook = Arc::clone(&self.hook);
            std::panic::set_hook(Box::new(move |panic| hook(panic)));
        }
        if let Some(screen) = &self.screen {
            screen.release_lines();
        }
    }
}

/// Brings back the terminal as it was, once: leaving the alternate screen again would move the cursor over what was
/// written since. A broken terminal cannot be restored, and has no place to report that.
fn restore(is_entered: &AtomicBool) {
    if is_entered.swap(false, Ordering::Relaxed) {
        drop(execute!(io::stdout(), LeaveAlternateScreen, Show));
        drop(disable_raw_mode());
    }
}

/// A thread that reads the keyboard: that blocks.
struct Keyboard {
    events: mpsc::Receiver<io::Result<Event>>,
    is_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keyboard {
    fn start() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(WAITING_KEYS);
        let is_ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_ended);
        let thread = std::thread::Builder::new().name("keyboard".to_owned());
        let thread = thread.spawn(move || read_keyboard(&sender, &ends))?;
        Ok(Self {
            events,
            is_ended,
            thread: Some(thread),
        })
    }
}

impl Drop for Keyboard {
    /// The thread ends before the terminal belongs to the shell again: it would take the shell's keys.
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn read_keyboard(sender: &mpsc::Sender<io::Result<Event>>, is_ended: &AtomicBool) {
    while !is_ended.load(Ordering::Relaxed) {
        let event = match poll(KEYBOARD_PERIOD) {
            Ok(false) => continue,
            Ok(true) => read(),
            Err(error) => Err(error),
        };
        let is_last = event.is_err();
        drop(sender.try_send(event));
        if is_last {
            return;
        }
    }
}
