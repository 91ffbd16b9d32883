//! One file per class of object: from the model to the statements that make it.

pub mod comment;
pub mod database;
pub mod grant;
pub mod membership;
mod parameter;
pub mod role;
