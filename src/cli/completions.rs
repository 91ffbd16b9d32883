use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::{ALL_OPTIONS, NAME};

const EXAMPLES: &str = "\
Examples:
  Complete commands and options in this session of bash:
    source <(postgres-seren-replicator completions bash)
  The same in fish:
    postgres-seren-replicator completions fish | source";

/// Print a completion script for a shell
///
/// The script is printed on standard output; --output has no effect. Load it when the shell starts, or save it in the
/// directory from which the shell loads completions.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Shell that runs the script
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Generates the script in memory: the generator panics if it cannot write.
pub(super) fn render(arguments: &Arguments) -> String {
    let mut script = Vec::new();
    let mut program = super::Arguments::command();
    generate(arguments.shell, &mut program, NAME, &mut script);
    mend_labels(&String::from_utf8_lossy(&script))
}

/// The script for bash spells a program name with hyphens in two ways, and so never finds the options of a command:
/// <https://github.com/clap-rs/clap/issues/6421>.
fn mend_labels(script: &str) -> String {
    let label = |separator: &str| NAME.replace('-', separator);
    script.replace(&label("__subcmd__"), &label("__"))
}
