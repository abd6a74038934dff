//! Lists and totals of the segmentation view: who is on which value of which axis, and in which rule segment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use touchpoint::{Code, CustomerId, Household, Motive};

use super::funnel::{Cell, Counts, Month, Source, Step};
use super::{Answer, Label, Tier, answer};
use crate::lifecycle::Stage;
use crate::rules::Rules;
use crate::{Moment, Record, Sign, View};

/// The segmentation view.
#[derive(Debug, Clone, Copy)]
pub struct Segmentation;

/// A group of customers that can be listed: a value of an axis, or a rule segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// A lifecycle stage.
    Stage(Stage),
    /// An RFM label.
    Label(Label),
    /// A value tier.
    Tier(Tier),
    /// Why they look for a home.
    Motive(Motive),
    /// Who is to live there.
    Household(Household),
    /// 一线公司, by its code.
    Company(Arc<str>),
    /// 项目, by its code.
    Project(Arc<str>),
    /// 置业顾问, by their code.
    Consultant(Arc<str>),
    /// A rule segment, by its name.
    Segment(Arc<str>),
}

/// What one customer adds to lists and totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    stage: Stage,
    cohort: Month,
    source: Source,
    reached: u8,
    unresolved: u32,
    parked: u32,
    /// Nothing while consent to profiling is withdrawn.
    member: Option<Member>,
}

/// The groups of one customer, except the stage.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    label: Label,
    tier: Tier,
    motive: Option<Motive>,
    household: Option<Household>,
    company: Option<Arc<str>>,
    project: Option<Arc<str>>,
    consultant: Option<Arc<str>>,
    segments: Box<[Arc<str>]>,
}

/// Lists and totals over all customers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Customers with a view, withheld ones included.
    pub customers: u64,
    /// Customers who withdrew consent to profiling: in the totals of stages and the funnel, in no group.
    pub withheld: u64,
    /// References that lead nowhere, over all customers.
    pub unresolved: u64,
    /// Unreadable events, over all customers.
    pub parked: u64,
    stages: [u64; Stage::ALL.len()],
    funnel: BTreeMap<(Month, Source), Counts>,
    members: BTreeMap<Group, BTreeSet<CustomerId>>,
}

impl Totals {
    /// All customers in a stage, withheld ones included.
    pub fn stage(&self, stage: Stage) -> u64 {
        self.stages[stage as usize]
    }

    /// The members of a group; withheld customers are none.
    pub fn count(&self, group: &Group) -> u64 {
        self.members.get(group).map_or(0, |members| members.len() as u64)
    }

    /// The groups that have members, with their number.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, u64)> {
        self.members.iter().map(|(group, members)| (group, members.len() as u64))
    }

    /// The customers who are in all of these groups, by id, beginning after one. No group: nobody.
    pub fn members(&self, groups: &[Group], after: Option<CustomerId>) -> impl Iterator<Item = CustomerId> {
        let sets: Option<Vec<_>> = groups.iter().map(|group| self.members.get(group)).collect();
        let sets = sets.unwrap_or_default();
        let smallest = sets.iter().copied().min_by_key(|set| set.len());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let candidates = smallest.into_iter().flat_map(move |set| set.range((start, Bound::Unbounded)).copied());
        candidates.filter(move |customer| sets.iter().all(|set| set.contains(customer)))
    }

    /// How many customers of a cell reached each step.
    pub fn funnel(&self, cell: Cell) -> Counts {
        let within = |(cohort, source): &(Month, Source)| {
            cell.cohort.is_none_or(|wanted| wanted == *cohort) && cell.source.is_none_or(|wanted| wanted == *source)
        };
        let mut sum = Counts::default();
        for (_, counts) in self.funnel.iter().filter(|(key, _)| within(key)) {
            add(&mut sum, counts);
        }
        sum
    }
}

impl Placement {
    fn new(answer: &Answer) -> Self {
        let Answer { standing, profile, funnel } = answer;
        let shared = |code: &Option<Code<'_>>| code.as_ref().map(|code| Arc::from(code.as_str()));
        let member = profile.as_ref().map(|profile| Member {
            label: profile.rfm.label,
            tier: profile.tier.tier,
            motive: profile.demand.motive.map(|said| said.value),
            household: profile.demand.household.map(|said| said.value),
            company: shared(&standing.company),
            project: shared(&standing.project),
            consultant: shared(&standing.consultant),
            segments: profile.segments.iter().map(|membership| Arc::clone(&membership.name)).collect(),
        });
        Self {
            stage: standing.stage,
            cohort: funnel.cohort,
            source: funnel.source,
            reached: funnel.reached(),
            unresolved: standing.unresolved,
            parked: standing.parked,
            member,
        }
    }

    /// The groups that the customer is a member of.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.member.iter().flat_map(|member| {
            let code = |code: &Option<Arc<str>>, group: fn(Arc<str>) -> Group| code.clone().map(group);
            let axes = [
                Some(Group::Stage(self.stage)),
                Some(Group::Label(member.label)),
                Some(Group::Tier(member.tier)),
                member.motive.map(Group::Motive),
                member.household.map(Group::Household),
                code(&member.company, Group::Company),
                code(&member.project, Group::Project),
                code(&member.consultant, Group::Consultant),
            ];
            axes.into_iter().flatten().chain(member.segments.iter().cloned().map(Group::Segment))
        })
    }

    /// The customer is a member of this group.
    pub fn is_in(&self, group: &Group) -> bool {
        let Some(member) = &self.member else { return false };
        let is = |code: &Option<Arc<str>>, wanted: &Arc<str>| code.as_ref() == Some(wanted);
        match group {
            Group::Stage(stage) => self.stage == *stage,
            Group::Label(label) => member.label == *label,
            Group::Tier(tier) => member.tier == *tier,
            Group::Motive(motive) => member.motive == Some(*motive),
            Group::Household(household) => member.household == Some(*household),
            Group::Company(code) => is(&member.company, code),
            Group::Project(code) => is(&member.project, code),
            Group::Consultant(code) => is(&member.consultant, code),
            Group::Segment(name) => member.segments.contains(name),
        }
    }

    /// Consent to profiling is withdrawn: the customer is in no group.
    pub const fn is_withheld(&self) -> bool {
        self.member.is_none()
    }
}

impl View for Segmentation {
    const NAME: &'static str = "segmentation";
    type Answer = Answer;
    type Placement = Placement;
    type Totals = Totals;

    fn answer(record: &Record, rules: &Rules, moment: &mut Moment) -> Option<Answer> {
        answer(record, rules, moment)
    }

    fn placement(answer: &Answer) -> Placement {
        Placement::new(answer)
    }

    fn place(totals: &mut Totals, customer: CustomerId, placement: &Placement, sign: Sign) {
        count(totals, placement, sign);
        for group in placement.groups() {
            place_in_group(&mut totals.members, group, customer, sign);
        }
    }

    /// A set that is made of all its members is made in a fraction of the time.
    fn place_all<'p>(totals: &mut Totals, placed: impl Iterator<Item = (CustomerId, &'p Placement)>) {
        let mut joining: HashMap<Group, Vec<CustomerId>> = HashMap::new();
        for (customer, placement) in placed {
            count(totals, placement, Sign::Add);
            placement.groups().for_each(|group| joining.entry(group).or_default().push(customer));
        }
        for (group, members) in joining {
            totals.members.entry(group).or_default().append(&mut members.into_iter().collect());
        }
    }

    fn merge(totals: &mut Totals, others: Totals) {
        let Totals { customers, withheld, unresolved, parked, stages, funnel, members } = others;
        totals.customers += customers;
        totals.withheld += withheld;
        totals.unresolved += unresolved;
        totals.parked += parked;
        totals.stages.iter_mut().zip(stages).for_each(|(count, more)| *count += more);
        funnel.into_iter().for_each(|(cell, counts)| add(totals.funnel.entry(cell).or_default(), &counts));
        members.into_iter().for_each(|(group, mut more)| totals.members.entry(group).or_default().append(&mut more));
    }
}

/// Counts a customer everywhere but in the groups.
fn count(totals: &mut Totals, placement: &Placement, sign: Sign) {
    sign.count(&mut totals.customers);
    sign.count(&mut totals.stages[placement.stage as usize]);
    sign.amount(&mut totals.unresolved, placement.unresolved.into());
    sign.amount(&mut totals.parked, placement.parked.into());
    if placement.member.is_none() {
        sign.count(&mut totals.withheld);
    }
    place_in_funnel(&mut totals.funnel, placement, sign);
}

/// Adds the counts of a cell.
fn add(counts: &mut Counts, more: &Counts) {
    counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
}

fn place_in_funnel(funnel: &mut BTreeMap<(Month, Source), Counts>, placement: &Placement, sign: Sign) {
    let key = (placement.cohort, placement.source);
    let counts = funnel.entry(key).or_default();
    counts.iter_mut().take(usize::from(placement.reached)).for_each(|count| sign.count(count));
    // Whoever is in a cell is at least KNOWN: an empty cell is none.
    if counts[Step::Known as usize] == 0 {
        funnel.remove(&key);
    }
}

fn place_in_group(members: &mut BTreeMap<Group, BTreeSet<CustomerId>>, group: Group, customer: CustomerId, sign: Sign) {
    match sign {
        Sign::Add => _ = members.entry(group).or_default().insert(customer),
        Sign::Remove => {
            if let Some(set) = members.get_mut(&group) {
                set.remove(&customer);
                if set.is_empty() {
                    members.remove(&group);
                }
            }
        }
    }
}
