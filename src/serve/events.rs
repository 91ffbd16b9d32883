//! Reports as server-sent events (HTML standard, "Server-sent events").

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::answer::Body;
use super::site::Content;
use crate::status;

/// How often something is sent: proxies close connections on which nothing is.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// What a page waits before it connects again, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";

/// What is sent to one client.
struct Events {
    content: Content,
    /// Whether the first frame was sent.
    has_begun: bool,
    /// One of the places of clients that stay.
    _place: OwnedSemaphorePermit,
}

/// The body of the answer: an event for the newest report, and for each later one. It ends with the reports.
pub(super) fn body(mut content: Content, place: OwnedSemaphorePermit) -> Body {
    content.reports.mark_changed();
    let events = Events {
        content,
        has_begun: false,
        _place: place,
    };
    let frames = stream::unfold(events, |mut events| async move {
        let frame = events.next().await?;
        let frame = Frame::data(Bytes::from(frame));
        Some((Ok::<_, Infallible>(frame), events))
    });
    StreamBody::new(frames).boxed_unsync()
}

impl Events {
    async fn next(&mut self) -> Option<String> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(RETRY.to_owned());
        }
        match timeout(KEEPALIVE, self.next_report()).await {
            Ok(report) => Some(event(&self.content.json(&*report?))),
            Err(_) => Some(": keepalive\n\n".to_owned()),
        }
    }

    async fn next_report(&mut self) -> Option<Arc<status::Report>> {
        loop {
            self.content.reports.changed().await.ok()?;
            let report = self.content.reports.borrow_and_update().clone();
            if report.is_some() {
                return report;
            }
        }
    }
}

/// One event: JSON has no line breaks.
fn event(json: &str) -> String {
    format!("data: {}\n\n", json.trim_end())
}
