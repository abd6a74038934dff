//! The instants at which an answer about a history may change.

use touchpoint::{Date, Timestamp, Touchpoint};

use crate::Planned;

/// The windows and silences of the domain, in days; "up to N days" ends a day later.
const WINDOW_DAYS: [i64; 12] = [14, 28, 30, 31, 90, 91, 180, 181, 365, 366, 730, 731];
/// The limits for complaints, in minutes.
const LIMIT_MINUTES: [i64; 5] = [60, 24 * 60, 72 * 60, 120 * 60, 168 * 60];
/// Anniversaries: of moving in, and the window in which people buy again.
const ANNIVERSARY_MONTHS: [u32; 5] = [1, 12, 24, 66, 90];
/// After the planned day of handover and so many days more, the next day begins a delay.
const DELAY_DAYS: u32 = 31;

/// Event times, times of recording, ends of windows, complaint limits and month anniversaries (Shanghai midnight is
/// 16:00Z), each also a microsecond before and after; ascending, each once.
pub fn interesting(planned: &[Planned]) -> Vec<Timestamp> {
    let mut moments: Vec<Timestamp> = planned.iter().flat_map(of_event).flat_map(neighbours).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

fn of_event(planned: &Planned) -> Vec<Timestamp> {
    let at = planned.event.occurred_at;
    let mut moments = vec![at, planned.recorded_at];
    moments.extend(planned.event.first_recorded_at);
    moments.extend(WINDOW_DAYS.iter().map(|days| at.plus_days(*days)));
    if matches!(
        planned.event.body,
        Touchpoint::ComplaintLodged(_) | Touchpoint::ComplaintReopened(_) | Touchpoint::ComplaintResolved(_)
    ) {
        moments.extend(LIMIT_MINUTES.iter().map(|minutes| at.plus_micros(minutes * Timestamp::MINUTE)));
    }
    moments.extend(dates(planned).into_iter().flat_map(anniversaries));
    moments
}

/// The dates that an event names or, for a contract, is known by.
fn dates(planned: &Planned) -> Vec<Date> {
    match &planned.event.body {
        Touchpoint::ContractSigned(signed) => {
            vec![planned.event.occurred_at.shanghai_date(), signed.planned_handover_on.plus_days(DELAY_DAYS)]
        }
        Touchpoint::HandoverCompleted(handover) => vec![handover.handed_over_on],
        Touchpoint::MovedIn(moved) => vec![moved.on],
        Touchpoint::UnitResold(sold) => vec![sold.on],
        _ => Vec::new(),
    }
}

fn anniversaries(date: Date) -> impl Iterator<Item = Timestamp> {
    let months = ANNIVERSARY_MONTHS.iter().map(move |months| date.plus_months(*months).start());
    std::iter::once(date.start()).chain(months)
}

fn neighbours(at: Timestamp) -> [Timestamp; 3] {
    [at.plus_micros(-1), at, at.plus_micros(1)]
}
