//! How tasks live: every task belongs to a [`Group`] that joins it, or to a [`Background`] that
//! ends it on drop. Stopping is a token, passed on in a [`Scope`].

mod crew;
mod group;
mod scope;

pub use crew::Crew;
pub use group::{Background, Group};
pub use scope::{Cancelled, Scope};
