//! Answers of the satisfaction view about one customer, and about complaints.

use touchpoint::{Code, CustomerId};
use views::satisfaction::{
    Answer, Case, Class, Classes, Evidence, LevelTally, Loyalty, LoyaltyAnswer, Name, Observation, Profile, Scope,
    ServiceLevels,
};

use crate::{complaint, names, query, standing, v1};

/// The twin of a satisfaction class.
pub const fn class(class: Class) -> v1::SatisfactionClass {
    match class {
        Class::Satisfied => v1::SatisfactionClass::Satisfied,
        Class::Neutral => v1::SatisfactionClass::Neutral,
        Class::Dissatisfied => v1::SatisfactionClass::Dissatisfied,
        Class::Unknown => v1::SatisfactionClass::Unknown,
    }
}

/// The twin of a loyalty class.
pub const fn loyalty(loyalty: Loyalty) -> v1::LoyaltyClass {
    match loyalty {
        Loyalty::Loyal => v1::LoyaltyClass::Loyal,
        Loyalty::Favourable => v1::LoyaltyClass::Favourable,
        Loyalty::Vulnerable => v1::LoyaltyClass::Vulnerable,
        Loyalty::Neutral => v1::LoyaltyClass::Neutral,
        Loyalty::AtRisk => v1::LoyaltyClass::AtRisk,
        Loyalty::Unknown => v1::LoyaltyClass::Unknown,
    }
}

/// A customer's index; where profiling is withheld, the lifecycle and the complaints only.
pub fn customer_index(customer: CustomerId, answer: &Answer) -> v1::CustomerIndex {
    let withheld = v1::CustomerIndex {
        customer_id: customer.into(),
        withheld: answer.standing.withheld,
        lifecycle: Some(standing::lifecycle(&answer.standing)),
        complaints: answer.complaints.iter().map(|case| case_of(customer, case)).collect(),
        ..Default::default()
    };
    match &answer.profile {
        None => withheld,
        Some(profile) => {
            v1::CustomerIndex { belonging: standing::belonging(&answer.standing), ..with(withheld, profile) }
        }
    }
}

/// A complaint of this customer.
pub fn case_of(customer: CustomerId, case: &Case) -> v1::Complaint {
    let text = |code: &Option<Code<'_>>| standing::text(code.as_ref());
    v1::Complaint {
        complaint_id: case.id.to_string(),
        customer_id: customer.into(),
        port: names::port(case.port).into(),
        category: case.category.to_string(),
        severity: names::severity(case.severity).into(),
        state: complaint::state(case.state).into(),
        escalated: case.escalated,
        lodged_at: Some(names::timestamp(case.lodged_at)),
        contract_id: text(&case.contract),
        group_id: text(&case.group),
        company_id: text(&case.company),
        project_id: text(&case.project),
        acknowledgement: Some(complaint::clock(&case.acknowledgement)),
        first_resolution: Some(complaint::clock(&case.first_resolution)),
        total: Some(complaint::clock(&case.total)),
        reopenings: case.reopenings,
        ignored_steps: case.ignored_steps,
        evidence: evidence(&case.evidence),
    }
}

/// How many customers are in each class; every class is there.
pub fn class_counts(classes: &Classes) -> (Vec<v1::SatisfactionClassCount>, Vec<v1::LoyaltyClassCount>) {
    let satisfaction = Class::ALL
        .map(|it| v1::SatisfactionClassCount { satisfaction_class: class(it).into(), customers: classes.class(it) });
    let loyal = Loyalty::ALL
        .map(|it| v1::LoyaltyClassCount { loyalty_class: loyalty(it).into(), customers: classes.loyalty(it) });
    (satisfaction.to_vec(), loyal.to_vec())
}

/// How complaints were handled; what the answer rests on is for the caller to add.
pub fn service_levels(levels: &ServiceLevels) -> v1::GetComplaintServiceLevelResponse {
    v1::GetComplaintServiceLevelResponse {
        complaints: levels.complaints,
        open: levels.open,
        acknowledgement: Some(tally(&levels.acknowledgement)),
        first_resolution: Some(tally(&levels.first_resolution)),
        total: Some(tally(&levels.total)),
        meta: None,
    }
}

/// The scope of a request, as this view asks for it.
pub fn scope(scope: &query::Scope) -> Scope {
    let name = |code: &Option<Code<'_>>| code.as_ref().map(|code| Name::from(code.as_str()));
    Scope { company: name(&scope.company), project: name(&scope.project), consultant: name(&scope.consultant) }
}

fn with(withheld: v1::CustomerIndex, profile: &Profile) -> v1::CustomerIndex {
    v1::CustomerIndex {
        index_hundredths: profile.index,
        satisfaction_class: class(profile.class).into(),
        loyalty_class: loyalty(profile.loyalty).into(),
        observations: profile.observations.iter().map(observation).collect(),
        loyalty_reasons: profile.loyalty_answers.iter().map(loyalty_reason).collect(),
        ..withheld
    }
}

fn observation(observation: &Observation) -> v1::Observation {
    v1::Observation {
        port: names::port(observation.port).into(),
        value: observation.value.into(),
        weight_millionths: observation.share,
        dated_at: Some(names::timestamp(observation.dated_at)),
        inferred: observation.inferred_from.is_some(),
        complaint_id: standing::text(observation.inferred_from.as_ref()),
        evidence: evidence(&observation.evidence),
    }
}

fn loyalty_reason(answer: &LoyaltyAnswer) -> v1::Reason {
    v1::Reason { code: answer.code().to_owned(), points_millionths: None, evidence: evidence(&[answer.event]) }
}

fn evidence(events: &[Evidence]) -> Vec<v1::Evidence> {
    events.iter().map(standing::evidence).collect()
}

fn tally(tally: &LevelTally) -> v1::ServiceLevelTally {
    v1::ServiceLevelTally {
        met: tally.met,
        breached: tally.breached,
        pending: tally.pending,
        withdrawn: tally.withdrawn,
        rate_bp: tally.rate_bp(),
    }
}
