//! What `--help` and `-h` print, at the widths of usual terminals. After a change of help that is meant, write the
//! snapshots: `INSTA_UPDATE=always cargo test --test documents`.

use std::collections::BTreeMap;

use clap::{Command, Parser as _};
use seren_replicator::cli::Arguments;

use super::markdown::cells;
use super::read;
use super::usage::{commands, flag, mentioned, options, program};

/// The name of the program, and of its binary file.
const NAME: &str = "postgres-seren-replicator";

/// The program itself and its commands.
fn all(program: &Command) -> Vec<&Command> {
    std::iter::once(program).chain(commands(program)).collect()
}

/// The help of a command on a terminal of this width.
fn long_help(command: &Command, width: usize) -> String {
    let mut command = command.clone().term_width(width);
    command.render_long_help().to_string()
}

#[test]
fn help_is_as_recorded() {
    let program = program();
    for command in all(&program) {
        for width in [80, 120] {
            let name = format!("{}_{width}", command.get_name());
            insta::assert_snapshot!(name, long_help(command, width));
        }
    }
}

#[test]
fn short_help_fits_on_a_screen_and_leads_to_the_long_one() {
    let program = program();
    for command in all(&program) {
        let text = command.clone().term_width(80).render_help().to_string();
        let name = command.get_name();
        let lines: Vec<_> = text.trim_end().lines().collect();
        assert!(lines.len() < 60, "{name}: {} lines\n{text}", lines.len());
        assert_eq!(
            lines.last().copied(),
            Some("--help lists all options, with examples."),
            "{name}"
        );
        // The parser does not wrap the usage.
        for line in lines.iter().filter(|line| !line.starts_with("Usage: ")) {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn long_help_lists_every_option_once() {
    let program = program();
    for command in commands(&program) {
        let text = long_help(command, 80);
        let text = text.split("\n\nExamples").next().unwrap();
        for option in options(command) {
            let name = flag(option);
            let is_own = |line: &&str| {
                let words = line.trim_start();
                // Texts are indented further.
                let indent = line.len() - words.len();
                let words = words.trim_start_matches("-y, ");
                indent <= 6 && words.split(' ').next() == Some(name.as_str())
            };
            let found = text.lines().filter(is_own).count();
            assert_eq!(found, 1, "{}: {name}", command.get_name());
        }
    }
}

/// The options of the README, with the title of the section that lists them.
fn readme_sections() -> BTreeMap<String, String> {
    let readme = read("README.md");
    let section = readme.split("\n## Options\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut title = String::new();
    let mut found = BTreeMap::new();
    for line in section.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            title = heading.to_lowercase();
        }
        let row = line.starts_with('|').then(|| cells(line));
        let Some(names) = row.as_ref().and_then(|cells| cells.first()) else {
            continue;
        };
        let flags = mentioned(names).into_iter();
        found.extend(flags.map(|flag| (flag, title.clone())));
    }
    found
}

/// A heading of one group of arguments must not be that of the options after the group.
#[test]
fn options_have_the_heading_under_which_the_readme_lists_them() {
    let sections = readme_sections();
    let program = program();
    for command in commands(&program) {
        for option in options(command) {
            let heading = option.get_help_heading().unwrap().to_lowercase();
            let section = &sections[&flag(option)];
            let is_demo = section == "`demo`" && heading == "run";
            let place = format!("{}: {}", command.get_name(), flag(option));
            assert!(
                is_demo || section.contains(&heading),
                "{place}: {heading}, {section}"
            );
        }
    }
}

/// The lines of a command's examples. A backslash continues a line.
fn examples(command: &Command) -> Vec<String> {
    let text = command.get_after_long_help().unwrap().to_string();
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(str::to_owned).collect()
}

/// The arguments of each call of the program in a line of a shell.
fn calls(line: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    for rest in line.split(NAME).filter_map(|rest| rest.strip_prefix(' ')) {
        let words = words(rest).into_iter();
        let words = words.take_while(|word| !matches!(*word, "|" | ">" | "&&"));
        found.push(words.map(|word| word.trim_end_matches(')')).collect());
    }
    found
}

/// The words of a line of a shell. Single quotes begin and end a word that contains blanks.
fn words(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        found.push(word);
        rest = behind.trim_start();
    }
    found
}

#[test]
fn a_quoted_word_of_an_example_is_one() {
    assert_eq!(words("a  --b 'c d' e"), ["a", "--b", "c d", "e"]);
}

#[test]
fn examples_can_be_run_as_they_are() {
    let program = program();
    for command in all(&program) {
        let examples = examples(command);
        let is_short = (2..=3).contains(&examples.len());
        assert!(is_short, "{}", command.get_name());
        for example in examples {
            let calls = calls(&example);
            assert!(!calls.is_empty(), "{example}");
            for call in calls {
                let other = program.find_subcommand(call[0]);
                let called = other.unwrap_or_else(|| panic!("{example}: {}", call[0]));
                let is_main = command.get_name() == NAME;
                assert!(
                    is_main || called.get_name() == command.get_name(),
                    "{example}"
                );
                // The environment has them.
                let has_urls = called.get_arguments().any(|own| own.get_id() == "source");
                let urls: &[&str] = match has_urls {
                    true => &["--source", "x", "--target", "x"],
                    false => &[],
                };
                let arguments = std::iter::once(&NAME).chain(&call).chain(urls);
                if let Err(error) = Arguments::try_parse_from(arguments) {
                    panic!("{example}: {error}");
                }
            }
        }
    }
}
