use super::config::hint_of_config;
use super::exit;
use super::setting::flag_of;
use crate::event::{as_type, causes, find_cause};
use crate::logical::PublishError;
use crate::predicate::Fault;
use crate::remedy::Remedy;
use crate::snapshot::find_unreadable_row;
use crate::ui::render_remedies;
use crate::{
    checkpoint, cluster, config, connect, demo, migrate, replicate, serve, snapshot, status,
    teardown, verify,
};

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line cannot be read.
    #[error("{message}")]
    Usage {
        /// What is wrong with it.
        message: String,
    },
    /// A connection string is wrong.
    #[error("--{side}")]
    Url {
        /// `source` or `target`.
        side: &'static str,
        /// What is wrong with it.
        source: connect::Error,
    },
    /// A list holds an empty item.
    #[error("{flag}: an item of {text:?} is empty")]
    EmptyItem {
        /// The flag.
        flag: &'static str,
        /// The list as given.
        text: String,
    },
    /// A list opens a quote and does not close it.
    #[error("{flag}: a double quote in {text:?} is not closed")]
    OpenQuote {
        /// The flag.
        flag: &'static str,
        /// The list as given.
        text: String,
    },
    /// A predicate could leave its place in a statement, or is none.
    #[error("{flag}: the predicate of {table} cannot be used: {fault} of: {text}")]
    Predicate {
        /// The flag.
        flag: &'static str,
        /// The table, as given.
        table: String,
        /// The predicate, as given.
        text: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The checks found errors; they have been shown.
    #[error("the checks found {count} error{}; nothing was changed", if *count == 1 { "" } else { "s" })]
    Refused {
        /// How many.
        count: usize,
    },
    /// The user said no, or nothing.
    #[error("not confirmed; nothing was changed")]
    Declined,
    /// The user said no, or nothing, to a change that would let the run continue.
    #[error("not confirmed; nothing was changed")]
    ProposalDeclined {
        /// The flag that does the same.
        flag: &'static str,
    },
    /// The user left the interactive selection.
    #[error("cancelled; nothing was changed")]
    Cancelled,
    /// The user ticked nothing.
    #[error("no database was selected; nothing was changed")]
    NothingSelected,
    /// A signal stopped the command.
    #[error("stopped by {}", if *exit_code == exit::TERMINATED { "SIGTERM" } else { "SIGINT" })]
    Stopped {
        /// What to exit with.
        exit_code: u8,
    },
    /// A second signal ended the command, or a server that did not answer.
    #[error("stopped before cleanup was complete; run the same command again")]
    CleanupIncomplete {
        /// What to exit with.
        exit_code: u8,
    },
    /// `init` or `validate`.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// `sync`.
    #[error(transparent)]
    Replicate(#[from] replicate::Error),
    /// `status`.
    #[error(transparent)]
    Status(#[from] status::Error),
    /// The web server of `status` cannot be started.
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// A password could not be kept out of a log, and the user did not agree.
    #[error("the password would appear in the target's server log")]
    PasswordExposed,
    /// `teardown`.
    #[error(transparent)]
    Teardown(#[from] teardown::Error),
    /// A server could not be reached or read before the command began.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The state directory could not be found.
    #[error(transparent)]
    State(#[from] checkpoint::Error),
    /// `verify`.
    #[error(transparent)]
    Verify(#[from] verify::Error),
    /// `demo`.
    #[error(transparent)]
    Demo(#[from] demo::Error),
    /// The terminal or pipe is gone.
    #[error("write to standard output")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// Where it happened.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Url { side, .. } => Some((*side).to_owned()),
            Self::Migrate(error) => error.place(),
            Self::Teardown(error) => error.place(),
            Self::Cluster(error) => error.place(),
            Self::Usage { .. }
            | Self::EmptyItem { .. }
            | Self::OpenQuote { .. }
            | Self::Predicate { .. }
            | Self::Config(_)
            | Self::Refused { .. }
            | Self::Declined
            | Self::ProposalDeclined { .. }
            | Self::Cancelled
            | Self::NothingSelected
            | Self::Stopped { .. }
            | Self::CleanupIncomplete { .. }
            | Self::Replicate(_)
            | Self::Status(_)
            | Self::PasswordExposed
            | Self::Serve(_)
            | Self::State(_)
            | Self::Verify(_)
            | Self::Demo(_)
            | Self::Output(_) => None,
        }
    }

    /// What to do next, where the message does not say so.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => {
                Some("resolve the errors above and repeat the command".to_owned())
            }
            Self::Declined => Some("answer y, or pass --yes".to_owned()),
            Self::ProposalDeclined { flag } => Some(format!("answer y, or pass {flag}")),
            Self::Cancelled | Self::NothingSelected => {
                Some("select with --include-databases, or pass --no-interactive".to_owned())
            }
            Self::Config(error) => hint_of_config(error),
            // Transparent: a walk along the causes would skip it.
            Self::Migrate(error) | Self::Demo(demo::Error::Migrate(error)) => hint_of(error),
            Self::Replicate(error) => hint_of(error),
            Self::Demo(demo::Error::Replicate(error)) => hint_of(error.as_ref()),
            Self::Status(error) => hint_of(error),
            Self::Demo(demo::Error::Status(error)) => hint_of(error.as_ref()),
            Self::PasswordExposed => Some(
                "give no password in the source's URL and use a password file of the target's server account; or answer y, \
                 or pass --yes"
                    .to_owned(),
            ),
            Self::Serve(serve::Error::NoToken { .. } | serve::Error::ShortToken { .. }) => Some(
                "set SEREN_STATUS_TOKEN to a random text, or listen on 127.0.0.1".to_owned(),
            ),
            Self::Serve(serve::Error::Bind { .. }) => {
                Some("choose another port or address with --listen".to_owned())
            }
            Self::Teardown(error) => hint_of(error),
            Self::Demo(demo::Error::Teardown(error)) => hint_of(error.as_ref()),
            Self::Cluster(error) => hint_of(error),
            Self::State(error) => hint_of(error),
            Self::Verify(error) | Self::Demo(demo::Error::Verify(error)) => hint_of(error),
            Self::Demo(error) => hint_of(error),
            Self::Url { .. }
            | Self::Usage { .. }
            | Self::EmptyItem { .. }
            | Self::OpenQuote { .. }
            | Self::Predicate { .. }
            | Self::Stopped { .. }
            | Self::CleanupIncomplete { .. }
            | Self::Output(_) => hint_of(self),
        }
    }

    /// Whether a copy is kept without what the target has refused.
    pub(super) fn keeps_copy(&self) -> bool {
        matches!(self, Self::Migrate(migrate::Error::Incomplete { .. }))
    }

    /// Whether a stop ended an attempt to connect.
    pub(super) fn is_stopped_attempt(&self) -> bool {
        matches!(find_cause(self), Some(connect::Error::Stopped))
    }

    /// What the process exits with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. }
            | Self::Url { .. }
            | Self::EmptyItem { .. }
            | Self::OpenQuote { .. }
            | Self::Predicate { .. }
            | Self::Config(_) => exit::USAGE,
            Self::Stopped { exit_code } | Self::CleanupIncomplete { exit_code } => *exit_code,
            Self::Refused { .. }
            | Self::Declined
            | Self::ProposalDeclined { .. }
            | Self::Cancelled
            | Self::NothingSelected
            | Self::Migrate(_)
            | Self::Replicate(_)
            | Self::Status(_)
            | Self::PasswordExposed
            | Self::Serve(_)
            | Self::Teardown(_)
            | Self::Cluster(_)
            | Self::State(_)
            | Self::Verify(_)
            | Self::Demo(_)
            | Self::Output(_) => exit::FAILED,
        }
    }
}

/// What may help with an error or with its outermost cause for which something is known.
fn hint_of(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(hint) = find_cause::<snapshot::Error>(error).and_then(find_unreadable_row) {
        return Some(hint);
    }
    let mut remedies = causes(error).map(remedies_of);
    let known = remedies.find(|remedies| !remedies.is_empty())?;
    render_remedies(&known, flag_of)
}

/// What an area knows about its own error.
fn remedies_of(error: &(dyn std::error::Error + 'static)) -> Vec<Remedy> {
    let known = [
        as_type(error).map(migrate::Error::remedies),
        as_type(error).map(replicate::Error::remedies),
        as_type(error).map(teardown::Error::remedies),
        as_type(error).map(cluster::Error::remedies),
        as_type(error).map(checkpoint::Error::remedies),
        as_type(error).map(snapshot::Error::remedies),
        as_type(error).map(PublishError::remedies),
        as_type(error).map(connect::Error::remedies),
    ];
    known.into_iter().flatten().next().unwrap_or_default()
}
