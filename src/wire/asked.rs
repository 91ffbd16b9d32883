//! Commands of several copies, sent before their answers are awaited: so a copy costs no round trip
//! of its own.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use super::backend::{Backend, CopyFormat};
use super::connection::{Connection, Failure, Idle};
use super::copy_in::CopyIn;
use super::copy_out::CopyOut;
use super::error::Error;
use super::link::unexpected_message;
use crate::pg::Sql;

/// A command was sent, and its answer is still to be read: while the server works on it, something
/// else can be done.
#[derive(Debug)]
pub struct Asked(());

impl Connection<Idle> {
    /// Sends a command of one or more statements among which are copies. Not cancel safe: the
    /// connection is lost with the future.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn ask(mut self, sql: &Sql) -> Result<Connection<Asked>, Failure> {
        let asked = async {
            self.link.begin_command(sql)?;
            self.link.flush().await
        };
        match asked.await {
            Ok(()) => Ok(self.with_state(Asked(()))),
            Err(error) => Err(self.into_failure(error)),
        }
    }
}

impl Connection<Asked> {
    /// Waits for the first of the command's copies out; statements before it give no rows. The
    /// others follow, without a word from us. Not cancel safe: the connection is lost with the
    /// future.
    ///
    /// # Errors
    /// The server refused a statement.
    pub async fn copies_out(mut self) -> Result<Connection<CopyOut>, Failure> {
        match self.first_copy().await {
            Ok(format) => Ok(CopyOut::enter_state(
                Connection::new_idle(self.link),
                format,
            )),
            Err(error) => Err(self.into_failure(error)),
        }
    }

    async fn first_copy(&mut self) -> Result<CopyFormat, Error> {
        loop {
            match self.link.receive().await? {
                Backend::CommandComplete(_) => {}
                Backend::CopyOutResponse(format) => return Ok(format),
                Backend::ErrorResponse(error) => return Err(self.link.settle_error(error).await),
                other => return Err(unexpected_message("CopyOutResponse", &other)),
            }
        }
    }

    /// Continues with the rows of the command's copies into tables, without waiting until the server
    /// is ready for them: what it refuses meanwhile, it drops the rows of.
    ///
    /// # Protocol
    /// A server that is not copying ignores `CopyData` and `CopyDone`.
    pub fn copies_in(self, format: CopyFormat) -> Connection<CopyIn> {
        self.with_state(CopyIn::unannounced(format))
    }
}
