//! SIGINT and SIGTERM: the first asks the run to stop cleanly and gives it time for that, the second ends
//! it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit;
use crate::task::Background;
use crate::ui::Screen;

/// What the first signal is answered with.
const STOPPING: &str = "stopping: press Ctrl-C again to end at once";

/// How long cleanup may take after a signal. A large database takes a server some seconds to drop.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(30);

/// What signals have asked for so far.
#[derive(Debug)]
pub(super) struct Signals {
    stop: CancellationToken,
    forced: CancellationToken,
    exit_code: Arc<AtomicU8>,
    _listener: Background<()>,
}

impl Signals {
    /// Starts to listen, in place of the signals' usual effect.
    pub(super) fn listen(screen: Screen) -> Self {
        let stop = CancellationToken::new();
        let forced = CancellationToken::new();
        let exit_code = Arc::new(AtomicU8::new(exit::INTERRUPTED));
        let listener = listen(
            screen,
            [stop.clone(), forced.clone()],
            Arc::clone(&exit_code),
        );
        Self {
            stop,
            forced,
            exit_code,
            _listener: Background::spawn(listener),
        }
    }

    /// Cancelled by the first signal.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Returns at the second signal, or when cleanup after the first has had its time: a server that
    /// is gone without a word would keep it for ever. Cancel safe.
    pub(super) async fn forced(&self) {
        let late = async {
            self.stop.cancelled().await;
            tokio::time::sleep(CLEANUP_TIMEOUT).await;
        };
        tokio::select! {
            () = self.forced.cancelled() => {}
            () = late => {}
        }
    }

    /// What a stopped run exits with.
    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code.load(Ordering::Relaxed)
    }
}

async fn listen(screen: Screen, tokens: [CancellationToken; 2], exit_code: Arc<AtomicU8>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        // Without handlers the signals keep their usual effect.
        return;
    };
    for (number, token) in tokens.into_iter().enumerate() {
        let code = tokio::select! {
            _ = interrupt.recv() => exit::INTERRUPTED,
            _ = terminate.recv() => exit::TERMINATED,
        };
        exit_code.store(code, Ordering::Relaxed);
        if number == 0 {
            // First: the command may end at once.
            screen.interrupt(STOPPING);
        }
        token.cancel();
    }
}
