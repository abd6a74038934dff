//! The events behind the value of an axis or attribute: what a rule segment that asks about it rests on.

use touchpoint::EventId;

use super::rule::Subject;
use crate::Filed;
use crate::contract::Contract;
use crate::rules::{Attribute, Axis};

impl<'s> Subject<'s, '_> {
    /// The events that gave an axis its value.
    pub(super) fn behind_axis(&self, axis: Axis) -> Vec<&'s Filed<'s>> {
        match axis {
            Axis::Stage => self.lifecycle.stage_by.into_iter().collect(),
            Axis::Label => {
                let scores = [Attribute::Recency, Attribute::Frequency, Attribute::Monetary];
                scores.into_iter().flat_map(|score| self.behind(score)).collect()
            }
            Axis::Tier => self.of_ids(self.tier.parts.iter().flat_map(|part| &part.evidence)),
            Axis::Motive => self.of_ids(self.demand.motive.iter().map(|said| &said.event)),
            Axis::Household => self.of_ids(self.demand.household.iter().map(|said| &said.event)),
            Axis::Project => self.lifecycle.project_by.into_iter().collect(),
            Axis::Company => self.lifecycle.company_by.into_iter().collect(),
            Axis::Consultant => self.timeline.consultant_by().into_iter().collect(),
        }
    }

    /// The events that gave an attribute its value; none where it is 0 for want of any.
    pub(super) fn behind(&self, attribute: Attribute) -> Vec<&'s Filed<'s>> {
        let live = || self.lifecycle.live();
        match attribute {
            Attribute::Rooms => self.of_ids(self.demand.rooms.iter().map(|said| &said.event)),
            Attribute::BudgetMinFen | Attribute::BudgetMaxFen => {
                self.of_ids(self.demand.budget.iter().map(|said| &said.event))
            }
            Attribute::Recency => self.of_ids(self.rfm.last_interaction.iter().map(|last| &last.event)),
            Attribute::Frequency => self.rfm.frequency_by(self.timeline),
            Attribute::Monetary | Attribute::ContractValueFen => live().flat_map(Contract::priced_by).collect(),
            Attribute::LiveContracts => live().map(|contract| contract.signing).collect(),
            Attribute::LargestContractFen => {
                let largest = live().map(|contract| contract.price).max();
                let first = live().find(|contract| Some(contract.price) == largest);
                first.into_iter().flat_map(Contract::priced_by).collect()
            }
            Attribute::Conversions => self.conversions.iter().flat_map(|it| [it.made, it.converted]).collect(),
            Attribute::DaysSilent => self.timeline.last_sign().into_iter().collect(),
        }
    }

    /// The signings of the live contracts that are not delivered.
    pub(super) fn undelivered(&self) -> impl Iterator<Item = &'s Filed<'s>> {
        self.lifecycle.live().filter(|contract| !contract.is_delivered()).map(|contract| contract.signing)
    }

    fn of_ids<'i>(&self, ids: impl IntoIterator<Item = &'i EventId>) -> Vec<&'s Filed<'s>> {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_unstable();
        let timeline = self.timeline;
        timeline.events.iter().filter(|event| ids.binary_search(&&event.id).is_ok()).collect()
    }
}
