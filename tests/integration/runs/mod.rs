//! Several runs: concurrent, killed, resumed, removed.

mod recorder;
mod resume;
mod several;
mod teardown;
mod used_target;
