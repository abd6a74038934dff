//! Callers that ask about everybody, without pause: no answer is older than one that was given before.

use std::sync::Arc;
use std::time::Duration;

use api::v1;
use tests::{View, may_pass};
use tokio::time::sleep;

use crate::ask;
use crate::run::Shared;

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(40);

/// Asks a view until it is told to stop.
pub(crate) async fn reads(shared: Arc<Shared>, view: View) {
    while !shared.stop.is_cancelled() {
        let before = shared.floors.before(view);
        match ask::all(&shared.readers[view as usize], view, v1::ViewQuery::default()).await {
            Ok((_, meta)) => shared.floors.answered(view, before, meta.position),
            Err(status) => assert!(may_pass(&status), "{} about everybody: {status:?}", view.name()),
        }
        sleep(PAUSE).await;
    }
}
