//! The command line.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::client::Format;
use crate::settings::{self, Flags, Process};

/// Folds every touchpoint of a property customer into three views: segmentation, satisfaction, churn risk
#[derive(Debug, Parser)]
#[command(name = "lifefold", version, disable_help_subcommand = true, propagate_version = true)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 a mistake in the command or the settings, 3 differs.")]
pub(crate) struct Cli {
    /// The settings.
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line; ends the process where that is to be done, for help or a mistake.
    pub(crate) fn read() -> Self {
        let mut command = settings::fold(Self::command());
        let read = Self::from_arg_matches(&command.get_matches_mut());
        read.unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs everything on this machine: nats-server, gateway, three projectors
    #[command(after_help = "Examples:\n  lifefold up\n  lifefold up --demo 10000\n  \
                            lifefold up --data /srv/lifefold --listen 127.0.0.1:7500 --metrics-listen 127.0.0.1:9500")]
    Up(Up),
    /// Serves the gateway: takes touchpoints and writes the log
    #[command(after_help = "Examples:\n  lifefold gateway --provision\n  \
                            LIFEFOLD_NATS_URL=nats://gateway:secret@nats:4222 lifefold gateway")]
    Gateway,
    /// Folds the log into one view and answers for it
    #[command(after_help = "Examples:\n  lifefold projector churn\n  \
                            lifefold projector churn --data /var/lib/lifefold/churn --listen 0.0.0.0:7403")]
    Projector {
        /// The view
        view: View,
    },
    /// Prints the demo history as NDJSON, to look at or to import
    #[command(after_help = "Examples:\n  lifefold demo 10 | head -3\n  lifefold demo 1000 | lifefold import -")]
    Demo {
        /// How many customers
        #[arg(value_name = "CUSTOMERS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        customers: u64,
    },
    /// Asks running services.
    #[command(flatten)]
    Client(Box<crate::client::Command>),
    /// Shows the settings and who gave each
    #[command(after_help = "Examples:\n  lifefold config show\n  lifefold config show gateway --output json")]
    Config {
        /// What to do with them.
        #[command(subcommand)]
        command: Config,
    },
}

/// Arguments of `up`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Up {
    /// First write a believable history of so many customers, once for each data folder
    #[arg(long, value_name = "CUSTOMERS", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) demo: Option<u64>,
}

/// A view with a projector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum View {
    /// Lifecycle, recency, value, demand, labels
    Segmentation,
    /// Scores of ports, ranks, complaints and their service levels
    Satisfaction,
    /// Who is about to be lost, and why
    Churn,
}

impl View {
    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Satisfaction => "satisfaction",
            Self::Churn => "churn",
        }
    }

    /// The process that serves it.
    pub(crate) const fn process(self) -> Process {
        match self {
            Self::Segmentation => Process::Segmentation,
            Self::Satisfaction => Process::Satisfaction,
            Self::Churn => Process::Churn,
        }
    }
}

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Shows every setting, its value, and who gave it
    #[command(after_help = "Examples:\n  lifefold config show\n  lifefold config show churn --output json")]
    Show {
        /// As this process would have them
        #[arg(default_value = "gateway")]
        process: Process,
        /// How the answer is printed
        #[arg(short, long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
        output: Format,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of a command and of all below it, each as words; a command without any is named.
    fn examples(command: &clap::Command, path: &str, found: &mut Vec<Vec<String>>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter_map(|line| line.strip_prefix("  lifefold "));
        // An example ends where something else begins: a pipe, a file that it is written to, what it does.
        let ends = |line: &str| [" | ", " > ", "    ", "  the ", "'{"].iter().filter_map(|end| line.find(end)).min();
        let lines = lines.map(|line| &line[..ends(line).unwrap_or(line.len())]);
        let all: Vec<Vec<_>> = lines.map(words).collect();
        assert!(help.starts_with("Examples:\n") && !all.is_empty(), "{path} has no examples");
        assert!(all.iter().all(|words| words.join(" ").starts_with(path)), "the examples of {path} are of it");
        found.extend(all);
        for below in command.get_subcommands() {
            examples(below, format!("{path} {}", below.get_name()).trim(), found);
        }
    }

    /// What a shell makes of a line: what is quoted is one word.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let words = parts.flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
        words.map(str::to_owned).collect()
    }

    /// Commands at and below this one whose summary does not begin with a verb in the third person.
    fn unlike_the_others(command: &clap::Command) -> Vec<String> {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let verb = about.split_whitespace().next().is_some_and(|word| word.trim_end_matches(',').ends_with('s'));
        let own = (!verb).then(|| format!("{}: {about}", command.get_name()));
        own.into_iter().chain(command.get_subcommands().flat_map(unlike_the_others)).collect()
    }

    #[test]
    fn every_summary_says_what_the_command_does() {
        assert_eq!(unlike_the_others(&Cli::command()), Vec::<String>::new());
    }

    #[test]
    fn every_command_has_examples_that_it_understands() {
        let mut found = Vec::new();
        for command in Cli::command().get_subcommands() {
            examples(command, command.get_name(), &mut found);
        }
        assert!(found.len() > 40, "{} examples", found.len());
        for words in found {
            let parsed = Cli::try_parse_from(std::iter::once("lifefold".to_owned()).chain(words.clone()));
            assert!(parsed.is_ok(), "lifefold {}\n{}", words.join(" "), parsed.unwrap_err());
        }
    }
}
