//! What of a customer's record counts at a moment.

use touchpoint::{Code, ConsentPurpose, EventId, Kind, Position, Timestamp, Touchpoint};

use crate::reference::unresolved;
use crate::{Filed, Moment, Parked, Record};

/// The counting events of a customer at a moment, in order, and what every answer says about itself.
#[derive(Debug, Clone)]
pub struct Timeline<'a> {
    /// Known, not voided, and happened by then; in the order of the domain. Voids themselves are not among them.
    pub events: Vec<Filed<'a>>,
    /// References of the counting events that lead nowhere.
    pub unresolved: u32,
    /// Unreadable events of the customer that were known and are not voided: the answer may be incomplete.
    pub parked: u32,
    /// The customer withdrew consent to profiling; always the present state.
    pub withheld: bool,
}

/// What was declared a mistake, in order. Most customers have no voids: to look for nothing must cost nothing.
#[derive(Default)]
struct Voids {
    ids: Vec<EventId>,
    positions: Vec<Position>,
}

impl Voids {
    /// The voids that were known, whenever they happened: only known_at limits a void.
    fn known<'f, 'a: 'f>(facts: impl Iterator<Item = &'f Filed<'a>>, moment: &Moment) -> Self {
        let mut voids = Self::default();
        for fact in facts.filter(|fact| moment.knows(fact)) {
            if let Touchpoint::EventVoided(void) = &fact.body {
                voids.ids.extend(void.target_event_id);
                voids.positions.extend(void.target_position);
            }
        }
        voids.ids.sort_unstable();
        voids.positions.sort_unstable();
        voids
    }

    /// The unreadable events that were known and are not voided.
    fn spare(&self, record: &Record, moment: &Moment) -> Vec<Parked> {
        let mut parked = record.parked();
        parked.retain(|it| moment.knew(it.position, it.recorded_at) && !self.hit(it.id, it.position));
        parked
    }

    fn hit(&self, id: Option<EventId>, position: Position) -> bool {
        id.is_some_and(|id| self.ids.binary_search(&id).is_ok()) || self.positions.binary_search(&position).is_ok()
    }
}

impl<'a> Timeline<'a> {
    /// What counts at this moment; nothing if no event does, or the customer is erased (NOT_FOUND).
    pub fn at(record: &'a Record, moment: &mut Moment) -> Option<Self> {
        let mut events = Vec::with_capacity(record.facts_at_most());
        events.extend(record.facts());
        let withheld = !present_profiling_consent(&events);
        let voids = Voids::known(events.iter(), moment);
        events.retain(|fact| {
            fact.body.kind() != Kind::EventVoided
                && moment.knows(fact)
                && !voids.hit(Some(fact.id), fact.position)
                && moment.reached(fact.admitted_at())
        });
        let parked = voids.spare(record, moment).len();
        let unresolved = unresolved(&events);
        (!events.is_empty()).then_some(Self { events, unresolved, parked: parked as u32, withheld })
    }

    /// The customer took part in these.
    pub fn interactions(&self) -> impl DoubleEndedIterator<Item = &Filed<'a>> {
        self.events.iter().filter(|event| is_interaction(event.body.kind()))
    }

    /// What silence runs from: the later of the last interaction and the last LeadRegistered, else the first event.
    pub fn last_sign(&self) -> Option<&Filed<'a>> {
        let breaks = |kind| is_interaction(kind) || kind == Kind::LeadRegistered;
        self.events.iter().rev().find(|event| breaks(event.body.kind())).or(self.events.first())
    }

    /// The consultant of the latest visit or reassignment.
    pub fn consultant(&self) -> Option<Code<'a>> {
        match &self.consultant_by()?.body {
            Touchpoint::VisitRecorded(visit) => Some(visit.consultant_id.clone()),
            Touchpoint::ConsultantReassigned(change) => Some(change.to.clone()),
            _ => None,
        }
    }

    /// The latest visit or reassignment.
    pub fn consultant_by(&self) -> Option<&Filed<'a>> {
        let names = |event: &&Filed<'_>| matches!(event.body.kind(), Kind::VisitRecorded | Kind::ConsultantReassigned);
        self.events.iter().rev().find(names)
    }

    /// The latest consent event for this purpose, and whether it grants.
    pub fn consent(&self, purpose: ConsentPurpose) -> Option<(&Filed<'a>, bool)> {
        latest_consent(&self.events, purpose)
    }
}

/// The unreadable events of a customer that nobody has voided.
pub fn unvoided_parked(record: &Record) -> Vec<Parked> {
    if record.parked().is_empty() {
        return Vec::new();
    }
    let facts: Vec<_> = record.facts().collect();
    let moment = Moment::now(Timestamp::MAX);
    Voids::known(facts.iter(), &moment).spare(record, &moment)
}

/// The customer has not withdrawn consent to profiling. Always the present state: as_of and known_at do not matter.
pub fn present_profiling_consent(facts: &[Filed<'_>]) -> bool {
    // Hardly anybody withdraws it: whether a withdrawal was voided is asked only where there is one.
    if facts.iter().all(|fact| fact.body.kind() != Kind::ConsentWithdrawn) {
        return true;
    }
    let voids = Voids::known(facts.iter(), &Moment::now(Timestamp::MAX));
    let counting = facts.iter().filter(|fact| !voids.hit(Some(fact.id), fact.position));
    latest_consent(counting, ConsentPurpose::Profiling).is_none_or(|(_, granted)| granted)
}

fn latest_consent<'f, 'a: 'f, I>(facts: I, purpose: ConsentPurpose) -> Option<(&'f Filed<'a>, bool)>
where
    I: IntoIterator<Item = &'f Filed<'a>, IntoIter: DoubleEndedIterator>,
{
    facts.into_iter().rev().find_map(|fact| match &fact.body {
        Touchpoint::ConsentGranted(consent) if consent.purpose == purpose => Some((fact, true)),
        Touchpoint::ConsentWithdrawn(consent) if consent.purpose == purpose => Some((fact, false)),
        _ => None,
    })
}

/// What the customer took part in.
fn is_interaction(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::VisitRecorded
            | Kind::SubscriptionPlaced
            | Kind::ContractSigned
            | Kind::HandoverCompleted
            | Kind::MovedIn
            | Kind::ComplaintLodged
            | Kind::ComplaintReopened
            | Kind::RevisitCompleted
            | Kind::SurveyAnswered
            | Kind::ReferralMade
    )
}
