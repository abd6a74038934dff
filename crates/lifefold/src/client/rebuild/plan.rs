//! What a rebuild would take, and whether it is wanted.

use api::v1;

use super::super::failure::{Failure, Outcome};
use super::super::format;
use super::super::link::Link;
use super::super::output::{self, Output, Screen};
use super::super::terminal;
use crate::cli::View;

/// Shows what a rebuild would take.
pub(super) async fn show(link: &Link, view: View, max_rate: u64, output: &Output) -> Result<Outcome, Failure> {
    let plan = ask(link, view, max_rate).await?;
    output.show(&plan, |screen| table(screen, view, &plan))?;
    Ok(Outcome::Done)
}

/// Shows what a rebuild would take, and asks on a terminal whether it is wanted; elsewhere nobody can be asked.
pub(super) async fn confirm(link: &Link, view: View, max_rate: u64) -> Result<(), Failure> {
    let name = view.name();
    let instead = format!("`lifefold rebuild {name} --yes` rebuilds, `--dry-run` says what it would take");
    terminal::attended(&instead)?;
    let plan = ask(link, view, max_rate).await?;
    output::note(table(Screen::of_stdout(), view, &plan).trim_end());
    match terminal::answer(&format!("Type {name} to rebuild it:"))? == name {
        true => Ok(()),
        false => Err(Failure::Other("nothing was begun".to_owned())),
    }
}

async fn ask(link: &Link, view: View, max_rate: u64) -> Result<v1::PlanRebuildResponse, Failure> {
    let request = link.request(v1::PlanRebuildRequest { max_events_per_second: max_rate });
    Ok(link.rebuilds(view).await?.plan_rebuild(request).await?.into_inner())
}

fn table(screen: Screen, view: View, plan: &v1::PlanRebuildResponse) -> String {
    let beside = |needed: u64, there: u64, what: &str| match there {
        0 => format::bytes(needed),
        there => {
            let too_little = if needed > there { ": TOO LITTLE" } else { "" };
            format!("{}, of {} {what}{too_little}", format::bytes(needed), format::bytes(there))
        }
    };
    let speed = format!("{} events/s", format::count(plan.events_per_second));
    let time = match &plan.estimated_time {
        Some(time) if time.seconds > 0 => format!("about {}", format::span(time)),
        _ => "less than 1 s".to_owned(),
    };
    let previous = match plan.previous_generation {
        0 => "none is dropped".to_owned(),
        number => format!("generation {number} is dropped: no rollback to it any more"),
    };
    screen.pairs([
        ("Rebuild of", view.name().to_owned()),
        ("Events to fold", format::count(plan.events)),
        ("Time to fold", format!("{time}, at {speed} (the first {} measured)", format::count(plan.sampled_events))),
        ("Memory", beside(plan.memory_bytes, plan.memory_available_bytes, "available")),
        ("Disk", beside(plan.disk_bytes, plan.disk_free_bytes, "free")),
        ("Previous", previous),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_what_it_takes_and_what_there_is() {
        let mut plan = v1::PlanRebuildResponse {
            events: 5_000_000,
            sampled_events: 100_000,
            events_per_second: 250_000,
            estimated_time: Some(prost_types::Duration { seconds: 75, nanos: 0 }),
            memory_bytes: 3 << 29,
            memory_available_bytes: 20 << 30,
            disk_bytes: 1 << 30,
            disk_free_bytes: 0,
            previous_generation: 4,
        };
        let text = table(Screen::plain(), View::Churn, &plan);
        for part in ["5,000,000", "about 1 min 15 s, at 250,000", "1.5 GiB, of 20.0 GiB available", "1.0 GiB\n", "4 is"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        plan.estimated_time = Some(prost_types::Duration { seconds: 0, nanos: 400_000_000 });
        assert!(table(Screen::plain(), View::Churn, &plan).contains("less than 1 s, at 250,000"));
        assert!(!text.contains("TOO LITTLE"), "{text}");
        plan.memory_available_bytes = 1 << 30;
        let text = table(Screen::plain(), View::Churn, &plan);
        assert!(text.contains("Memory          1.5 GiB, of 1.0 GiB available: TOO LITTLE\n"), "{text}");
    }
}
