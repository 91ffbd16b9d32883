//! How a copy ends on the wire.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use std::ops::Range;
use std::task::{Context, Poll, ready};

use super::backend::{Backend, CopyFormat};
use super::error::Error;
use super::link::{Item, Link, unexpected_message};
use crate::pg::ServerError;

/// What the server says at the end of a copy, collected up to `ReadyForQuery`.
#[derive(Debug, Default)]
pub(super) struct Ending {
    error: Option<ServerError>,
    /// The tags of the command's statements so far.
    tags: Vec<String>,
    done: bool,
    ready: bool,
    /// The format in which the command's copies into tables are to be announced, where they are
    /// sent without waiting for that.
    announces: Option<CopyFormat>,
}

impl Ending {
    /// The ending of a copy into a table that the server has still to announce.
    pub(super) fn announcing(format: CopyFormat) -> Self {
        Self {
            announces: Some(format),
            ..Self::default()
        }
    }

    /// Whether the server has ended the copy by an error.
    pub(super) const fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// Whether the server has ended the session with its error.
    pub(super) fn session_ended(&self) -> bool {
        self.error.as_ref().is_some_and(ServerError::ends_session)
    }

    /// Whether the server waits for a command again.
    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Takes in one message.
    pub(super) fn take_message(
        &mut self,
        link: &mut Link,
        tag: u8,
        body: Range<usize>,
    ) -> Result<(), Error> {
        let status = match Backend::decode(tag, link.body(body))? {
            Backend::CopyDone => {
                self.done = true;
                return Ok(());
            }
            Backend::CommandComplete(tag) => {
                self.tags.push(tag.to_owned());
                return Ok(());
            }
            Backend::ErrorResponse(error) => {
                self.error.get_or_insert(error);
                return Ok(());
            }
            Backend::CopyInResponse(format) if self.announces == Some(format) => return Ok(()),
            Backend::ReadyForQuery(status) => status,
            other => return Err(unexpected_message("the end of a copy", &other)),
        };
        link.set_ready(status);
        self.ready = true;
        Ok(())
    }

    /// Waits for `ReadyForQuery`. An error that ends the session is followed by nothing.
    pub(super) fn poll_ready(
        &mut self,
        link: &mut Link,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while !self.ready {
            if self.session_ended() {
                break;
            }
            match ready!(link.poll_item(cx)) {
                Ok(Item::Message { tag, body }) => self.take_message(link, tag, body)?,
                Ok(Item::Copy { .. }) => {
                    return Poll::Ready(Err(Error::Unexpected {
                        expected: "the end of a copy",
                        received: "CopyData",
                    }));
                }
                // The error that was announced explains the end.
                Err(_) if self.error.is_some() => break,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the server has no more data.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// The server's error, if it reported one.
    pub(super) fn check_error(&mut self) -> Result<(), Error> {
        self.error.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The rows of the command's last copy, which other statements may follow, or the server's error.
    pub(super) fn last_rows(&mut self) -> Result<u64, Error> {
        self.check_error()?;
        let last = self.tags.last().ok_or(Error::OutOfStep)?;
        let mut tags = self.tags.iter().rev();
        let rows = tags.find_map(|tag| copied_rows(tag));
        rows.ok_or_else(|| Error::CopyTag { tag: last.clone() })
    }

    /// The rows of each copy that the server has ended so far.
    pub(super) fn copy_counts(&self) -> impl Iterator<Item = u64> {
        self.tags.iter().filter_map(|tag| copied_rows(tag))
    }

    /// Whether the server has ended one copy and its command may continue with another.
    pub(super) const fn is_between(&self) -> bool {
        self.done && !self.tags.is_empty() && !self.ready
    }
}

fn copied_rows(tag: &str) -> Option<u64> {
    tag.strip_prefix("COPY ")?.parse().ok()
}
