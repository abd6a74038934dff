//! An event of any type at the cursor, about the thing with a given number; everything else is random.

use touchpoint::*;

use super::draft::{Draft, thing};
use crate::dice::code;

const FEN_PER_YUAN: i64 = 100;
/// The prices at which a class of the domain begins, in yuan.
const BORDER_YUAN: [i64; 6] = [1, 1_500_000, 3_000_000, 4_000_000, 6_000_000, 10_000_000];

impl Draft {
    /// Puts down an event of this type about the thing (contract, complaint, …) with this number.
    pub(super) fn say(&mut self, kind: Kind, number: u32) {
        let body = self.body(kind, number);
        self.put(body);
    }

    fn body(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        match kind.family() {
            Family::Visit => self.visit_family(kind, number),
            Family::Sign => self.sign_family(kind, number),
            Family::Handover => self.handover_family(kind, number),
            Family::Complaint => self.complaint_family(kind, number),
            Family::Revisit => self.revisit_family(kind, number),
            Family::Survey => self.survey(),
            Family::Loyalty | Family::Person | Family::Record => self.other_family(kind, number),
        }
    }

    fn visit_family(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        let lead_source = self.dice.pick(LeadSource::ALL);
        match kind {
            Kind::LeadRegistered => Touchpoint::LeadRegistered(LeadRegistered { lead_source }),
            Kind::LeadLost => Touchpoint::LeadLost(LeadLost { reason: self.dice.pick(LostReason::ALL) }),
            Kind::ConsultantReassigned => {
                let (from, to) = self.dice.pick(&[("S1", "S2"), ("S2", "S1"), ("S1", "S3")]);
                Touchpoint::ConsultantReassigned(ConsultantReassigned { from: code(from), to: code(to) })
            }
            Kind::SubscriptionPlaced => Touchpoint::SubscriptionPlaced(SubscriptionPlaced {
                subscription_id: thing("S", number),
                unit_id: self.few("U"),
                deposit_fen: Fen(self.dice.pick(&[0, 1, 2_000_000])),
            }),
            Kind::SubscriptionCancelled => Touchpoint::SubscriptionCancelled(SubscriptionCancelled {
                subscription_id: thing("S", number),
                by: self.dice.pick(Party::ALL),
            }),
            _ => self.visit(lead_source),
        }
    }

    fn visit(&mut self, lead_source: LeadSource) -> Touchpoint<'static> {
        let (low, high) = (self.money(), self.money());
        let (low, high) = (low.min(high), low.max(high));
        let mut given = || self.dice.chance(0.5);
        let (low, high) = (given().then_some(low), given().then_some(high));
        let given = [given(), given(), given(), given(), given(), given()];
        Touchpoint::VisitRecorded(VisitRecorded {
            visit_id: self.few("V"),
            kind: self.dice.pick(VisitKind::ALL),
            purpose: self.dice.pick(VisitPurpose::ALL),
            lead_source,
            consultant_id: self.few("S"),
            intent: given[0].then(|| self.dice.pick(Intent::ALL)),
            budget_min_fen: low,
            budget_max_fen: high,
            rooms: given[1].then(|| Count(self.dice.between(0, 5) as u32)),
            area: given[2].then(|| Area(self.dice.pick(&[0, 1, 8_900, u32::MAX]))),
            motive: given[3].then(|| self.dice.pick(Motive::ALL)),
            household: given[4].then(|| self.dice.pick(Household::ALL)),
            minutes: given[5].then(|| Minutes(self.dice.pick(&[0, 30, 1_440]))),
        })
    }

    fn sign_family(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        let contract_id = thing("K", number);
        match kind {
            Kind::ContractAmended => {
                let kind = self.dice.weighted(&[
                    (6, AmendmentKind::Price),
                    (1, AmendmentKind::UnitSwap),
                    (1, AmendmentKind::NameChange),
                ]);
                let price_fen = (kind == AmendmentKind::Price).then(|| self.amended_price());
                let unit_id = (kind == AmendmentKind::UnitSwap).then(|| self.few("U"));
                Touchpoint::ContractAmended(ContractAmended { contract_id, kind, price_fen, unit_id })
            }
            Kind::ContractCancelled => Touchpoint::ContractCancelled(ContractCancelled {
                contract_id,
                by: self.dice.pick(Party::ALL),
                reason: code("CHANGED_PLANS"),
            }),
            _ => {
                let subscribed = self.dice.chance(0.5);
                Touchpoint::ContractSigned(ContractSigned {
                    contract_id,
                    unit_id: self.few("U"),
                    price_fen: self.money(),
                    payment: self.dice.pick(Payment::ALL),
                    planned_handover_on: self.any_date(),
                    area: None,
                    subscription_id: subscribed.then(|| self.few("S")),
                })
            }
        }
    }

    fn handover_family(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        let contract_id = thing("K", number);
        match kind {
            Kind::HandoverNotified => {
                Touchpoint::HandoverNotified(HandoverNotified { contract_id, due_on: self.any_date() })
            }
            Kind::HandoverRefused => {
                Touchpoint::HandoverRefused(HandoverRefused { contract_id, reason: code("DEFECTS") })
            }
            Kind::DefectLogged => Touchpoint::DefectLogged(DefectLogged {
                defect_id: self.few("D"),
                contract_id,
                part: code("WALL"),
                severity: self.dice.pick(DefectSeverity::ALL),
            }),
            Kind::DefectRectified => Touchpoint::DefectRectified(DefectRectified { defect_id: self.few("D") }),
            Kind::MovedIn => Touchpoint::MovedIn(MovedIn { contract_id, on: self.past_date() }),
            Kind::UnitResold => Touchpoint::UnitResold(UnitResold { contract_id, on: self.past_date() }),
            _ => Touchpoint::HandoverCompleted(HandoverCompleted {
                contract_id,
                handed_over_on: self.past_date(),
                defects_open: Count(self.dice.between(0, 3) as u32),
                defects_serious: None,
            }),
        }
    }

    fn complaint_family(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        let complaint_id = thing("B", number);
        let severity = self.dice.pick(ComplaintSeverity::ALL);
        match kind {
            Kind::ComplaintAcknowledged => Touchpoint::ComplaintAcknowledged(ComplaintAcknowledged { complaint_id }),
            Kind::ComplaintAssessed => Touchpoint::ComplaintAssessed(ComplaintAssessed { complaint_id, severity }),
            Kind::ComplaintAssigned => {
                Touchpoint::ComplaintAssigned(ComplaintAssigned { complaint_id, department: code("ENGINEERING") })
            }
            Kind::ComplaintEscalated => Touchpoint::ComplaintEscalated(ComplaintEscalated {
                complaint_id,
                level: Level(self.dice.between(1, 9) as u8),
            }),
            Kind::ComplaintResolved => Touchpoint::ComplaintResolved(ComplaintResolved {
                complaint_id,
                resolution: self.dice.pick(Resolution::ALL),
                root_cause: code("MATERIAL"),
            }),
            Kind::ComplaintReopened => {
                Touchpoint::ComplaintReopened(ComplaintReopened { complaint_id, reason: code("CAME_BACK") })
            }
            Kind::ComplaintClosed => Touchpoint::ComplaintClosed(ComplaintClosed { complaint_id }),
            Kind::ComplaintWithdrawn => Touchpoint::ComplaintWithdrawn(ComplaintWithdrawn { complaint_id }),
            _ => self.lodged(complaint_id, severity),
        }
    }

    fn lodged(&mut self, complaint_id: Code<'static>, severity: ComplaintSeverity) -> Touchpoint<'static> {
        let (about_contract, grouped) = (self.dice.chance(0.5), self.dice.chance(0.2));
        Touchpoint::ComplaintLodged(ComplaintLodged {
            complaint_id,
            port: self.dice.pick(ServicePort::ALL),
            category: code("LEAK"),
            severity,
            contract_id: about_contract.then(|| self.few("K")),
            group_id: grouped.then(|| self.few("G")),
            remedy_sought: None,
        })
    }

    fn revisit_family(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        let revisit_id = thing("H", number);
        let trigger = self.dice.pick(RevisitTrigger::ALL);
        match kind {
            Kind::RevisitScheduled => {
                Touchpoint::RevisitScheduled(RevisitScheduled { revisit_id, due_on: self.any_date(), trigger })
            }
            Kind::RevisitMissed => {
                Touchpoint::RevisitMissed(RevisitMissed { revisit_id, reason: self.dice.pick(MissedReason::ALL) })
            }
            Kind::FaceToFaceFollowUp => {
                Touchpoint::FaceToFaceFollowUp(FaceToFaceFollowUp { revisit_id, outcome: code("SETTLED") })
            }
            _ => {
                let (rated, named) = (self.dice.chance(0.7), self.dice.chance(0.3));
                Touchpoint::RevisitCompleted(RevisitCompleted {
                    revisit_id,
                    mode: self.dice.pick(RevisitMode::ALL),
                    trigger,
                    satisfaction: rated.then(|| Stars(self.dice.pick(&[1, 2, 3, 4, 5, 5]))),
                    complaint_id: named.then(|| self.few("B")),
                    needs_face_to_face: self.dice.pick(&[None, Some(true), Some(false)]),
                })
            }
        }
    }

    fn survey(&mut self) -> Touchpoint<'static> {
        let metric = self.dice.weighted(&[
            (12, Metric::Csat),
            (3, Metric::Nps),
            (2, Metric::Ces),
            (2, Metric::Repurchase),
            (2, Metric::Recommend),
        ]);
        let other = self.dice.pick(ServicePort::ALL);
        let port = if self.dice.chance(0.5) { ServicePort::Overall } else { other };
        self.answer(port, metric)
    }

    /// An answer of this metric about this port; sometimes "not applicable".
    pub(super) fn answer(&mut self, port: ServicePort, metric: Metric) -> Touchpoint<'static> {
        let (low, high) = metric.range();
        let score = Score(self.dice.between(i64::from(low), i64::from(high)) as u8);
        let (known, headline, named) = (self.dice.chance(0.87), self.dice.chance(0.65), self.dice.chance(0.2));
        let item_code = if headline { code(format!("{port}_OVERALL")) } else { self.few("I") };
        Touchpoint::SurveyAnswered(SurveyAnswered {
            survey_id: self.few("F"),
            wave_id: code(self.dice.pick(&["2023", "2024", "2024", "2025", "2024-H2", "W9", "w10"])),
            port,
            item_code,
            metric,
            score: known.then_some(score),
            not_applicable: if known { self.dice.pick(&[None, Some(false)]) } else { Some(true) },
            complaint_id: named.then(|| self.few("B")),
            call_id: None,
        })
    }

    fn other_family(&mut self, kind: Kind, number: u32) -> Touchpoint<'static> {
        let purpose = self.dice.weighted(&[
            (3, ConsentPurpose::Profiling),
            (3, ConsentPurpose::Marketing),
            (1, ConsentPurpose::Service),
            (1, ConsentPurpose::Survey),
            (1, ConsentPurpose::Sharing),
        ]);
        match kind {
            Kind::ReferralMade => Touchpoint::ReferralMade(ReferralMade {
                referral_id: thing("R", number),
                referred_customer_id: self.acquaintance(),
            }),
            Kind::ReferralConverted => Touchpoint::ReferralConverted(ReferralConverted {
                referral_id: thing("R", number),
                contract_id: self.few("K"),
            }),
            Kind::ConsentGranted => Touchpoint::ConsentGranted(ConsentGranted { purpose }),
            Kind::ConsentWithdrawn => Touchpoint::ConsentWithdrawn(ConsentWithdrawn { purpose }),
            Kind::CustomerErased => Touchpoint::CustomerErased(CustomerErased {}),
            Kind::EventVoided => {
                let target = self.any_event();
                void(target)
            }
            _ => Touchpoint::ProfileCorrected(ProfileCorrected { field: code("PHONE") }),
        }
    }

    /// The id of an event that is already there, or of one that never will be.
    fn any_event(&mut self) -> EventId {
        if self.planned.is_empty() || self.dice.chance(0.1) {
            return EventId::from_u128(u128::from(self.dice.bits()));
        }
        self.planned[self.dice.index(self.planned.len())].event.id
    }

    /// A new price may be nothing; that of a signing may not.
    fn amended_price(&mut self) -> Fen {
        if self.dice.chance(0.1) { Fen(0) } else { self.money() }
    }

    /// More than nothing, often exactly where a class begins or one fen beside it.
    fn money(&mut self) -> Fen {
        if self.config.huge_money && self.dice.chance(0.1) {
            return Fen(i64::MAX);
        }
        let near = self.dice.pick(&[-1, 0, 0, 1]);
        let yuan = self.dice.pick(&BORDER_YUAN);
        let random = self.dice.between(1, 12_000_000);
        Fen(if self.dice.chance(0.5) { yuan * FEN_PER_YUAN + near } else { random * FEN_PER_YUAN })
    }
}

/// A void of the event with this id.
pub(super) fn void(target: EventId) -> Touchpoint<'static> {
    Touchpoint::EventVoided(EventVoided {
        target_event_id: Some(target),
        target_position: None,
        reason: code("MISTAKE"),
    })
}
