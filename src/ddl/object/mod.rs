//! One file per class of object: from the model to the statements that make it.

pub mod comment;
pub mod database;
pub mod grant;
mod membership;
pub mod role;
