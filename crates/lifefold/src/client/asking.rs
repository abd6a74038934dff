//! What commands have in common, flattened into the arguments of each: the instant, the form of the answer, the
//! connection.

use api::v1;

use super::link::{Link, Wait};
use super::output::Output;
use super::query::Query;
use crate::settings::Settings;

/// Of every command that is answered.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Call {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    wait: Wait,
}

impl Call {
    /// The services that the settings name.
    pub(crate) fn link(&self, settings: &Settings) -> Link {
        Link::new(settings, &self.wait)
    }
}

/// Of every command that reads a view.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    call: Call,
}

impl ViewArgs {
    /// A client for the questions of such a command.
    pub(crate) fn of(self, settings: &Settings) -> ViewClient {
        let link = self.call.link(settings);
        ViewClient { link, output: self.call.output, query: Some(self.query.message()) }
    }
}

/// Asks the views, all at the instant of one command.
pub(crate) struct ViewClient {
    /// The services.
    pub(crate) link: Link,
    /// How the answer is printed.
    pub(crate) output: Output,
    /// The instant, as a part of a request.
    pub(crate) query: Option<v1::ViewQuery>,
}
