//! Predicates: boolean expressions of the user that choose rows. Pure: text in, text and positions out.
//!
//! A [`Predicate`] cannot end the statement that it is put into: it was split into tokens as the server's scanner
//! does, and everything that could leave its parentheses was refused. Calls of the current time in it are found
//! with their largest operand that reads no column, so that the source can compute that once.

mod fault;
mod moment;
mod node;
mod not_bounded;
mod operand;
mod parser;
mod quote;
mod reader;
mod text;
mod time_call;
mod token;
mod type_name;
mod window;

pub use fault::{Fault, FaultKind};
pub use moment::{Moment, SPECIAL_LITERALS, TimeCall};
pub use not_bounded::{NotBounded, NotBoundedReason};
pub use operand::{TimeOperand, find_time_operands};
pub use text::{Predicate, Words};
pub use window::{Window, WindowError};
