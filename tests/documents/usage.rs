//! Documents and help name every command and every option, and no option that does not exist.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, Command, CommandFactory as _};
use seren_replicator::cli::Arguments;

use super::markdown::{self, cells, code_spans};
use super::rust::{Part, pieces};
use super::{Passage, documents, files, read};

/// Options of other programs that documents name, in a text that does not name the program.
const FOREIGN: &[&str] = &["--pgdata", "--username"];

/// Options that the parser adds.
const BUILT_IN: &[&str] = &["--help", "--version"];

/// The model of the command line, with what the parser adds to it.
pub(crate) fn program() -> Command {
    let mut program = Arguments::command();
    program.build();
    program
}

/// The commands, without clap's own `help`.
pub(crate) fn commands(program: &Command) -> Vec<&Command> {
    let all = program.get_subcommands();
    all.filter(|command| command.get_name() != "help").collect()
}

fn names(program: &Command) -> BTreeSet<String> {
    let name = |command: &Command| command.get_name().to_owned();
    commands(program).into_iter().map(name).collect()
}

/// The arguments and options of a command, without `--help` and `--version`.
fn arguments(command: &Command) -> Vec<&Arg> {
    let is_own = |option: &&Arg| !matches!(option.get_id().as_str(), "help" | "version");
    command.get_arguments().filter(is_own).collect()
}

/// The options of a command, without `--help` and `--version`.
pub(crate) fn options(command: &Command) -> Vec<&Arg> {
    let mut options = arguments(command);
    options.retain(|option| !option.is_positional());
    options
}

/// An option as it is written, or the name of an argument.
pub(crate) fn flag(option: &Arg) -> String {
    match option.get_long() {
        Some(long) => format!("--{long}"),
        None => option.get_id().to_string(),
    }
}

/// Every option, with the commands that have it.
fn flags(program: &Command) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for command in commands(program) {
        for option in options(command) {
            let commands = found.entry(flag(option)).or_default();
            commands.insert(command.get_name().to_owned());
        }
    }
    found
}

/// The texts of `--help`.
pub(crate) fn help_passages() -> Vec<Passage> {
    let program = program();
    let mut found = Vec::new();
    let mut push = |place: &str, text: Option<String>| {
        let text = text.unwrap_or_default();
        let paragraphs = text.split("\n\n").map(|text| Passage {
            place: place.to_owned(),
            text: text.to_owned(),
        });
        found.extend(paragraphs);
    };
    for command in std::iter::once(&program).chain(commands(&program)) {
        let long = command.get_long_about().or_else(|| command.get_about());
        push(command.get_name(), long.map(ToString::to_string));
        push(
            command.get_name(),
            command.get_after_help().map(ToString::to_string),
        );
        let examples = command.get_after_long_help().map(ToString::to_string);
        // Each line is a sentence or a command.
        push(
            command.get_name(),
            examples.map(|text| text.replace('\n', "\n\n")),
        );
        for option in arguments(command) {
            let place = format!("{} {}", command.get_name(), flag(option));
            let long = option.get_long_help().or_else(|| option.get_help());
            push(&place, long.map(ToString::to_string));
            for value in option.get_possible_values() {
                push(&place, value.get_help().map(ToString::to_string));
            }
        }
    }
    found
}

/// What looks like an option in a text: `--` and a name.
pub(crate) fn mentioned(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let name: String = text[at + 2..]
            .chars()
            .take_while(|part| part.is_ascii_lowercase() || *part == '-')
            .collect();
        let is_start = before.is_none_or(|part| !part.is_alphanumeric() && part != '-');
        if is_start && name.starts_with(|part: char| part.is_ascii_lowercase()) {
            found.insert(format!("--{}", name.trim_end_matches('-')));
        }
    }
    found
}

/// The rows of the README's tables of options: the options, and the commands that have them. A table without a
/// column of commands is for those that the text before it names.
fn documented(readme: &str, program: &Command) -> Vec<(String, BTreeSet<String>)> {
    let names = names(program);
    let all_but = |cell: &str| -> BTreeSet<String> {
        let listed: BTreeSet<String> = code_spans(cell).into_iter().map(str::to_owned).collect();
        match cell.starts_with("all") {
            true => names.difference(&listed).cloned().collect(),
            false => listed,
        }
    };
    let section = readme.split("\n## Options\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut before = BTreeSet::new();
    let mut found = Vec::new();
    for line in section.lines() {
        if !line.starts_with('|') {
            let named = code_spans(line)
                .into_iter()
                .filter(|span| names.contains(*span));
            let named: BTreeSet<String> = named.map(str::to_owned).collect();
            if line.starts_with('#') {
                before.clear();
            }
            before.extend(named);
            continue;
        }
        let cells = cells(line);
        let Some(first) = cells.first().filter(|cell| cell.starts_with("`--")) else {
            continue;
        };
        let of_commands = match cells.len() {
            2 => before.clone(),
            _ => all_but(&cells[1]),
        };
        let flags = mentioned(first).into_iter();
        found.extend(flags.map(|flag| (flag, of_commands.clone())));
    }
    found
}

#[test]
fn the_readme_lists_every_option_with_its_commands() {
    let program = program();
    let listed: BTreeMap<_, _> = documented(&read("README.md"), &program)
        .into_iter()
        .collect();
    assert_eq!(listed, flags(&program));
}

#[test]
fn the_readme_lists_an_option_once() {
    let listed = documented(&read("README.md"), &program());
    let different: BTreeSet<_> = listed.iter().map(|(flag, _)| flag).collect();
    assert_eq!(listed.len(), different.len(), "{listed:?}");
}

#[test]
fn documents_name_every_command() {
    let codes = read("docs/exit-codes.md");
    let readme = read("README.md");
    for name in names(&program()) {
        let span = format!("`{name}`");
        assert!(codes.contains(&span), "docs/exit-codes.md: {name}");
        assert!(readme.contains(&span), "README.md: {name}");
    }
}

/// Commands of later versions. An option may contain such a word.
const PLANNED: &[&str] = &["sync", "status", "cutover"];

#[test]
fn help_names_no_command_of_a_later_version() {
    let names = names(&program());
    for Passage { place, text } in help_passages() {
        let is_border = |part: char| !part.is_alphanumeric() && !matches!(part, '-' | '_');
        for word in text.split(is_border) {
            let is_planned = PLANNED.contains(&word) && !names.contains(word);
            assert!(!is_planned, "{place}: {word}");
        }
    }
}

#[test]
fn documents_and_help_run_only_commands_that_exist() {
    let names = names(&program());
    let mut texts = help_passages();
    texts.extend(documents().into_iter().map(|place| Passage {
        text: read(&place),
        place,
    }));
    for Passage { place: path, text } in texts {
        for rest in text.split("postgres-seren-replicator ").skip(1) {
            let word = rest.split_whitespace().next().unwrap_or_default();
            let is_command = word.chars().all(|part| part.is_ascii_lowercase());
            assert!(!is_command || names.contains(word), "{path}: {word}");
        }
    }
}

/// Lines of a text that are about our own program.
fn own_lines(text: &str) -> impl Iterator<Item = &str> {
    let is_foreign = |line: &&str| {
        ["cargo ", "RUSTFLAGS", "git "]
            .iter()
            .any(|program| line.contains(program))
    };
    text.lines().filter(move |line| !is_foreign(line))
}

#[test]
fn documents_and_help_name_only_options_that_exist() {
    let program = program();
    let known = flags(&program);
    let is_known = |flag: &String| known.contains_key(flag) || BUILT_IN.contains(&flag.as_str());
    let mut texts: Vec<Passage> = help_passages();
    for place in documents() {
        let text = read(&place);
        texts.push(Passage { place, text });
    }
    for Passage { place, text } in texts {
        for line in own_lines(&text) {
            for flag in mentioned(line) {
                assert!(is_known(&flag), "{place}: {flag}");
            }
        }
    }
}

#[test]
fn messages_name_only_options_that_exist() {
    let known = flags(&program());
    for path in files("src", "rs") {
        if path.starts_with("src/sandbox/") {
            // They run the programs of PostgreSQL.
            continue;
        }
        let literals = pieces(&read(&path));
        for piece in literals.iter().filter(|piece| piece.part == Part::Literal) {
            for flag in mentioned(&piece.text) {
                let is_known = known.contains_key(&flag)
                    || FOREIGN.contains(&flag.as_str())
                    || BUILT_IN.contains(&flag.as_str());
                assert!(is_known, "{path}:{}: {flag}", piece.line);
            }
        }
    }
}

#[test]
fn every_option_has_a_summary_and_a_heading() {
    let program = program();
    for command in commands(&program) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for option in arguments(command) {
            let place = format!("{} {}", command.get_name(), flag(option));
            let summary = option
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(!summary.is_empty(), "{place}");
            assert!(
                !summary.ends_with('.'),
                "{place}: a summary has no full stop"
            );
            let has_heading = option.get_help_heading().is_some();
            assert!(has_heading || option.is_positional(), "{place}");
        }
    }
}

#[test]
fn options_are_seen_in_text() {
    let found =
        mentioned("pass --jobs 4, `--dry-run`; a -- b, x--y, --- and --toast-compression=lz4");
    let expected = ["--dry-run", "--jobs", "--toast-compression"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(
        markdown::cells("| `--output text`, `json` | all |").len(),
        2
    );
}
