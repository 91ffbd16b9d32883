use super::backend::CancelKey;
use super::link::BoxStream;

/// A started session taken apart, for another client to speak on.
pub struct Parts {
    /// The stream.
    pub stream: BoxStream,
    /// What the server said of its parameters, by name.
    pub parameters: Vec<(String, String)>,
    /// What a cancel request needs; poolers may give none.
    pub key: Option<CancelKey>,
    /// Bytes received and not understood yet.
    pub unread: Vec<u8>,
}
