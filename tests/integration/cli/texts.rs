//! What the program prints about itself: help, completion scripts and the manual page. Nothing of it uses a server.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use clap::CommandFactory as _;
use seren_replicator::cli::Arguments;

use crate::support::command::program;

const NAME: &str = "postgres-seren-replicator";

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// The commands, and all their options.
struct Names {
    commands: BTreeSet<String>,
    options: BTreeSet<String>,
}

fn names() -> Names {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let commands: Vec<_> = program.get_subcommands().collect();
    let options = commands.iter().flat_map(|command| command.get_arguments());
    let options = options.filter_map(|option| option.get_long());
    Names {
        options: options.map(str::to_owned).collect(),
        commands: commands
            .iter()
            .map(|command| command.get_name().to_owned())
            .collect(),
    }
}

/// Our binary without any environment variable.
fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postgres-seren-replicator"));
    command.args(arguments).env_clear();
    command
}

fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}

#[test]
fn completion_scripts_name_every_command_and_option() {
    let names = names();
    for shell in SHELLS {
        for output in ["text", "json"] {
            let script = program(&["completions", shell, "--output", output]);
            let script = script.run().expect(0);
            assert_eq!(script.stderr, "", "{shell}");
            for name in names.commands.iter().chain(&names.options) {
                assert!(script.stdout.contains(name), "{shell}: {name}");
            }
        }
    }
    program(&["completions"]).run().expect(2);
    program(&["completions", "tcsh"]).run().expect(2);
}

/// What bash offers for the last of these words.
fn offered(script: &str, words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    let ask = r#"source "$1"; shift
        [[ $(complete -p "$1") =~ -F\ ([^ ]+) ]]
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "${BASH_REMATCH[1]}" "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", ask, "bash"]);
    let asked = bash.arg(&file).args(words).output().unwrap();
    assert!(asked.status.success(), "{}", printed(&asked));
    String::from_utf8(asked.stdout).unwrap()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let script = program(&["completions", "bash"]).run().expect(0).stdout;
    assert_eq!(offered(&script, &[NAME, "tear"]), "teardown\n");
    assert_eq!(
        offered(&script, &[NAME, "init", "--split-"]),
        "--split-larger-than\n"
    );
    let values = offered(&script, &[NAME, "init", "--toast-compression", ""]);
    assert_eq!(values, "lz4\npglz\nkeep\n");
}

/// The codes that docs/exit-codes.md lists.
fn exit_codes() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exit-codes.md");
    let text = std::fs::read_to_string(path).unwrap();
    let cells = text.lines().filter_map(|line| line.split('|').nth(1));
    let codes = cells.map(|cell| cell.trim().to_owned());
    let is_code = |cell: &String| cell.parse::<u8>().is_ok();
    let codes: Vec<_> = codes.filter(is_code).collect();
    assert!(!codes.is_empty());
    codes
}

/// A name as roff needs it.
fn escaped(name: &str) -> String {
    name.replace('-', "\\-")
}

#[test]
fn the_manual_page_describes_every_command_and_option() {
    let names = names();
    let page = program(&["man", "--output", "json"]).run().expect(0);
    assert_eq!(page.stderr, "");
    let page = page.stdout;
    assert!(page.contains(&format!(".TH {NAME} 1")), "{page}");
    let titles: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix(".SH "))
        .collect();
    let different: BTreeSet<_> = titles.iter().copied().collect();
    assert_eq!(titles.len(), different.len(), "{titles:?}");
    for command in &names.commands {
        let title = command.to_uppercase();
        assert!(different.contains(title.as_str()), "{command}: {titles:?}");
    }
    for option in &names.options {
        let option = escaped(&format!("--{option}"));
        assert!(page.contains(&option), "{option}");
    }
    let (_, codes) = page.split_once(".SH \"EXIT STATUS\"").unwrap();
    for code in exit_codes() {
        assert!(codes.contains(&code), "{code}: {codes}");
    }
    // An option that `-h` omits, and a variable.
    assert!(page.contains("Do not copy security labels"), "{page}");
    assert!(page.contains("SOURCE_DATABASE_URL"), "{page}");
    let macros = [
        "ie", "el", "TH", "SH", "SS", "TP", "PP", "IP", "RS", "RE", "nf", "fi", "br",
    ];
    for line in page.lines().filter_map(|line| line.strip_prefix('.')) {
        let name = line.split(' ').next().unwrap();
        assert!(macros.contains(&name), "{line}");
    }
}

#[test]
fn a_reader_that_is_gone_is_no_failure() {
    let mut calls: Vec<Vec<&str>> = SHELLS.map(|shell| vec!["completions", shell]).to_vec();
    calls.extend([vec!["man"], vec!["--help"], vec!["--version"]]);
    calls.extend([vec!["init", "--help"], vec!["init", "-h"]]);
    for arguments in calls {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = binary(&arguments).stdout(writer).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}");
        assert_eq!(printed(&ended), "", "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    for arguments in [&["man"][..], &["completions", "zsh"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = binary(arguments).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        let text = printed(&ended);
        assert!(text.contains("write to standard output: "), "{text}");
    }
}

#[test]
fn the_program_has_its_name_whatever_its_file_is_called() {
    for arguments in [
        &["--help"][..],
        &["init", "--help"],
        &["init", "--nonsense"],
        &["--version"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["man"],
    ] {
        let ended = binary(arguments).arg0("/opt/copier").output().unwrap();
        let text = printed(&ended);
        assert!(text.contains(NAME), "{arguments:?}: {text}");
        assert!(!text.contains("copier"), "{arguments:?}: {text}");
    }
}

/// Without a terminal, the variable COLUMNS sets the width of help.
#[test]
fn short_help_fits_on_a_screen() {
    for command in names().commands {
        let help = program(&[command.as_str(), "-h"])
            .env("COLUMNS", "80")
            .run();
        let help = help.expect(0).stdout;
        assert!(help.lines().count() < 60, "{help}");
        let last = help.trim_end().lines().last();
        assert_eq!(
            last,
            Some("--help lists all options, with examples."),
            "{command}"
        );
    }
}
