use std::io;

use clap::{Arg, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::ALL_OPTIONS;

const EXAMPLES: &str = "\
Examples:
  Read the manual page:
    postgres-seren-replicator man | man -l -
  Save it, to install it below a directory of MANPATH:
    postgres-seren-replicator man > postgres-seren-replicator.1";

/// Print the manual page of all commands (roff)
///
/// The page is printed on standard output; --output has no effect.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {}

/// Renders one page of all commands.
///
/// # Errors
/// None: the page is written to memory.
pub(super) fn render() -> io::Result<String> {
    let mut program = super::Arguments::command()
        .disable_help_subcommand(true)
        .mut_args(unhidden)
        .mut_subcommands(|command| command.mut_args(unhidden));
    // Without a date, the next field of the title would be printed as one.
    let main = Man::new(program.clone()).date(" ").manual("User Commands");
    let mut page = Page::default();
    page.add("SH", |out| main.render_title(out))?;
    page.add("SH", |out| main.render_name_section(out))?;
    program.build();
    page.add("SH", |out| synopsis(&mut program, "SH").to_writer(out))?;
    page.add("SH", |out| main.render_description_section(out))?;
    page.add("SH", |out| list_commands(&program).to_writer(out))?;
    page.add("SH", |out| main.render_options_section(out))?;
    for command in program.get_subcommands() {
        add_command(&mut page, command)?;
    }
    page.add("SH", |out| exit_status().to_writer(out))?;
    page.add("SH", |out| examples(&program, "SH").to_writer(out))?;
    page.add("SH", |out| main.render_version_section(out))?;
    Ok(page.text)
}

/// The option, with a text in the page: `clap_mangen` omits the summary of options that `-h` omits.
fn unhidden(option: Arg) -> Arg {
    option.hide_short_help(false)
}

/// A page in progress.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// Appends what `write` renders, with headings of this level. Each rendered part begins with the same definitions;
    /// a page needs them once.
    fn add(
        &mut self,
        heading: &str,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut part = Vec::new();
        write(&mut part)?;
        let part = String::from_utf8(part).map_err(io::Error::other)?;
        let is_first = self.text.is_empty();
        for line in part.lines() {
            if !is_first && (line.starts_with(".ie ") || line.starts_with(".el ")) {
                continue;
            }
            match line.strip_prefix(".SH ") {
                Some(title) => self.text.extend([".", heading, " ", title]),
                None => self.text.extend(line.chars().map(encoded)),
            }
            self.text.push('\n');
        }
        Ok(())
    }
}

/// A character of a page. Older programs read one byte a character.
fn encoded(character: char) -> String {
    match character.is_ascii() {
        true => character.to_string(),
        false => format!("\\[u{:04X}]", u32::from(character)),
    }
}

/// How a command is called.
fn synopsis(command: &mut Command, heading: &str) -> Roff {
    let usage = command.render_usage().to_string();
    let mut roff = Roff::new();
    roff.control(heading, ["SYNOPSIS"]);
    roff.text([bold(usage.trim_start_matches("Usage: "))]);
    roff
}

/// The commands with their summaries.
fn list_commands(program: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in program.get_subcommands() {
        let about = command.get_about().map(ToString::to_string);
        roff.control("TP", []);
        roff.text([bold(command.get_name())]);
        roff.text([roman(about.unwrap_or_default())]);
    }
    roff
}

/// Appends the section of a command. Options of all commands are in the main section.
fn add_command(page: &mut Page, command: &Command) -> io::Result<()> {
    let mut title = Roff::new();
    title.control("SH", [command.get_name().to_uppercase().as_str()]);
    page.add("SH", |out| title.to_writer(out))?;
    let is_common = |option: &Arg| {
        option.is_global_set() || matches!(option.get_id().as_str(), "help" | "version")
    };
    let mut own = command.clone().mut_args(|option| {
        let hide = is_common(&option);
        match option.is_positional() {
            true => option.help_heading("Arguments"),
            false => option.hide(hide),
        }
    });
    page.add("SS", |out| synopsis(&mut own, "SS").to_writer(out))?;
    let has_options = own.get_arguments().any(|option| !option.is_hide_set());
    let examples = examples(&own, "SS");
    let man = Man::new(own);
    page.add("SS", |out| man.render_description_section(out))?;
    if has_options {
        page.add("SS", |out| man.render_options_section(out))?;
    }
    page.add("SS", |out| examples.to_writer(out))
}

/// The examples of a command, line by line.
fn examples(command: &Command, heading: &str) -> Roff {
    let text = command.get_after_long_help().map(ToString::to_string);
    let text = text.unwrap_or_default();
    let mut roff = Roff::new();
    roff.control(heading, ["EXAMPLES"]);
    roff.control("nf", []);
    for line in text.lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

/// What the commands exit with (docs/exit-codes.md).
fn exit_status() -> Roff {
    const CODES: &[(&str, &str)] = &[
        ("0", "The command did what it was asked to do."),
        (
            "1",
            "Refused, declined or failed; validate: an error was found; verify: a difference was found.",
        ),
        (
            "2",
            "The command line, a URL, a name or the configuration file is wrong. No connection was opened.",
        ),
        (
            "5",
            "verify: no difference was found, but something could not be compared.",
        ),
        (
            "6",
            "teardown: one server is clean; the statements for the other are printed.",
        ),
        (
            "7",
            "init: the database was copied, and lacks objects that the target has refused.",
        ),
        ("130, 143", "Ended by SIGINT or SIGTERM."),
    ];
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in CODES {
        roff.control("TP", []);
        roff.text([bold(*code)]);
        roff.text([roman(*meaning)]);
    }
    roff
}
