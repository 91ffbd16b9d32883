//! The kinds of lines, and the names by which programs recognize them.

use super::Severity;

/// Defines [`LogKind`]: one line a kind, with its name and its usual severity.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $name:literal, $severity:ident;)*) => {
        /// The kind of a line. `docs/json.md` lists the names. A name never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LogKind {
            $($(#[$doc])* $kind,)*
        }

        impl LogKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Returns how much a line of this kind matters, unless it says otherwise.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$kind => Severity::$severity,)*
                }
            }
        }
    };
}

kinds! {
    /// A message of the program's log.
    Log => "log", Info;
    /// What the program does now.
    Status => "status", Info;
    /// Something takes long.
    Waiting => "waiting", Info;
    /// A result of the checks.
    Finding => "finding", Info;
    /// A warning that is no finding.
    Warning => "warning", Warn;
    /// Something good to know, which changes nothing.
    Note => "note", Info;
    /// A warning of a server.
    ServerWarning => "server-warning", Warn;
    /// Sizes and times of the plan.
    Sizes => "sizes", Info;
    /// A server of the plan.
    Server => "server", Info;
    /// What the plan does with a database.
    Plan => "plan", Info;
    /// What `teardown` has found.
    Leftover => "leftover", Info;
    /// What would let a refused run continue; a question follows.
    Proposal => "proposal", Info;
    /// A question, answered by a line of standard input.
    Question => "question", Info;
    /// A phase began.
    PhaseStarted => "phase-started", Info;
    /// A phase ended well.
    PhaseFinished => "phase-finished", Info;
    /// What is to be copied of a database.
    CopyPlanned => "copy-planned", Info;
    /// What is to be compared of a database.
    VerifyPlanned => "verify-planned", Info;
    /// How far the work in a database is.
    Progress => "progress", Info;
    /// The rows of a table are committed on the target.
    TableCopied => "table-copied", Info;
    /// A table was compared.
    TableVerified => "table-verified", Info;
    /// A replication is catching up.
    CatchingUp => "catching-up", Info;
    /// A replication has caught up.
    CaughtUp => "caught-up", Info;
    /// A step of `demo` begins.
    DemoStep => "demo-step", Info;
    /// A signal stops the command.
    Stopping => "stopping", Info;
    /// Why the command failed.
    Error => "error", Error;
}
