//! The settings as flags of every command, made from the table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::settings::spec::{self, PROVISION};

/// The flag and variable that name the file of settings.
const CONFIG: &str = "config";
const HEADING: &str = "Settings (flag > environment LIFEFOLD_… > file > default; see `lifefold config show`)";
/// Stands where only the file is shown.
const FOLDED_HEADING: &str = "Settings (each is a flag, too: `lifefold --help` lists them)";
/// The commands that are about settings: their help lists all.
const LISTING: [&str; 4] = ["up", "gateway", "projector", "config"];

/// The command line as it is read, built: in the help of the other commands the settings would bury what these are
/// about, so only the file of settings is shown there.
pub(crate) fn fold(mut command: Command) -> Command {
    // That hands flags down to the commands below.
    command.build();
    command.mut_subcommands(|below| if LISTING.contains(&below.get_name()) { below } else { folded(below) })
}

fn folded(command: Command) -> Command {
    command.mut_subcommands(folded).mut_args(|flag| match flag.get_help_heading() {
        Some(HEADING) if flag.get_id() == CONFIG => flag.help_heading(FOLDED_HEADING),
        Some(HEADING) => flag.hide(true),
        _ => flag,
    })
}

/// The settings that were given as flags.
#[derive(Debug, Default, Clone)]
pub(crate) struct Flags {
    /// The file of settings.
    pub(crate) file: Option<PathBuf>,
    /// Values by the settings' names.
    pub(crate) values: BTreeMap<&'static str, String>,
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .help("The file of settings [env: LIFEFOLD_CONFIG] [default: lifefold.toml, if it is there]");
        let flags = spec::ALL.iter().map(|spec| {
            let default = if spec.default.is_empty() { String::new() } else { format!(" [default: {}]", spec.default) };
            let flag = Arg::new(spec.name).long(spec.flag()).value_name(spec.form).help(format!(
                "{} [env: {}]{default}",
                spec.about,
                spec.variable()
            ));
            match spec.name {
                PROVISION => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
                _ => flag,
            }
        });
        let all = std::iter::once(file).chain(flags);
        command.args(all.map(|flag| flag.global(true).help_heading(HEADING).hide_short_help(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        // A command may have a flag of the same name with a default of its own.
        let typed = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        let value = |name| matches.try_get_one::<String>(name).ok().flatten();
        let given = |name| value(name).filter(|_| typed(name)).map(|value| (name, value.clone()));
        self.file = given(CONFIG).map(|(_, path)| PathBuf::from(path));
        self.values = spec::ALL.iter().filter_map(|spec| given(spec.name)).collect();
        Ok(())
    }
}
