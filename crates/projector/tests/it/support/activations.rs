//! Rules that are activated in the course of a history.

use std::sync::Arc;

use projector::{Entry, Generation};
use touchpoint::{Code, EventId, Position, RulesActivated, Timestamp};
use views::View;
use views::rules::Rules;

use super::{batch_of, origin};

/// Rules under which many move, on every axis, and more with every number.
pub(crate) fn rules(number: u32) -> Rules {
    let text = format!(
        "[lifecycle]\nlost_after_days = {}\n[service_levels.resolve_hours]\nHIGH = {}\n\
         [satisfaction]\nwindow_days = {}\n[segmentation.tier.from]\nVIP = {}\nHIGH = 20\nMID = 10\n\
         [churn.band_from]\nMEDIUM = 0.{}\n[churn.reasons.SILENCE]\npoints_per_gap = 0.{number}\n",
        20 + 10 * number,
        1 + number,
        60 + 20 * number,
        40 + number,
        10 + number,
    );
    Rules::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// The message that activates rules.
pub(crate) fn activation(position: Position, recorded_at: Timestamp, rules: &Rules) -> Entry {
    let event = RulesActivated {
        id: EventId::from_u128(position.0.into()),
        version: Code::new(rules.version().to_string()).unwrap(),
        note: "says the test".into(),
        rules: rules.to_toml().into(),
    };
    Entry { position, recorded_at, customer: None, body: event.to_json().into() }
}

/// What a newer gateway may write.
pub(crate) fn unreadable(position: Position, recorded_at: Timestamp) -> Entry {
    let body = r#"{"type":"RulesActivated","dataschema":"urn:lifefold:RulesActivated:2"}"#;
    Entry { position, recorded_at, customer: None, body: body.into() }
}

/// A history with activations in it, rules 1, 2 and so on, evenly spread; and where each came.
pub(crate) fn with_activations(entries: Vec<Entry>, many: u32) -> (Vec<Entry>, Vec<Entry>) {
    let every = entries.len() / (many as usize + 1);
    let (mut all, mut activations) = (Vec::new(), Vec::new());
    for (index, entry) in entries.into_iter().enumerate() {
        let (next, recorded_at) = (Position(all.len() as u64 + 1), entry.recorded_at);
        all.push(Entry { position: next, ..entry });
        if (index + 1) % every == 0 && activations.len() < many as usize {
            let rules = rules(activations.len() as u32 + 1);
            activations.push(activation(next.next(), recorded_at, &rules));
            all.extend(activations.last().cloned());
        }
    }
    (all, activations)
}

/// Folds in batches of this size; lists are kept from the beginning, or made at the end.
pub(crate) fn fold<V: View>(entries: &[Entry], own: Rules, batch: usize, live: bool) -> Generation<V> {
    let generation = Generation::on_threads(2, origin(), Arc::new(own));
    if live {
        generation.go_live(Timestamp::MIN);
    }
    for part in entries.chunks(batch) {
        let last = part.last().unwrap();
        generation.fold(&batch_of(part.to_vec(), last.position).unwrap(), last.recorded_at);
    }
    if !live {
        generation.go_live(entries.last().unwrap().recorded_at);
    }
    generation
}
