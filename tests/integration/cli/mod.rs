//! The program as a process: arguments, prompts, signals, exit codes.

mod command;
mod demo;
pub(crate) mod owner;
mod signals;
mod texts;
