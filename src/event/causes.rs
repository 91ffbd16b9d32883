//! The one walk along an error and its causes.

use std::error::Error;

/// An error as messages show it.
pub trait WithCauses: Error {
    /// The error with its causes, on one line.
    fn chain(&self) -> String {
        let mut text = self.to_string();
        for cause in self.source().into_iter().flat_map(causes) {
            text = format!("{text}: {cause}");
        }
        text
    }
}

impl<E: Error + ?Sized> WithCauses for E {}

/// An error and its causes, from the outside in.
pub fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The outermost error of a type, boxed or not, among an error and its causes.
pub fn find_cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    causes(error).find_map(as_type)
}

/// The error itself, if it is of a type, boxed or not. A transparent error in the chain represents its cause.
pub fn as_type<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let boxed = error.downcast_ref::<Box<T>>().map(AsRef::as_ref);
    boxed.or_else(|| error.downcast_ref())
}
