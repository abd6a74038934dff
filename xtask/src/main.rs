//! Development tasks: `cargo xtask up | test | proto | bench | tools`.

mod apt;
mod deploy;
mod needs;
mod proto;
mod run;
mod test;
mod tools;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Lifefold's development tasks. They need Rust, a C compiler, make, python3 with pip and venv; the rest is fetched.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds lifefold and runs everything on this machine: nats-server, gateway, three projectors.
    #[command(
        after_help = "Examples:\n  cargo xtask up\n  cargo xtask up --demo 10000\n  cargo xtask up --data /srv/lifefold"
    )]
    Up {
        /// First writes a history of this many customers through the gateway.
        #[arg(long, value_name = "CUSTOMERS")]
        demo: Option<u64>,
        /// Handed to `lifefold up` as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<OsString>,
    },
    /// Checks everything, in order; the first failure stops.
    #[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --only deploy --only buf")]
    Test {
        /// Only the steps whose name begins so; may be repeated.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
    },
    /// Generates the Rust code and the buf image from proto/.
    Proto {
        /// Writes the image even if the interface breaks its users.
        #[arg(long)]
        accept_breaking: bool,
    },
    /// Measures throughput, latency and memory in a release build.
    Bench {
        /// Handed to the benchmark as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<OsString>,
    },
    /// Prints where each tool was found.
    Tools,
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Each cause on its own line; a trace of this program would bury them.
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("error: {}", causes.join("\n  because: "));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Up { demo, rest } => run::up(demo, &rest),
        Task::Test { only } => test::run(&only),
        Task::Proto { accept_breaking } => proto::generate(accept_breaking),
        Task::Bench { rest } => run::bench(&rest),
        Task::Tools => tools::print(),
    }
}
