//! The believable history: `up --demo` imports it, `demo` prints it.

use std::io::{self, BufWriter, ErrorKind, Write};

use history::Planned;
use history::believable::{Config, Population};
use touchpoint::Timestamp;

/// The demo is the same every time.
const SEED: u64 = 1;
/// Nothing in it is later: 2026-01-01T00:00:00Z.
pub(crate) const UNTIL: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// The population that the demo tells of.
pub(crate) fn population(customers: u64) -> Population {
    Population::new(Config::new(customers, SEED, UNTIL))
}

/// Prints the events as an import takes them: one JSON object for each line, in the order in which the company learned
/// of them. A reader that has enough may hang up.
pub(crate) fn print(customers: u64) -> io::Result<()> {
    let (events, _) = population(customers).sent();
    match write(&events, &mut BufWriter::new(io::stdout().lock())) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn write(events: &[Planned], out: &mut impl Write) -> io::Result<()> {
    for event in events {
        out.write_all(&event.import_body())?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use touchpoint::{Kind, Touchpoint};

    use super::*;

    #[test]
    fn the_demo_is_what_it_is_said_to_be() {
        let (sent, totals) = population(10_000).sent();
        let (mut companies, mut projects, mut waves) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for Planned { event, .. } in &sent {
            companies.extend(&event.company);
            projects.extend(&event.project);
            if let Touchpoint::SurveyAnswered(answer) = &event.body {
                waves.insert(&answer.wave_id);
            }
        }
        assert_eq!((companies.len(), projects.len(), waves.len()), (2, 8, 5));
        let years = |planned: &Planned| UNTIL.since(planned.event.occurred_at) / Timestamp::DAY / 365;
        assert!((0..5).all(|year| sent.iter().any(|planned| years(planned) == year)), "each of five years");
        assert_eq!((totals.customers, totals.sent(), totals.by_kind.len()), (10_000, 77_621, Kind::ALL.len()));
        for some in [totals.late, totals.duplicates, totals.voided, totals.erased] {
            assert!(some > 0, "late events, duplicates, voids and erasures: {totals:?}");
        }
    }

    #[test]
    fn every_line_is_an_event_and_the_totals_are_the_populations() {
        let (events, totals) = population(200).sent();
        let mut text = Vec::new();
        write(&events, &mut text).unwrap();
        let lines: Vec<_> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len() as u64, totals.sent());
        lines.iter().for_each(|line| drop(touchpoint::Event::decode(line).unwrap()));
    }
}
