//! What a user can do about an error, a finding or a warning, as values. Engines name settings and
//! commands; only `cli` knows the flags, and only `ui` renders a sentence from them.

mod setting;

use std::borrow::Cow;

pub use setting::Setting;

use crate::pg::{Side, Sql};

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Something to do elsewhere, such as `drop it if nobody needs it`.
    Do(Cow<'static, str>),
    /// Pass a setting.
    Pass(Setting),
    /// Pass a setting in order to do something: `pass … to drop and recreate it`.
    PassTo(Setting, Cow<'static, str>),
    /// Pass a setting with a value.
    PassValue(Setting, String),
    /// Pass several settings: `pass … and … for every database`.
    PassAll(Vec<Setting>, Cow<'static, str>),
    /// Do something with a setting: `exclude it with …`.
    With(Cow<'static, str>, Setting),
    /// Give a setting a larger value.
    Raise(Setting),
    /// Give a setting a smaller value.
    Lower(Setting),
    /// Repeat the command without a setting.
    Omit(Setting),
    /// Correct a setting's value, or omit it.
    Correct(Setting),
    /// Run a statement.
    Run(Sql),
    /// Run statements on a server.
    RunOn(Side, Sql),
    /// Do one after the other.
    Steps(Vec<Remedy>),
    /// One for each of several objects.
    Each(Vec<ObjectRemedy>),
    /// Run a command of this program.
    Invoke(Invocation),
}

/// What is to be done about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRemedy {
    /// The object.
    pub object: String,
    /// What to do about it.
    pub remedy: Remedy,
}

/// A command of this program, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What it does, such as `remove it`.
    pub purpose: Cow<'static, str>,
    /// The command.
    pub command: Command,
    /// A setting of it with its value.
    pub setting: Option<(Setting, String)>,
}

/// The commands that remedies name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Copies.
    Init,
    /// Starts or repairs the replication.
    Sync,
    /// Compares rows.
    Verify,
    /// Removes what runs have left.
    Teardown,
}

impl Remedy {
    /// Something to do elsewhere.
    pub fn act(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Do(what.into())
    }

    /// Pass a setting in order to do something.
    pub fn pass_to(setting: Setting, purpose: impl Into<Cow<'static, str>>) -> Self {
        Self::PassTo(setting, purpose.into())
    }

    /// Do something with a setting.
    pub fn with(action: impl Into<Cow<'static, str>>, setting: Setting) -> Self {
        Self::With(action.into(), setting)
    }

    /// Run a command for a purpose.
    pub fn invoke(purpose: impl Into<Cow<'static, str>>, command: Command) -> Self {
        Self::Invoke(Invocation {
            purpose: purpose.into(),
            command,
            setting: None,
        })
    }

    /// Run a command with a setting for a purpose.
    pub fn invoke_with(
        purpose: impl Into<Cow<'static, str>>,
        command: Command,
        setting: Setting,
        value: impl Into<String>,
    ) -> Self {
        Self::Invoke(Invocation {
            purpose: purpose.into(),
            command,
            setting: Some((setting, value.into())),
        })
    }

    /// To remove what a run has left, by its number.
    pub fn remove_run(purpose: &'static str, run: &str) -> Self {
        Self::invoke_with(purpose, Command::Teardown, Setting::Run, run)
    }

    /// To remove a slot by its name.
    pub fn remove_slot(purpose: &'static str, slot: &str) -> Self {
        Self::invoke_with(purpose, Command::Teardown, Setting::Slot, slot)
    }

    /// The setting that removes the obstacle if it is passed, and nothing else is done.
    pub const fn setting(&self) -> Option<Setting> {
        match self {
            Self::Pass(setting) | Self::PassTo(setting, _) | Self::With(_, setting) => {
                Some(*setting)
            }
            Self::Do(_)
            | Self::PassValue(..)
            | Self::PassAll(..)
            | Self::Raise(_)
            | Self::Lower(_)
            | Self::Omit(_)
            | Self::Correct(_)
            | Self::Run(_)
            | Self::RunOn(..)
            | Self::Steps(_)
            | Self::Each(_)
            | Self::Invoke(_) => None,
        }
    }

    /// Copy without replication.
    pub const fn copy_once() -> Self {
        Self::With(Cow::Borrowed("copy once"), Setting::NoSync)
    }

    /// Exclude the table that is named.
    pub const fn exclude_table() -> Self {
        Self::With(Cow::Borrowed("exclude it"), Setting::ExcludeTables)
    }

    /// Exclude the tables that are named.
    pub const fn exclude_tables() -> Self {
        Self::With(Cow::Borrowed("exclude them"), Setting::ExcludeTables)
    }
}

impl Command {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Sync => "sync",
            Self::Verify => "verify",
            Self::Teardown => "teardown",
        }
    }
}

impl From<&'static str> for Remedy {
    fn from(text: &'static str) -> Self {
        Self::act(text)
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Self::act(text)
    }
}
