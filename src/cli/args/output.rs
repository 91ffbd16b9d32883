use tracing::level_filters::LevelFilter;

use crate::cli::setting::flag_of;
use crate::ui::{self, LogFormat, LogLayer, Streams, Ui};

/// The form of reports, log messages and progress.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct Output {
    /// Lowest severity of log messages to print
    #[arg(long, global = true, value_enum, default_value_t = LogLevel::Info, value_name = "LEVEL", hide_short_help = true)]
    log_level: LogLevel,

    /// Format of standard error; json: every line is an event
    ///
    /// Progress, findings, plan, questions and errors are events too. docs/json.md describes them. Checklists and bars
    /// are not shown.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT", hide_short_help = true)]
    log_format: Format,

    /// Format of the report on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,

    /// Show no checklists: select as the options say, without options everything
    ///
    /// Only validate and init show checklists, on a terminal and without options that select.
    #[arg(long, global = true, hide_short_help = true)]
    no_interactive: bool,

    /// When to use colors; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_short_help = true)]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Output {
    /// The user interface asked for, with log lines sent to it.
    pub(in crate::cli) fn start(&self) -> Ui {
        let form = match self.output {
            Format::Text => ui::Output::Text,
            Format::Json => ui::Output::Json,
        };
        let color = match self.color {
            Color::Auto => ui::Color::Auto,
            Color::Always => ui::Color::Always,
            Color::Never => ui::Color::Never,
        };
        let ui = Ui::new(form, color, Streams::of_process(), flag_of);
        let ui = match self.log_format {
            Format::Text => ui.with_log(LogFormat::Text),
            Format::Json => ui.with_log(LogFormat::Json),
        };
        let ui = match self.no_interactive {
            true => ui.without_lists(),
            false => ui,
        };
        self.start_logging(&ui);
        ui
    }

    fn start_logging(&self, ui: &Ui) {
        use tracing_subscriber::filter::Targets;
        use tracing_subscriber::layer::SubscriberExt as _;
        use tracing_subscriber::util::SubscriberInitExt as _;

        let level = match self.log_level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        };
        // Other crates' lines may contain secrets: the SQL client logs statements.
        let targets = Targets::new().with_target("seren_replicator", level);
        let screen = ui.screen().clone();
        let registry = tracing_subscriber::registry().with(targets);
        // A second call, as in tests that run commands in one process, keeps the first choice.
        drop(match self.log_format {
            Format::Text => {
                let lines = tracing_subscriber::fmt::layer().with_writer(move || screen.clone());
                let lines = lines.with_ansi(ui.style() != ui::Style::PLAIN);
                registry.with(lines.with_target(false)).try_init()
            }
            Format::Json => registry.with(LogLayer::new(screen)).try_init(),
        });
    }
}
