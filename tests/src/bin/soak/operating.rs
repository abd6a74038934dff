//! What operators and the world do to a system under load.

use std::time::{Duration, Instant};

use api::v1;
use api::v1::RebuildPhase;
use tests::{Clients, View, until};
use tokio::task::JoinSet;
use touchpoint::{CustomerId, EventId};

use crate::deeds;
use crate::dice::Dice;
use crate::proxy::Way;
use crate::told;
use crate::world::{Part, World};

/// Most pause between two things that are done, in milliseconds.
const PAUSE_MILLIS: u64 = 2_500;
/// How long something stays down or cut at most, in milliseconds.
const DOWN_MILLIS: u64 = 3_000;
/// What passes is this much later at most, in milliseconds.
const SLOW_MILLIS: u64 = 400;

/// What can be done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Kill,
    Terminate,
    KillNats,
    StopNats,
    Cut,
    Slow,
    Close,
    Rebuild,
    Accept,
    Cancel,
    RollBack,
    Retire,
    Pause,
    Resume,
    Poison,
    Retry,
    Drop,
    Activate,
    RebuildCustomer,
}

/// How often each is done.
const DEEDS: [(u32, Deed); 19] = [
    (8, Deed::Kill),
    (4, Deed::Terminate),
    (3, Deed::KillNats),
    (1, Deed::StopNats),
    (5, Deed::Cut),
    (3, Deed::Slow),
    (3, Deed::Close),
    (8, Deed::Rebuild),
    (2, Deed::Accept),
    (3, Deed::Cancel),
    (4, Deed::RollBack),
    (2, Deed::Retire),
    (3, Deed::Pause),
    (4, Deed::Resume),
    (2, Deed::Poison),
    (2, Deed::Retry),
    (2, Deed::Drop),
    (2, Deed::Activate),
    (3, Deed::RebuildCustomer),
];

/// What ends a fault.
#[derive(Debug, Clone, Copy)]
enum Repair {
    Start(Part),
    StartNats,
    Open(Part),
}

/// Somebody who breaks things, and repairs them again.
pub(crate) struct Operator {
    dice: Dice,
    begun: Instant,
    next: Instant,
    repairs: Vec<(Instant, Repair)>,
    /// What was asked of services, and goes on.
    calls: JoinSet<String>,
    customers: Vec<CustomerId>,
}

impl Operator {
    /// Knows these customers. What is said carries the time since `begun`.
    pub(crate) fn new(dice: Dice, begun: Instant, customers: Vec<CustomerId>) -> Self {
        Self { dice, begun, next: Instant::now(), repairs: Vec::new(), calls: JoinSet::new(), customers }
    }

    /// Says something, and when.
    pub(crate) fn say(&self, what: &str) {
        println!("{:7.1} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Repairs what it is time for, and does the next thing if it is time for it.
    pub(crate) fn step(&mut self, world: &mut World) {
        self.hear();
        let now = Instant::now();
        let due: Vec<_> = self.repairs.extract_if(.., |(at, _)| *at <= now).collect();
        due.into_iter().for_each(|(_, repair)| self.repair(world, repair));
        if now >= self.next {
            let deed = self.dice.weighted(&DEEDS);
            self.does(world, deed);
            self.next = Instant::now() + Duration::from_millis(self.dice.between(0, PAUSE_MILLIS));
        }
    }

    /// Says what came of what was asked.
    fn hear(&mut self) {
        while let Some(ended) = self.calls.try_join_next() {
            self.say(&ended.unwrap_or_else(|error| panic!("an operator: {error}")));
        }
    }

    fn repair(&mut self, world: &mut World, repair: Repair) {
        match repair {
            Repair::Start(part) => world.start_again(part),
            Repair::StartNats if world.machine.nats.pid().is_some() => {}
            Repair::StartNats => world.machine.nats.restart().unwrap_or_else(|error| panic!("nats-server: {error}")),
            Repair::Open(part) => world.proxy(part).set(Way::Open),
        }
    }

    fn soon(&mut self, repair: Repair) {
        let after = if self.dice.once_in(2) { 0 } else { self.dice.between(0, DOWN_MILLIS) };
        self.repairs.push((Instant::now() + Duration::from_millis(after), repair));
    }

    fn does(&mut self, world: &mut World, deed: Deed) {
        let part = *self.dice.pick(&Part::ALL);
        let view = *self.dice.pick(&View::ALL);
        match deed {
            Deed::Kill | Deed::Terminate => {
                self.say(&format!("{deed:?} {}", part.name()));
                if let Deed::Kill = deed {
                    world.kill(part)
                } else {
                    world.terminate(part)
                }
                self.soon(Repair::Start(part));
            }
            Deed::KillNats | Deed::StopNats => {
                self.say(&format!("{deed:?}"));
                let nats = &mut world.machine.nats;
                let down = if let Deed::KillNats = deed { nats.kill() } else { nats.stop() };
                down.unwrap_or_else(|error| panic!("nats-server: {error}"));
                self.soon(Repair::StartNats);
            }
            Deed::Cut | Deed::Slow | Deed::Close => {
                self.say(&format!("{deed:?} {}", part.name()));
                let delay = Duration::from_millis(self.dice.between(1, SLOW_MILLIS));
                match deed {
                    Deed::Cut => return world.proxy(part).cut(),
                    Deed::Slow => world.proxy(part).set(Way::Slow(delay)),
                    _ => world.proxy(part).set(Way::Closed),
                }
                self.soon(Repair::Open(part));
            }
            Deed::Activate => {
                self.calls.spawn(deeds::activate(world.gateway(), self.dice.once_in(2)));
            }
            Deed::Poison => {
                let (customer, id) = (*self.dice.pick(&self.customers), self.dice.bits());
                self.calls.spawn(deeds::poison(world.machine.nats.url(), customer, EventId::from_u128(id)));
            }
            Deed::Drop => {
                drop(self.calls.spawn(deeds::drop_parked(world.reader(view), world.gateway(), view, self.dice.bits())))
            }
            _ => {
                let call =
                    deeds::asks(world.reader(view), view, deed, self.dice.clone(), *self.dice.pick(&self.customers));
                self.dice.bits();
                self.calls.spawn(call);
            }
        }
    }

    /// Repairs everything, lets everything go on that was stopped, and waits until no rebuild is under way.
    ///
    /// # Panics
    /// If a rebuild differs, or anything does not come back.
    pub(crate) async fn calm(&mut self, world: &mut World) {
        self.say("calm");
        self.repairs.clear();
        world.heal();
        while let Some(ended) = self.calls.join_next().await {
            self.say(&ended.unwrap_or_else(|error| panic!("an operator: {error}")));
        }
        for view in View::ALL {
            let clients = world.reader(view);
            until(&format!("{} to be calm", view.name()), async || is_calm(&clients, view).await.then_some(())).await;
        }
        world.serving().await;
    }
}

/// Resumes a view if it is paused; true if it serves, and no rebuild is under way.
async fn is_calm(clients: &Clients, view: View) -> bool {
    let Some(status) = clients.status().await else { return false };
    match status.state() {
        v1::ProjectorState::Serving => {}
        v1::ProjectorState::CatchingUp if status.pause.is_none() => return false,
        v1::ProjectorState::Paused | v1::ProjectorState::CatchingUp => {
            drop(told::done("Resume", clients.projector().resume(v1::ResumeRequest {}).await));
            return false;
        }
        broken => panic!("{} is {}: {}", view.name(), broken.as_str_name(), status.message),
    }
    let rebuild = clients.rebuilds().get_rebuild(v1::GetRebuildRequest {}).await;
    match told::done("GetRebuild", rebuild) {
        Ok(rebuild) => match rebuild.phase() {
            RebuildPhase::Differs => panic!("the rebuild of {} differs: {:?}", view.name(), rebuild.findings),
            RebuildPhase::Unspecified | RebuildPhase::Switched | RebuildPhase::GivenUp => true,
            _ => false,
        },
        // There was none yet.
        Err(reason) => reason != "no answer",
    }
}
