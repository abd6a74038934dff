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
pub(crate) struct Asking {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    call: Call,
}

impl Asking {
    /// What the questions of such a command need.
    pub(crate) fn of(self, settings: &Settings) -> Ask {
        let link = self.call.link(settings);
        Ask { link, output: self.call.output, query: Some(self.query.message()) }
    }
}

/// What every question of a view needs.
pub(crate) struct Ask {
    /// The services.
    pub(crate) link: Link,
    /// How the answer is printed.
    pub(crate) output: Output,
    /// The instant, as a part of a request.
    pub(crate) query: Option<v1::ViewQuery>,
}
