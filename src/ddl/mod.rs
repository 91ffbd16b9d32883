//! From the model to statements. Pure: nothing here asks a server.

pub mod object;
mod setting;

pub use setting::render_setting;
