//! Exit codes. A code never changes its meaning (docs/exit-codes.md).

/// The thing was done; `verify`: equal.
pub(super) const DONE: u8 = 0;
/// Refused, declined or failed; `verify`: something differs; `validate`: an error was found.
pub(super) const FAILED: u8 = 1;
/// The command line, a URL or a name in it is wrong. No connection was opened.
pub(super) const USAGE: u8 = 2;
/// `status`: a database is replicated, and behind.
pub(super) const LAGGING: u8 = 3;
/// `status`: a database is not replicated, or cannot be.
pub(super) const NOT_ACTIVE: u8 = 4;
/// `teardown`: one server was cleaned; the statements for the other were printed.
pub(super) const PARTIAL: u8 = 6;
/// `init`: everything is copied but objects that the target refused, which may be missing on request.
pub(super) const INCOMPLETE: u8 = 7;
/// Ended by SIGINT.
pub(super) const INTERRUPTED: u8 = 130;
/// Ended by SIGTERM.
pub(super) const TERMINATED: u8 = 143;
