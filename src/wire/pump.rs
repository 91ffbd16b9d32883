//! Moves the rows of one copy into another, byte for byte, within two buffers.
//!
//! ```text
//!   source ──▶ inbox ──(pack)──▶ outgoing ──▶ target
//!                 ▲                  │
//!                 └── buffers change places: nothing is copied but half a header
//! ```
//!
//! The source is read while the target is written to. The target's answers are read all the time: it may
//! refuse a row in the middle, and a target whose answers nobody reads may stop reading.
//!
//! Order of the end: the source's tag is compared with our count *before* the target is sent
//! `CopyDone`, so that what is not whole is never committed. An error of either side ends both,
//! and each side's own error is kept: the target's "COPY from stdin failed" that our `CopyFail`
//! provokes is not one.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWrite;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::connection::Connection;
use super::copy_in::CopyIn;
use super::copy_out::CopyOut;
use super::error::Error;
use super::frame::COPY_BUFFER_BYTES;
use super::frontend;
use super::link::Item;
use super::pack::{PASS_THROUGH_FROM_BYTES, Packed, Packing, frame_payloads, pack};
use super::progress::Progress;
use super::pump_outcome::{EndedBy, PumpError, PumpOutcome, SourceAfter};
use super::tally::{Copied, compare_row_counts};

/// How long the target may take to answer `CopyFail` before its stream is closed instead, which
/// ends the copy as well. It may be busy with a row, or wait for a lock.
const GRACE: Duration = Duration::from_secs(10);

/// How a copy is moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct PumpOptions {
    /// How rows are framed for the target.
    pub packing: Packing,
}

/// Moves all rows of `source` into `target`; with several copies on either side, each into the
/// one of the same place. Takes two buffers of 256 KiB, regardless of the rows' size. Not cancel safe:
/// dropping it closes both connections, whereupon the target's server rolls the copy back.
///
/// # Protocol
/// `CopyData` in both directions; `CopyDone` to the target only after the source's
/// `CommandComplete` and `ReadyForQuery`; else `CopyFail`.
pub async fn pump(
    source: Connection<CopyOut>,
    target: Connection<CopyIn>,
    options: &PumpOptions,
    progress: &Progress,
    stop: &CancellationToken,
) -> PumpOutcome {
    let mut pump = Pump::new(source, target, options.packing);
    let ended = pump.forward_all(progress, stop).await;
    let ended = match ended {
        Ok(()) => pump.complete_copy(stop).await,
        Err(ended) => Err(ended),
    };
    let result = match ended {
        Ok(copied) => Ok(copied),
        Err(Ended::Lost) => Err(pump.pump_error(EndedBy::Stop, None, None)),
        Err(Ended::Stop) => {
            let target_error = pump.abort_target("the copy was stopped").await;
            Err(pump.pump_error(EndedBy::Stop, None, target_error))
        }
        Err(Ended::Source(error)) => {
            let target_error = pump.abort_target("the copy's source failed").await;
            Err(pump.pump_error(EndedBy::Source, Some(error), target_error))
        }
        Err(Ended::Target(error)) => {
            let source_error = pump.peek_source().await;
            Err(pump.pump_error(EndedBy::Target, source_error, Some(error)))
        }
    };
    pump.into_outcome(result)
}

/// Why a pump no longer forwards.
enum Ended {
    Source(Error),
    Target(Error),
    /// Stopped while the copy can still be taken back.
    Stop,
    /// Stopped while the target was deciding; its connection is given up.
    Lost,
}

/// Both ends of a pump and what is on its way between them.
struct Pump {
    source: Connection<CopyOut>,
    target: Connection<CopyIn>,
    packing: Packing,
    /// The buffer of which `pending` is still to be sent: whole frames.
    outgoing: Vec<u8>,
    pending: Range<usize>,
    /// The source's stream has ended or failed; what it said before comes first.
    source_end: Option<Error>,
    target_lost: bool,
}

impl Pump {
    fn new(source: Connection<CopyOut>, target: Connection<CopyIn>, packing: Packing) -> Self {
        Self {
            source,
            target,
            packing,
            outgoing: vec![0; COPY_BUFFER_BYTES],
            pending: 0..0,
            source_end: None,
            target_lost: false,
        }
    }

    /// Forwards until the source has ended well and all it sent is on its way.
    async fn forward_all(
        &mut self,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<(), Ended> {
        let (source_format, target_format) = (self.source.format(), self.target.format());
        if source_format != target_format {
            return Err(Ended::Source(Error::CopyFormats {
                source_format,
                target_format,
            }));
        }
        let mut stopped = pin!(stop.cancelled());
        loop {
            self.load_outgoing(progress).map_err(Ended::Source)?;
            if self.source.state.ending.is_ready() && self.pending.is_empty() {
                self.source.judge_copy().map_err(Ended::Source)?;
                progress.without(self.source.state.tally.trailer_frames());
                return Ok(());
            }
            if let Err(error) = poll_fn(|cx| self.poll_step(progress, stopped.as_mut(), cx)).await {
                return Err(match error {
                    Ended::Target(error) => Ended::Target(self.target_error(error).await),
                    ended @ (Ended::Source(_) | Ended::Stop | Ended::Lost) => ended,
                });
            }
        }
    }

    /// Fills `outgoing` from what has been received, if it is empty.
    fn load_outgoing(&mut self, progress: &Progress) -> Result<(), Error> {
        while self.pending.is_empty() && !self.source.state.ending.is_ready() {
            if self.load_rows(progress)? {
                continue;
            }
            match self.source.link.next_item()? {
                Some(Item::Message { tag, body }) => {
                    let trailers = self.source.state.tally.trailer_frames();
                    if self.source.take_message(tag, body)?.is_some() {
                        progress.without(trailers);
                        self.end_copy();
                    }
                }
                Some(Item::Copy { .. }) => {
                    return Err(Error::Unexpected {
                        expected: "the end of a copy",
                        received: "CopyData",
                    });
                }
                None => return self.check_source_end(),
            }
        }
        Ok(())
    }

    /// Ends one copy on the target, with others to come.
    fn end_copy(&mut self) {
        let mut done = BytesMut::new();
        frontend::copy_done(&mut done);
        self.outgoing[..done.len()].copy_from_slice(&done);
        self.pending = 0..done.len();
    }

    /// There is nothing to forward: has the source failed?
    fn check_source_end(&mut self) -> Result<(), Error> {
        if self.source.state.ending.session_ended() {
            self.source.state.ending.last_rows()?;
        }
        match self.source_end.take() {
            None => Ok(()),
            Some(_) if self.source.state.ending.has_error() => {
                self.source.state.ending.last_rows().map(drop)
            }
            Some(error) => Err(error),
        }
    }

    /// Moves what has arrived of the rows to `outgoing`; whether there was any.
    fn load_rows(&mut self, progress: &Progress) -> Result<bool, Error> {
        let repack = self.wants_repack();
        let (buffer, filled, remaining) = self.source.link.inbox.buffer_parts();
        let start = filled.start;
        let packed = pack(buffer, filled, remaining, repack)?;
        if packed.end == start {
            return Ok(false);
        }
        self.count_packed(&packed)?;
        progress.add(&packed);
        let inbox = &mut self.source.link.inbox;
        inbox.exchange_buffer(&mut self.outgoing, packed.end, packed.remaining);
        self.pending = packed.send;
        Ok(true)
    }

    /// Whether rows so far are so narrow that frames of their own cost more than moving them.
    fn wants_repack(&self) -> bool {
        match self.packing {
            Packing::PassThrough => false,
            Packing::Repack => true,
            Packing::Adaptive => {
                self.source.state.tally.average_frame_bytes() < PASS_THROUGH_FROM_BYTES
            }
        }
    }

    /// Counts rows, and checks the header that comes with the first.
    fn count_packed(&mut self, packed: &Packed) -> Result<(), Error> {
        let Connection { link, state } = &mut self.source;
        if state.tally.wants_header() {
            // The frames are our own by now, but their payloads are the data.
            let (buffer, ..) = link.inbox.buffer_parts();
            for payload in frame_payloads(&buffer[packed.send.clone()]) {
                state.tally.check_header(payload)?;
            }
        }
        state
            .tally
            .count_frames(packed.frames, packed.bytes, packed.last_frame);
        Ok(())
    }

    /// Reads, writes and listens once, whichever is possible.
    fn poll_step(
        &mut self,
        progress: &Progress,
        stopped: Pin<&mut WaitForCancellationFuture<'_>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Ended>> {
        if stopped.poll(cx).is_ready() {
            return Poll::Ready(Err(Ended::Stop));
        }
        let pending = self.pending.start;
        let read = self.poll_read(cx);
        let written = self.poll_write(cx).map_err(Ended::Target)?;
        if read || self.pending.start != pending {
            progress.note_movement();
        }
        self.poll_refused(cx).map_err(Ended::Target)?;
        if read || written {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Reads from the source as long as there is something and room for it; whether anything
    /// came. A full buffer, not a short one, is what the target should get.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> bool {
        let link = &mut self.source.link;
        let mut any = false;
        while self.source_end.is_none()
            && !self.source.state.ending.is_ready()
            && link.inbox.has_room()
        {
            match link.inbox.poll_fill(&mut link.stream, cx) {
                Poll::Ready(Ok(0)) => self.source_end = Some(Error::Closed),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => self.source_end = Some(error.into()),
                Poll::Pending => break,
            }
            any = true;
        }
        any
    }

    /// Writes to the target as much as it takes; whether all is written that was pending.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        if self.pending.is_empty() {
            // What TLS still holds back must not wait for the next row.
            let stream = Pin::new(&mut self.target.link.stream);
            let _flushed = stream.poll_flush(cx)?;
            return Ok(false);
        }
        while !self.pending.is_empty() {
            let stream = Pin::new(&mut self.target.link.stream);
            match stream.poll_write(cx, &self.outgoing[self.pending.clone()])? {
                Poll::Ready(0) => return Err(Error::Closed),
                Poll::Ready(sent) => self.pending.start += sent,
                Poll::Pending => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Listens to the target. It has nothing to say but notices, or no.
    fn poll_refused(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.target.link.poll_listen(cx)?;
        self.target.note_answers()?;
        if self.target.state.ending.has_error() {
            // Its own words are read by `target_error`.
            return Err(Error::OutOfStep);
        }
        Ok(())
    }

    /// The target's own words for an error that ended it, its connection in step where possible:
    /// the frames on their way are completed, and the server drops them.
    async fn target_error(&mut self, error: Error) -> Error {
        if !self.target.state.ending.has_error() {
            self.target_lost = true;
            return self.target.link.last_word(error).await;
        }
        match tokio::time::timeout(GRACE, self.settle_target()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => self.target_lost = true,
        }
        self.target.state.ending.last_rows().err().unwrap_or(error)
    }

    /// Completes what is on its way and waits until the target takes commands again.
    async fn settle_target(&mut self) -> Result<(), Error> {
        self.flush_pending().await?;
        let Connection { link, state } = &mut self.target;
        poll_fn(|cx| state.ending.poll_ready(link, cx)).await
    }

    /// Writes what is pending, listening all the while.
    async fn flush_pending(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_pending(cx)).await?;
        let stream = &mut self.target.link.stream;
        poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await?;
        Ok(())
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.pending.is_empty() || self.poll_write(cx)? {
            return Poll::Ready(Ok(()));
        }
        self.target.link.poll_listen(cx)?;
        self.target.note_answers()?;
        Poll::Pending
    }

    /// Ends the target's last copy well, and compares all that it counted; the total.
    async fn complete_copy(&mut self, stop: &CancellationToken) -> Result<Copied, Ended> {
        let completed = tokio::select! {
            completed = self.target.complete_copy() => completed,
            () = stop.cancelled() => {
                self.target_lost = true;
                return Err(Ended::Lost);
            }
        };
        completed.map_err(Ended::Target)?;
        self.compare_counts().map_err(Ended::Target)
    }

    /// Compares what the target has counted with what the source has sent, copy by copy.
    fn compare_counts(&self) -> Result<Copied, Error> {
        let ended = &self.source.state.ended;
        let counts: Vec<u64> = self.target.state.ending.copy_counts().collect();
        let mut total = Copied::default();
        for (copied, tagged) in ended.iter().zip(&counts) {
            compare_row_counts(*tagged, copied.rows)?;
            total.rows += copied.rows;
            total.bytes += copied.bytes;
        }
        if counts.len() != ended.len() {
            return Err(Error::OutOfStep);
        }
        Ok(total)
    }

    /// Gives the target's copy up; an error of its own, if it had one.
    async fn abort_target(&mut self, reason: &str) -> Option<Error> {
        let end = async {
            self.flush_pending().await?;
            self.target.give_up(reason).await
        };
        match tokio::time::timeout(GRACE, end).await {
            Ok(Ok(error)) => error,
            Ok(Err(error)) => {
                self.target_lost = true;
                Some(error)
            }
            // The stream is closed, and with it the copy ends.
            Err(_) => {
                self.target_lost = true;
                None
            }
        }
    }

    /// An error that the source has already reported, without waiting for one.
    async fn peek_source(&mut self) -> Option<Error> {
        poll_fn(|cx| {
            self.poll_read(cx);
            Poll::Ready(())
        })
        .await;
        self.pending = 0..0;
        loop {
            match self.load_outgoing(&Progress::default()) {
                Err(error) => return Some(error),
                Ok(()) if self.pending.is_empty() => return None,
                Ok(()) => self.pending = 0..0,
            }
        }
    }

    fn pump_error(
        &self,
        ended_by: EndedBy,
        source_error: Option<Error>,
        target_error: Option<Error>,
    ) -> PumpError {
        PumpError {
            ended_by,
            source_error,
            target_error,
        }
    }

    fn into_outcome(mut self, result: Result<Copied, PumpError>) -> PumpOutcome {
        let copies = std::mem::take(&mut self.source.state.ended);
        let at = match result.as_ref().map_err(|error| error.ended_by) {
            Err(EndedBy::Target) => self.target.state.ending.copy_counts().count(),
            Ok(_) | Err(EndedBy::Source | EndedBy::Stop) => copies.len(),
        };
        let source_failed = matches!(
            &result,
            Err(PumpError {
                source_error: Some(_),
                ..
            })
        );
        let source = if self.source.state.ending.is_ready() {
            self.source
                .into_idle()
                .map_or(SourceAfter::Lost, SourceAfter::Idle)
        } else if source_failed || self.source_end.is_some() {
            SourceAfter::Lost
        } else {
            SourceAfter::Running(Box::new(self.source))
        };
        let target = if self.target_lost {
            None
        } else {
            self.target.into_idle()
        };
        PumpOutcome {
            result,
            copies,
            at,
            source,
            target,
        }
    }
}
