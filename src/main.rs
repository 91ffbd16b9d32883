//! Starts the runtime, runs the command line, exits with its code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use seren_replicator::cli;

/// The platform's allocator faults in every buffer of a TLS stream again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a bug exits with.
const BUG: u8 = 1;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| cli::report_bug(&panic.to_string())));
    ExitCode::from(catch_unwind(AssertUnwindSafe(run)).unwrap_or(BUG))
}

fn run() -> u8 {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::report_bug(&format!("start the runtime: {error}"));
            return BUG;
        }
    };
    let code = runtime.block_on(cli::run());
    // A thread that still waits for an answer on standard input is left behind.
    runtime.shutdown_background();
    code
}
