//! Records without a log: what a projector would hold after folding a history.

use touchpoint::{CustomerId, Position, Recorded};
use views::Record;

use crate::corpus::population;

/// The records of so many customers, one after the other. Positions are not those of a log, but as long.
pub(crate) fn records(customers: u64) -> impl Iterator<Item = (CustomerId, Record)> {
    let population = population(customers);
    let mut position = Position(customers);
    (0..customers).map(move |number| {
        let customer = population.customer(number);
        let mut record = Record::default();
        for planned in customer.planned {
            position = position.next();
            record.file(&Recorded { position, recorded_at: planned.recorded_at, event: planned.event });
        }
        (customer.id, record)
    })
}
