mod additions;
mod decide;
mod error;
mod followed;
mod found;
mod hidden;
mod options;
mod plan;
mod recorded;
mod subscriber;

pub use error::Error;
pub use followed::{Asked, Followed, Replicated, find_followed};
pub use options::Options;
pub use plan::{Prepared, prepare};
