//! The program as a process: arguments, prompts, signals, exit codes.

mod checklists;
mod command;
mod config;
mod demo;
mod dialogue;
mod events;
mod first_contact;
mod next;
pub(crate) mod owner;
mod proposals;
mod published_lines;
mod signals;
mod texts;
mod waits;
