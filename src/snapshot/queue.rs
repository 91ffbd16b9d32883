use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Work that several lanes take from, in order.
#[derive(Debug)]
pub(super) struct Queue<T>(Arc<Mutex<VecDeque<T>>>);

impl<T> Queue<T> {
    /// A queue of these items.
    pub(super) fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self(Arc::new(Mutex::new(items.into_iter().collect())))
    }

    /// The next item, once.
    pub(super) fn pop(&self) -> Option<T> {
        self.0
            .lock()
            .expect("no lane panics while it takes an item")
            .pop_front()
    }

    /// Adds items behind the others.
    pub(super) fn extend(&self, items: impl IntoIterator<Item = T>) {
        self.0
            .lock()
            .expect("no lane panics while it takes an item")
            .extend(items);
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
