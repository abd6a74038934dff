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
    use super::*;

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
