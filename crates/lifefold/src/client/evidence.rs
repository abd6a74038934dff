//! The events behind a reason: when they happened, and what they were.

use std::collections::HashMap;

use api::v1;
use prost_types::Timestamp;

use super::asking::ViewClient;
use super::output::Format;
use super::{format, stored, timeline};

/// Most events that are named for one reason.
const MAX_SHOWN: usize = 4;

/// What the timeline knows of a customer's events; empty if the gateway is not there, since views answer without it.
#[derive(Debug, Default)]
pub(crate) struct Events(HashMap<String, (String, Option<Timestamp>)>);

impl Events {
    /// Reads the customer's timeline for a table, as far as it can be had; other formats name the events by id.
    pub(crate) async fn for_table(ask: &ViewClient, customer_id: &str) -> Self {
        if ask.output.output != Format::Table {
            return Self::default();
        }
        let Ok(answer) = timeline::read(&ask.link, customer_id).await else { return Self::default() };
        let touchpoints = answer.events.into_iter().filter_map(|event| match event.content {
            Some(v1::recorded_touchpoint::Content::Touchpoint(touchpoint)) => Some(touchpoint),
            _ => None,
        });
        Self(touchpoints.map(|it| (it.id.clone(), (stored::kind(&it).to_owned(), it.occurred_at))).collect())
    }

    /// A line for each event, the oldest first; many are cut in the middle.
    pub(crate) fn lines(&self, evidence: &[v1::Evidence]) -> String {
        if evidence.len() <= MAX_SHOWN {
            return evidence.iter().map(|one| self.line(one)).collect::<Vec<_>>().join("\n");
        }
        let last = evidence.len() - 1;
        let mut lines: Vec<_> = evidence.iter().take(MAX_SHOWN - 2).map(|one| self.line(one)).collect();
        lines.push(format!("… {} more …", evidence.len() - MAX_SHOWN + 1));
        lines.extend(evidence.get(last).map(|one| self.line(one)));
        lines.join("\n")
    }

    /// What an event was, if the timeline knows it.
    pub(crate) fn kind(&self, event_id: &str) -> Option<&str> {
        self.0.get(event_id).map(|(kind, _)| kind.as_str())
    }

    fn line(&self, evidence: &v1::Evidence) -> String {
        let known = self.0.get(&evidence.event_id);
        let time = evidence.occurred_at.as_ref().or_else(|| known.and_then(|(_, time)| time.as_ref()));
        match (time, known) {
            (Some(time), Some((kind, _))) => format!("{} {kind}", format::date(Some(time))),
            (Some(time), None) => format::date(Some(time)),
            (None, _) => format!("event {}", evidence.event_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_adds_what_an_event_was() {
        let time = Some(Timestamp { seconds: 1_743_442_200, nanos: 0 });
        let events = Events(HashMap::from([("a".to_owned(), ("ComplaintLodged".to_owned(), time))]));
        let of = |id: &str, occurred_at| v1::Evidence { event_id: id.to_owned(), occurred_at };
        assert_eq!(events.lines(&[of("a", None), of("b", time)]), "2025-04-01 ComplaintLodged\n2025-04-01");
        assert_eq!(events.lines(&[of("c", None)]), "event c");
        let many = vec![of("b", time); 9];
        assert_eq!(events.lines(&many), "2025-04-01\n2025-04-01\n… 6 more …\n2025-04-01");
    }
}
